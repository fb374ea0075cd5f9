"""The Overview page: counts, charts and tables."""
