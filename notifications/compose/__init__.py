"""Writing, checking and sending a notification."""
