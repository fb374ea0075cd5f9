"""The sending engine, which uses rows as its queue.

A delivery row is queue entry and history record at once. One database thread
(``worker``) claims due rows and commits the claims before the first byte is sent; HTTP
threads (``http_workers``) make the calls; ``results`` writes the outcomes. See
docs/architecture.md.
"""
