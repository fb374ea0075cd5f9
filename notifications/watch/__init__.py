"""How the console is doing: whether it is ready, figures, and what needs somebody."""
