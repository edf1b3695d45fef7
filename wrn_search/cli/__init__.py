"""The commands: arguments in, lines out. Everything they show comes from the floors below."""
