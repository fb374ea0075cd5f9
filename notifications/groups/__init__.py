"""Chat groups: list, labels, filters, import and sync."""
