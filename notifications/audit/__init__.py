"""Pages, filters and export of the audit trail."""
