"""The sending engine: rows are the queue.

A delivery row is queue, ledger and history at once. One database thread (``worker``)
claims due rows and commits that before the first byte leaves; sender threads
(``senders``) do HTTP only; ``settle`` writes what came of it. See docs/architecture.md.
"""
