"""Use cases of access: each checks the permission, changes rows and writes the audit entry."""
