"""The audit trail as people read, filter and export it."""
