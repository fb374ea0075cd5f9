"""Queries to Tencent about unconfirmed deliveries of channels that can be queried.

history     the verdict on one delivery, from pages of the history of its group
questions   which deliveries are due, and what to ask about each
run         makes the calls, at a pace of their own
verdicts    writes the answers, and when to ask again
task        the background task of the worker
services    "Ask Tencent now"
progress    how many queries of a notification are open
"""
