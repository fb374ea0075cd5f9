"""The export of the history."""
