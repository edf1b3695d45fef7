"""How a search, or a session of it, ended, and the exit status that follows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.end_reason import EndReason
from wrn_search.results.state_from_events import SearchState
from wrn_search.wording import plural

if TYPE_CHECKING:
    from wrn_search.notebook.search_object import Search


class SearchFailed(RuntimeError):
    """The search could not go on; what is on record stays, and `--resume` continues it."""

    def __init__(self, text: str, result: SearchResult | None = None):
        super().__init__(text)
        self.result = result  # what there is all the same; None where no trial could begin


@dataclass(frozen=True, repr=False)
class SearchResult:
    """How a search, or a session of it, ended."""

    directory: Path
    state: SearchState
    reason: EndReason
    on_end: tuple[str, ...] = ()  # the command that the user wants to be run now

    def __repr__(self) -> str:
        """One line: a notebook shows it, and the state holds every epoch."""
        counts = Counter(trial.status for trial in self.state.trials.values())
        told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        trials = f"{plural(counts.total(), 'trial')}: {told}" if told else "no trial"
        return f"SearchResult({str(self.directory)!r}, {self.reason.value}, {trials})"

    def _repr_html_(self) -> str:
        return self.search._repr_html_()

    @property
    def search(self) -> Search:
        """The search as an object: its tables, verdicts, cells and figures."""
        # Here, as nobody else must wait for the analysis.
        from wrn_search.notebook.search_object import Search

        return Search(self.directory)

    @property
    def exit_status(self) -> int:
        """0 done, 1 there are trials and all failed or learnt nothing, 130 interrupted and resumable."""
        if self.reason is EndReason.INTERRUPTED:
            return 130
        trials = self.state.trials.values()
        all_failed = bool(trials) and all(trial.status == "failed" for trial in trials)
        return int(all_failed or self.state.all_at_chance)
