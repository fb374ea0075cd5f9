"""Copying the list of chat groups from Tencent, beside the sending.

A thread of the worker, with limits of its own: ``GroupSync`` says what is asked for and
how far it is; any worker can go on where another one was killed.

    syncer.py    the thread: whether there is a run, and whether it is ours
    run.py       one run: what is asked next, what came back, when it has ended
    callers.py   threads that make the calls
    failures.py  what an answer that is no success means
    listing.py   pages of the list → items
    details.py   details of groups → our groups and the list of changes
    compare.py   one group: what Tencent says and what we have
    rows.py      many rows at once, without a model for each
    ending.py    the end of a run, and what is removed after it
    schedule.py  runs that nobody asked for

guarantee   asking is harmless: whatever is not known to be written is asked again
not here    deleting a group of ours, and any notice
"""
