"""The families of networks, a line each: `model.family` is one of these names."""

from __future__ import annotations

from wrn_search.networks.families.family import Family
from wrn_search.networks.families.for_imagenet import IMAGENET_RESNET
from wrn_search.networks.families.thin_preactivation import PREACT_RESNET
from wrn_search.networks.families.wide import WRN

DEFAULT_FAMILY = "wrn"
# A name that several families read is that of the first one.
FAMILIES: dict[str, Family] = {
    DEFAULT_FAMILY: WRN,
    "preact_resnet": PREACT_RESNET,
    "imagenet_resnet": IMAGENET_RESNET,
}
