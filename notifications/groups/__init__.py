"""Chat groups: list, filters, labels, import and sync."""
