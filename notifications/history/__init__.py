"""Sent notifications: lists, search, detail pages, charts, export, evidence, archive."""
