"""The space of a table whose hyperparameters need not be those of a Wide Residual Network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import PrivateAttr

from wrn_search.space.domains import Domain, Scalar
from wrn_search.space.space import Space
from wrn_search.space.trial_config import LEAVES, TrialConfig


class TableSpace(Space):
    """A space with a table's own hyperparameters; those that are leaves of ours are so in each `TrialConfig` too."""

    _domains: dict[str, Domain] = PrivateAttr(default_factory=dict)

    @classmethod
    def of(cls, space: Space, domains: Mapping[str, Domain]) -> TableSpace:
        """A space that searches these domains, and all else as in `space`, which searches nothing."""
        made = cls.model_construct(**{name: getattr(space, name) for name in type(space).model_fields})
        made._domains = dict(domains)
        return made

    @property
    def hyperparameters(self) -> dict[str, Domain]:
        """The table's, in its order."""
        return self._domains

    def trial_config(
        self, hparams: dict[str, Scalar], seed: int, *, precision: str, compile: str
    ) -> TrialConfig:
        """The training that those of `hparams` describe which are leaves of ours."""
        fixed: dict[str, Any] = self._leaves() | {
            name: value for name, value in hparams.items() if name in LEAVES
        }
        space = self.model_copy(
            update={
                section: getattr(self, section).model_copy(
                    update={name: fixed[name] for name in type(getattr(self, section)).model_fields}
                )
                for section in ("model", "training")
            }
        )
        space._domains = {}
        return Space.trial_config(space, {}, seed, precision=precision, compile=compile)
