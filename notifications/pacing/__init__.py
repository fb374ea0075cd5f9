"""When calls may start: a clock that all workers share, and the limit of each call.

guarantee   every call of Tencent has its own row, so no call slows another down
not here    who makes the calls: ``delivery`` the notices, ``sync`` and ``services``
            what they ask about groups
"""
