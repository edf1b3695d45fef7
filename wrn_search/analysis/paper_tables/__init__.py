"""The paper's tables beside ours: `comparisons_of` reads results directories, all else is asked of what it returns."""
