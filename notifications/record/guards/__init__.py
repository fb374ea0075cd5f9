"""Triggers that refuse to change the record, SQL by hand included."""
