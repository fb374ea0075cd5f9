"""Shared by pages: frame, lists, filters, dates, downloads, text, form fields."""
