"""WRN Search: how deep, how wide and how regularised a Wide Residual Network should be, found by a measured search.

From a notebook: `wrn_search.run(space, ...)` runs a search, `wrn_search.read(results, ...)` gives its tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wrn_search.results.reader import read_results as read
    from wrn_search.search.run import run

__version__ = "0.1.0"
__all__ = ["__version__", "read", "run"]


def __getattr__(name: str) -> Any:
    """`run` and `read` on first use: importing the package alone loads neither ray nor pandas."""
    if name == "run":
        from wrn_search.search.run import run

        return run
    if name == "read":
        from wrn_search.results.reader import read_results

        return read_results
    raise AttributeError(f"module 'wrn_search' has no attribute '{name}'")
