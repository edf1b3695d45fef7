"""The keys of `training` that change what is minimised and what a network sees of its images: none of the paper's."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wrn_search.space.domains import Domain
from wrn_search.space.rules.class_weights_rule import CLASS_WEIGHTS
from wrn_search.space.rules.key_rule import off_at
from wrn_search.space.rules.number_and_text_rules import real_number, whole_number
from wrn_search.space.sections.section import Section


class LossAndMixing(Section):
    """Label smoothing, mixup, CutMix, cutout and class weights; all of them are off where nobody writes them.

    Szegedy et al. (2016), arXiv 1512.00567, section 7; Zhang et al. (2018), arXiv 1710.09412; Yun et al. (2019),
    arXiv 1905.04899; DeVries & Taylor (2017), arXiv 1708.04552; King & Zeng (2001), Political Analysis 9 (2).
    """

    label_smoothing: Annotated[
        float | Domain,
        off_at("0", real_number(0, 1, below=True, searchable=True)),
        Field(
            description="share of each label that is spread evenly over all classes (Szegedy et al., 2016); 0 is off, "
            "0.1 is usual"
        ),
    ] = 0.0
    mixup: Annotated[
        float | Domain,
        off_at("0", real_number(0, 100, searchable=True)),
        Field(
            description="alpha: each image and its label are mixed with another's of the batch, in shares drawn from "
            "Beta(alpha, alpha) for each batch (Zhang et al., 2018); 0 is off. With cutmix too, each batch has one of "
            "the two, with equal chance"
        ),
    ] = 0.0
    cutmix: Annotated[
        float | Domain,
        off_at("0", real_number(0, 100, searchable=True)),
        Field(
            description="alpha: a rectangle of each image is another's of the batch, and labels are mixed by area; the "
            "area is drawn from Beta(alpha, alpha) for each batch (Yun et al., 2019); 0 is off, 1 is the paper's"
        ),
    ] = 0.0
    cutout: Annotated[
        int | Domain,
        off_at("0", whole_number(0, 1024, searchable=True)),
        Field(
            description="side in pixels of a square around a random pixel of each image that is 0 after the "
            "normalisation (DeVries & Taylor, 2017: 16 for CIFAR-10, 8 for CIFAR-100); 0 is off"
        ),
    ] = 0
    class_weights: Annotated[
        str | Domain,
        off_at("none", CLASS_WEIGHTS),
        Field(
            description="what the loss of an image counts by its class: none, all the same; balanced (auto is another "
            "word), each class as much as any other, whatever its number of images; or a weight for each class in "
            "their order, as [1, 2.5, 1]"
        ),
    ] = "none"
