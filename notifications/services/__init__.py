"""Use cases: one function each, called by page, command and test alike.

A service checks the permission, changes the rows, writes the audit entry and returns.
What a person entered wrongly is a ``ValidationError`` with the names of the fields;
what a person may not do is ``PermissionDenied``.
"""
