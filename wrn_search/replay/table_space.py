"""The space of a table whose hyperparameters need not be those of a Wide Residual Network."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import PrivateAttr

from wrn_search.space.axes.searched_axes import Axes
from wrn_search.space.domains import Domain
from wrn_search.space.space import Space


class TableSpace(Space):
    """A space with a table's own hyperparameters; those that are leaves of ours are so in each `TrialConfig` too."""

    _of_table: dict[str, Domain] = PrivateAttr(default_factory=dict)

    @classmethod
    def of(cls, space: Space, domains: Mapping[str, Domain]) -> TableSpace:
        """A space that searches these domains, and all else as in `space`, which searches nothing."""
        made = cls.model_construct(**{name: getattr(space, name) for name in type(space).model_fields})
        made._of_table = dict(domains)
        return made

    @property
    def axes(self) -> Axes:
        """The table's hyperparameters, in its order, each an axis of its own."""
        return Axes(self._of_table, None, {"block": None, "deepening_factor": None})
