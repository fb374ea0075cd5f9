"""The sending engine: rows are the queue.

A delivery row is queue, ledger and history at once. One database thread (``worker``)
claims due rows and commits that before the first byte leaves; HTTP threads
(``http_workers``) make the calls; ``results`` writes the outcomes. See
docs/architecture.md.
"""
