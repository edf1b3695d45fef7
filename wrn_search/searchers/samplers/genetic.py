"""Searcher `nsga2`: children of the best configurations, by crossover and mutation.

Optuna's `NSGAIISampler` (Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", IEEE Transactions
on Evolutionary Computation 6(2), 2002) with the operators of that paper, simulated binary crossover and polynomial
mutation; labels are crossed uniformly and drawn anew. With one objective its ranks are those of the errors, with
several the places by front and crowding distance (`searcher_by_places.py`); and those that survive all generations are
the best of all: so parents are the best fifth of all that have ended, 10 to 50 of them, and no worker waits for the end
of a generation.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from wrn_search.searchers.samplers.ends_by_worth import EndsByWorth
from wrn_search.searchers.samplers.optunas_axes import OptunasAxes
from wrn_search.searchers.samplers.ranked_searcher import Draw, ranked_kind
from wrn_search.searchers.searcher import Hparams, SearchedSpace
from wrn_search.seeds import derived_seed

if TYPE_CHECKING:
    import optuna

FEWEST_PARENTS = 10
MOST_PARENTS = 50  # Optuna's population
_SHARE = 5  # one in so many of all that have ended is a parent, within these bounds


class Genetic:
    """Draws children."""

    def __init__(self, space: SearchedSpace):
        from wrn_search.searchers.uniform_draws import UniformDraws

        self._seed = space.seed
        self._uniform = UniformDraws(space.hyperparameters)
        self._axes = OptunasAxes(space)

    def heard(self, ends: EndsByWorth) -> None:
        """All is looked at anew for each proposal."""

    def drawing(self, ends: EndsByWorth, configuration: int, is_new: Callable[[Hparams], bool]) -> Draw:
        """Children of the best ones."""
        if not self._axes.distributions:
            return self._uniform.at
        study = self._study(ends)

        def child(seed: int) -> Hparams:
            study.sampler = _sampler(seed, len(study.get_trials(deepcopy=False, states=_complete())))
            return self._axes.point(study.ask(self._axes.distributions).params)

        return child

    def _study(self, ends: EndsByWorth) -> optuna.Study:
        """The parents as the first generation. A gene that does not apply to one is drawn: it was chosen by nobody."""
        import optuna

        placed = ends.placed()
        count = min(max(len(placed) // _SHARE, FEWEST_PARENTS), MOST_PARENTS)
        parents = sorted(placed, key=lambda each: each.place)[:count]
        study = optuna.create_study()
        key = optuna.samplers.NSGAIISampler._get_generation_key()
        for each in parents:
            genes = self._uniform.at(derived_seed(self._seed, f"genes of {each.name}"))
            trial = self._axes.trial(each.hparams, genes, each.place)
            trial.system_attrs = {key: 0}
            study.add_trial(trial)
        return study


def _complete() -> tuple[optuna.trial.TrialState, ...]:
    import optuna

    return (optuna.trial.TrialState.COMPLETE,)


def _sampler(seed: int, parents: int) -> optuna.samplers.BaseSampler:
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.NSGAIISampler(
            seed=seed,
            population_size=parents,
            crossover=optuna.samplers.nsgaii.SBXCrossover(),
            mutation=optuna.samplers.nsgaii.PolynomialMutation(),
        )


NSGA2 = ranked_kind(Genetic, goes_by_places=True)
