"""When calls may start: a clock that all workers share, and the limit of each call.

Every call of Tencent has its own row, so no call slows another down.
"""
