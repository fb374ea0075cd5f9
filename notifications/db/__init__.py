"""Building blocks of hand-written SQL, and the differences between the databases.

Quoting, rows from JSON, ``INSERT … SELECT``, expressions and table locks are here and
depend on no model. A statement that belongs to one topic, such as a search or the rows
of a send, stays in the folder of the topic and uses these. So does code for one database
only: the worker's lock, the engine's clock, the guards' triggers, the copy of a SQLite
file.
"""
