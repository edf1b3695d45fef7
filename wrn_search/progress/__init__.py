"""How a search stands: folds over its events, what a terminal shows of them; its driver, found and asked to stop."""
