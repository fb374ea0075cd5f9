"""SQL written by hand: its building blocks, and what differs between the two databases.

Quoting, rows out of JSON, ``INSERT … SELECT``, expressions and locks of tables are here
and know no model. A statement that is one topic's own, as a search or the rows of a send
are, stays in the topic and is put together of these. So does what only one database has:
the worker's lock, the engine's clock, the guards' triggers, the copy of a SQLite file.
"""
