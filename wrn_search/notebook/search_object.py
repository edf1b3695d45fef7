"""`Search`: one or several results directories as one object, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.all_findings import Findings, findings_from, to_json
from wrn_search.analysis.curve_model.model_values import Verdict
from wrn_search.analysis.input_tables.joined_tables import Material, material_of
from wrn_search.errors import InputError, Problem, nearest
from wrn_search.notebook.best_trial import BestTrial
from wrn_search.notebook.short_forms import search_html, search_text
from wrn_search.progress.search_status import SearchStatus, status_of
from wrn_search.report.html.figures_by_section import drawn_figures
from wrn_search.report.html.write_report_file import report_path, write_page
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.table_reader import Directories, named_paths, naming_problems, read_results

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_CELLS = (
    *("depth", "widen_factor", "estimate", "low", "high", "kind", "standing"),
    *("measured", "n", "lowest", "highest", "total", "seconds_per_epoch"),
)


class Search:
    """What one search, or several over the same images, tried and found.

    `Search("results/a")`, `Search("results/a", "results/b")` and `Search(["results/a", "results/b"])`. Everything is
    read when it is first asked for and then kept; of a search that still runs, `refresh()` reads anew.

    Errors are validation errors in percent, intervals 95 %.

    Raises:
        InputError: no directory is named, one is named twice, or any holds no search.
    """

    def __init__(self, *results: Directories):
        found = list(named_paths(results))
        self._directories = tuple(ResultsDirectory(path) for path in found)
        problems = naming_problems(found)
        problems += [problem for each in self._directories for problem in _problems_of(each)]
        if problems:
            raise InputError(problems)

    # --- what is on record ------------------------------------------------------------------------------------------

    @property
    def paths(self) -> tuple[Path, ...]:
        """The results directories."""
        return tuple(directory.path for directory in self._directories)

    @property
    def trials(self) -> pd.DataFrame:
        """One row a trial, the columns of `trials.parquet`; of several searches all rows, told apart by `search`."""
        return self._tables[0]

    @property
    def epochs(self) -> pd.DataFrame:
        """One row a trial and epoch."""
        return self._tables[1]

    @property
    def status(self) -> tuple[SearchStatus, ...]:
        """How each search stands at this moment: state, driver, running trials, faults; never kept."""
        return tuple(status_of(directory) for directory in self._directories)

    # --- what follows from it ---------------------------------------------------------------------------------------

    @property
    def answer(self) -> tuple[str, ...]:
        """The report's first sentences: what was found, and how sure that is."""
        return self.findings.answer.sentences

    @property
    def verdicts(self) -> pd.DataFrame:
        """One row a question (`depth`, `width`, `depth_vs_width`, each hyperparameter), by the curve model.

        `effect` is the factor of one `unit` on the odds of an error, below 1 is better, with `low` and `high`;
        `verdict` is helps, hurts, no difference or undecided (of `depth_vs_width`: helps speaks for depth);
        `trainings_to_decide` how many more would decide it. No row where the model tells nothing: `answer` says why.
        """
        import pandas as pd

        names = [field.name for field in fields(Verdict)]
        rows = [{name: getattr(each, name) for name in names} for each in self.findings.model.verdicts]
        return pd.DataFrame(rows, columns=names).astype({"trainings_to_decide": "Int64"})

    @property
    def cells(self) -> pd.DataFrame:
        """One row a network of the space (depth and widening factor), the one expected to be best first.

        `estimate`, `low` and `high` are what the curve model expects of it at its own best settings, null without a
        model. `measured` is the lowest error of the `n` of its `total` trials that reached full epochs; with repeats it
        is the best configuration's median, and `lowest` and `highest` the range of its repeats.
        """
        import pandas as pd

        rows = [
            {**cell, "measured": cell["value"] if cell["median"] is None else cell["median"]}
            for cell in self.to_dict()["cells"]
        ]
        frame = pd.DataFrame(rows, columns=list(_CELLS))
        frame = frame.astype(
            dict.fromkeys(("estimate", "low", "high", "measured", "lowest", "highest"), float)
        )
        by = ["estimate", "measured", "depth", "widen_factor"]
        return frame.sort_values(by, na_position="last", ignore_index=True)

    @property
    def best(self) -> BestTrial | None:
        """The trial that the report calls the best; None as long as no trial came to its last epoch."""
        values = self.to_dict()["best"]
        return None if values is None else BestTrial.of(values)

    @property
    def plots(self) -> dict[str, str]:
        """Name of each figure of the report that has something to draw -> its title; `plot` takes the names."""
        return {key: figure.title for key, figure in self._figures.items()}

    def plot(self, name: str | None = None) -> go.Figure:
        """A figure of the report, as one of plotly's; by default the map over depth and width.

        Raises:
            InputError: no figure of that name has anything to draw (`plots` has the names).
        """
        from wrn_search.report.by_products.figure_for_a_notebook import plotly_figure

        figures = self._figures
        if not figures:
            raise InputError.of("plot", "a trial must have completed an epoch before there is a figure")
        name = next(iter(figures)) if name is None else name
        if name not in figures:
            text = f"must be one of {', '.join(figures)}, but got {name!r}{nearest(name, figures)}"
            raise InputError.of("plot", text)
        return plotly_figure(figures[name], self.findings)

    def write_report(self, output: str | Path | None = None) -> Path:
        """Writes the report's page and returns its path; by default `report.html` in the only results directory.

        Raises:
            InputError: no output is named for several searches, or it cannot be written.
        """
        place = report_path(self.paths, output)
        write_page(self._material, self.findings, place)
        return place

    def to_dict(self) -> Mapping[str, Any]:
        """All numbers of the report as plain values: what `report --json` prints."""
        return self._json

    @cached_property
    def findings(self) -> Findings:
        """All that the report draws, as typed values."""
        return findings_from(self._material)

    def refresh(self) -> Search:
        """Forgets what was read, so that the next question is answered from the present record; returns itself."""
        for name in ("_tables", "_material", "findings", "_json", "_figures"):
            self.__dict__.pop(name, None)
        return self

    # --- how it is shown --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Trials so far."""
        return len(self.trials)

    def __bool__(self) -> bool:
        """A search without a trial is a search."""
        return True

    def __repr__(self) -> str:
        return search_text(self._directories)

    def _repr_html_(self) -> str:
        return search_html(self._directories)

    @cached_property
    def _tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return read_results(*self.paths)

    @cached_property
    def _material(self) -> Material:
        return material_of(self.paths)

    @cached_property
    def _json(self) -> dict[str, Any]:
        return to_json(self.findings)

    @cached_property
    def _figures(self) -> dict[str, Any]:
        return drawn_figures(self.findings)


def _problems_of(directory: ResultsDirectory) -> tuple[Problem, ...]:
    try:
        directory.check_is_there()
        if not directory.exists() and not directory.trials.is_file():
            text = f"must be the results directory of a search, {directory.why_none()}"
            raise InputError.of("", text, str(directory.path))
    except InputError as error:
        return error.problems
    return ()
