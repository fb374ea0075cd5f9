"""The evidence bundle of one notification."""
