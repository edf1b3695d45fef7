"""What a search has ever searched: it may be resumed with another space, and what once varied stays varied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from wrn_search.space.domains import (
    DOMAINS,
    Choice,
    Domain,
    IntRange,
    LogUniform,
    Scalar,
    Uniform,
    finite_values,
    member,
)
from wrn_search.space.trial_config import LEAVES

_SECTIONS = ("model.", "training.")
_MOST_OPTIONS = 10  # values that were tried of a domain that nobody knows any more: above, an interval


def ever_searched(
    now: Mapping[str, Domain],
    before: Sequence[Mapping[str, Any]] = (),
    tried: Mapping[str, Iterable[Scalar]] | None = None,
) -> dict[str, Domain]:
    """Each hyperparameter that was searched at any time, with a domain that holds all that it ever held.

    Args:
        now: of the present space.
        before: of each change, `section.key` -> the value that it replaced, as the space file writes it.
        tried: name -> values of trials, for those that are known to have been searched.
    """
    domains: dict[str, list[Domain]] = {name: [domain] for name, domain in now.items()}
    for replaced in before:
        for key, value in replaced.items():
            section, _, name = key.partition(".")
            if f"{section}." in _SECTIONS and name in LEAVES and (domain := domain_of(value)) is not None:
                domains.setdefault(name, []).append(domain)
    values = {name: list(dict.fromkeys(found)) for name, found in (tried or {}).items()}
    names = list(domains | values)
    if names != list(now):  # in the order of the space's sections
        names.sort(key=lambda name: LEAVES.index(name) if name in LEAVES else len(LEAVES))
    return {name: _covering(domains.get(name, []), values.get(name, [])) for name in names}


def domain_of(document: Any) -> Domain | None:
    """The domain that a space file writes so, such as `{choice: [1, 2]}`; None for all else."""
    if not isinstance(document, dict) or len(document.keys() - {"when"}) != 1:
        return None
    ((kind, items),) = ((kind, items) for kind, items in document.items() if kind != "when")
    if kind not in DOMAINS or not isinstance(items, list) or not items:
        return None
    if kind == "choice":
        return Choice(tuple(items))
    if kind == "loguniform" and len(items) == 2 and all(isinstance(item, int) for item in items):
        return IntRange(items[0], items[1], log=True)  # of a key that takes whole numbers
    numbers = all(isinstance(item, int | float) for item in items)
    return DOMAINS[kind](*items) if numbers and len(items) in (2, 3 if kind == "int" else 2) else None


def _covering(domains: Sequence[Domain], tried: Sequence[Scalar]) -> Domain:
    """The one domain of `domains` that holds everything, else one that does; conditional if any was."""
    when = next((domain.when for domain in domains if domain.when), ())
    return replace(_holding_all(domains, tried), when=when)


def _holding_all(domains: Sequence[Domain], tried: Sequence[Scalar]) -> Domain:
    outside = [value for value in tried if all(member(domain, value) is None for domain in domains)]
    if len(set(domains)) == 1 and not outside:
        return domains[0]
    words = any(isinstance(value, str) for value in outside)
    few = not domains and len(outside) <= _MOST_OPTIONS
    if words or few or any(isinstance(domain, Choice) for domain in domains):
        options = [option for domain in domains for option in finite_values(domain) or ()]
        return Choice(
            tuple(dict.fromkeys([*options, *sorted(outside, key=lambda value: (str(type(value)), value))]))
        )
    return _interval(domains, [float(value) for value in outside])


def _interval(domains: Sequence[Domain], outside: Sequence[float]) -> Domain:
    """The smallest interval around numbers and domains of numbers."""
    bounds = [
        bound for domain in domains if not isinstance(domain, Choice) for bound in (domain.low, domain.high)
    ]
    low, high = min([*bounds, *outside]), max([*bounds, *outside])
    if domains and all(isinstance(domain, IntRange) for domain in domains):
        return IntRange(
            int(low), int(high), log=any(domain.log for domain in domains if isinstance(domain, IntRange))
        )
    logarithmic = low > 0 and any(
        isinstance(domain, LogUniform) or (isinstance(domain, IntRange) and domain.log) for domain in domains
    )
    return LogUniform(low, high) if logarithmic else Uniform(low, high)
