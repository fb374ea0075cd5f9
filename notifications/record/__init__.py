"""The record: audit trail and export."""
