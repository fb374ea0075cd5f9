"""Use cases of composing: one function each, called by page, command and test alike.

A service checks the permission, changes the rows, writes the audit entry and returns.
Invalid input is a ``ValidationError`` with the names of the fields; a missing
permission is ``PermissionDenied``.
"""
