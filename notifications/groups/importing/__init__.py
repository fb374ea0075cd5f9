"""Import of chat groups from a file: parse, rows, plan, apply."""
