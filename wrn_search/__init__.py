"""WRN Search: how deep, how wide and how regularised a Wide Residual Network should be, found by a measured search.

From a notebook: `wrn_search.run(space, ...)` runs a search, `wrn_search.read(results, ...)` gives its tables,
`wrn_search.load_model(file)` a network that `export` wrote.
"""

# Nothing is imported here, not even of Python's library: `python -m wrn_search` would look for it in the working
# directory, until `import_path.py` has had its say.
TYPE_CHECKING = False  # for type checkers it is true
if TYPE_CHECKING:
    from wrn_search.results.table_reader import read_results as read
    from wrn_search.session.search_run import run
    from wrn_search.winner.file_formats.format_table import load_model

__version__ = "0.1.0"
__all__ = ["__version__", "load_model", "read", "run"]


def __dir__() -> list[str]:
    """What there is to use, also before its first use: notebooks complete by it."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    """Each on first use: importing the package alone loads neither ray nor pandas nor torch."""
    if name == "run":
        from wrn_search.session.search_run import run

        return run
    if name == "read":
        from wrn_search.results.table_reader import read_results

        return read_results
    if name == "load_model":
        from wrn_search.winner.file_formats.format_table import load_model

        return load_model
    raise AttributeError(f"module 'wrn_search' has no attribute '{name}'")
