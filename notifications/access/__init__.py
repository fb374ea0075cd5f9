"""Access to the console: login, second factor, single sign-on, sessions, people and roles."""
