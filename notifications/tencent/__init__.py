"""The REST client of Tencent IM. It does not know Django."""
