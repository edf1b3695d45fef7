"""The verdict while a search runs: what its trials say so far by the curve model, and whether that answers it.

`SearchState` -> `curves_of_state` -> `leading_networks` for the display, `answers_of` for `search.stop_when`.
"""
