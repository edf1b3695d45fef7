"""Names of networks: `WRN-28-10`, `WRN-40-2-B(3,1,3)`, `WRN-18-1.5`, `WRN-50-2-bottleneck`, `ResNet-164`.

WRN-34-2 is a network for small images and one for ImageNet: a name that several families read is that of the first
of `FAMILIES`, and WRN-34-2-basic, with the block that the other one has, is the one for ImageNet.
"""

from __future__ import annotations

import re

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.families.family_table import DEFAULT_FAMILY, FAMILIES

NAME_PATTERN = r"(WRN|ResNet)-(\d{1,6})(?:-(\d{1,9}(?:\.\d{1,17})?))?(?:-(B\(.*\)|basic|bottleneck))?"
_NAME = re.compile(NAME_PATTERN)
EXAMPLES = "WRN-28-10, WRN-40-2-B(3,1,3), ResNet-164, WRN-18-1.5 or WRN-50-2-bottleneck"


def named_network(name: str, family: str | None = None) -> Architecture:
    """The network of a name.

    Args:
        name: such as `WRN-28-10`; spaces around it do not matter.
        family: where only networks of this family are meant.

    Raises:
        ValueError: it is no such name, or no network has this depth with this block.
    """
    match = _NAME.fullmatch(name.strip())
    if match is None:
        raise ValueError(f"must be a network such as {EXAMPLES}, but got '{name}'")
    prefix, depth, width, block = match.groups()
    families = [each for each in FAMILIES if FAMILIES[each].prefix == prefix and family in (None, each)]
    if family is not None and not families:
        raise ValueError(
            f"must be a network of family {family}, {FAMILIES[family].prefix}-..., but got '{name}'"
        )
    if (width is None) != (prefix == FAMILIES["preact_resnet"].prefix):
        rule = "a widening factor must follow the depth of a WRN, and none that of a ResNet, which is thin"
        raise ValueError(f"must be a network such as {EXAMPLES} ({rule}), but got '{name}'")
    return network_of_any(families, int(depth), float(width or 1), block)


def network_of_any(
    families: list[str], depth: int, widen_factor: float, block: str | None = None
) -> Architecture:
    """The network of the first of these families that has one.

    Raises:
        ValueError: none has; in the words of the one that comes nearest: it has block and depth, or the block at least.
    """
    errors: list[ValueError] = []
    for family in families:
        try:
            return Architecture.of(depth, widen_factor, block, family)
        except ValueError as error:
            errors.append(error)
    raise max(errors, key=_how_near)


def _how_near(error: ValueError) -> int:
    """What of a network a family has, that has not all of it: 2 for block and depth, 1 for the block, 0 for neither."""
    rules = ("block must", "depth must")
    return next((place for place, rule in enumerate(rules) if rule in str(error)), len(rules))


def exact_name(network: Architecture) -> str:
    """A name that `named_network` reads as the same network, to the last digit of the widening factor."""
    k = network.widen_factor
    short = f"{k:g}"
    name = network.named(short if float(short) == k and "e" not in short else f"{k!r}")
    if network.family != DEFAULT_FAMILY and named_network(name) != network:
        return f"{name}-{network.block}"
    return name
