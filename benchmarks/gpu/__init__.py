"""What to measure whenever a GPU is at hand; every program runs at a tiny size on a CPU too."""
