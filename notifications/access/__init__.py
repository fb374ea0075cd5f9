"""Who gets in: login, second factor, single sign-on, sessions, people and roles."""
