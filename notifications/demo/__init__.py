"""Sample data for the demo."""
