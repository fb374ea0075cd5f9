"""Which chat groups a notification is for, which are excluded, and why."""
