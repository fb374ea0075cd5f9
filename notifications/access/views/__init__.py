"""Pages of login, account and second factor."""
