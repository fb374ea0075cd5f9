"""Queries behind the filters of the history."""
