"""The paper's tables beside ours: for a terminal, as a page, as LaTeX."""
