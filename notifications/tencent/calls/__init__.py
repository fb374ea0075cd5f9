"""Calls of Tencent IM, one file each: path, payload, limits, fields of the answer."""
