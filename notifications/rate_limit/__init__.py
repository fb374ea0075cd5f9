"""Rate limits: a clock that all workers share, and the start times of calls.

Each REST call has its own row, so one call does not slow down another.
"""
