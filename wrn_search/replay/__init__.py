"""Searches played against recorded learning curves, under a simulated clock: the judge of every search method."""
