"""Calls of Tencent IM, one file each: path, payload, limits, response fields."""
