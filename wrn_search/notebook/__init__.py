"""Searches as objects in Python: their tables, verdicts, cells and figures, and how they are shown in short."""
