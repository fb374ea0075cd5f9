"""Use cases of composing: one function each, called by pages, commands and tests.

A service checks the permission, changes the rows and writes the audit entry. It raises
``ValidationError`` by field for invalid input, and ``PermissionDenied``.
"""
