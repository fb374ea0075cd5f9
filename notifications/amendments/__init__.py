"""Recall and correction: take a notification back from its groups, or correct its text."""
