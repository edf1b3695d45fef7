"""WRN Search: how deep, how wide and how regularised a Wide Residual Network should be, found by a measured search.

From a notebook: `wrn_search.run(space, ...)` runs a search, `wrn_search.Search(results, ...)` is one as an object
(tables, verdicts, cells, figures), `wrn_search.read(results, ...)` gives the tables alone,
`wrn_search.load_model(file)` a network that `export` wrote, `wrn_search.load_backbone(file)` one for a detector.
"""

# Nothing is imported here, not even of Python's library: `python -m wrn_search` would look for it in the working
# directory, until `import_path.py` has had its say.
TYPE_CHECKING = False  # for type checkers it is true
if TYPE_CHECKING:
    from wrn_search.errors import InputError
    from wrn_search.notebook.search_object import Search
    from wrn_search.results.table_reader import read_results as read
    from wrn_search.session.search_result import SearchFailed, SearchResult
    from wrn_search.session.search_run import run
    from wrn_search.session.watching.callbacks import SearchEvent, StopSearch
    from wrn_search.winner.file_formats.backbone_file import load_backbone
    from wrn_search.winner.file_formats.format_table import load_model

__version__ = "0.1.0"
__all__ = [
    "InputError",
    "Search",
    "SearchEvent",
    "SearchFailed",
    "SearchResult",
    "StopSearch",
    "__version__",
    "load_backbone",
    "load_model",
    "read",
    "run",
]
# name -> where it is, below the package; as imported above for type checkers
_HOMES = {
    "InputError": "errors.InputError",
    "Search": "notebook.search_object.Search",
    "SearchEvent": "session.watching.callbacks.SearchEvent",
    "SearchFailed": "session.search_result.SearchFailed",
    "SearchResult": "session.search_result.SearchResult",
    "StopSearch": "session.watching.callbacks.StopSearch",
    "load_backbone": "winner.file_formats.backbone_file.load_backbone",
    "load_model": "winner.file_formats.format_table.load_model",
    "read": "results.table_reader.read_results",
    "run": "session.search_run.run",
}


def __dir__() -> list[str]:
    """What there is to use, also before its first use: notebooks complete by it."""
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING"})


def __getattr__(name: str) -> object:
    """Each on first use: importing the package alone loads neither ray nor pandas nor torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'wrn_search' has no attribute '{name}'")
    import importlib

    module, _, their_name = _HOMES[name].rpartition(".")
    found: object = getattr(importlib.import_module(f"wrn_search.{module}"), their_name)
    return found
