"""What the paper claims of its tables, each as comparisons of two networks that anybody's results can repeat.

In our words; `where` says where the paper says so (arXiv 1605.07146 v4).
"""

from __future__ import annotations

from dataclasses import dataclass

from wrn_search.paper.claim_parts import (
    CIFAR,
    Part,
    against,
    deepest_against_shallowest,
    fixed,
    forty_against_less,
    pairs_of,
    widest_against_narrowest,
    with_dropout,
)


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        key: for programs.
        table: its number.
        says: in a few words.
        where: in the paper.
        datasets: of which it is said.
        parts: all of which must hold.
    """

    key: str
    table: int
    says: str
    where: str
    datasets: tuple[str, ...]
    parts: tuple[Part, ...]


def claims_of(table: int) -> tuple[Claim, ...]:
    """The claims on one table, in the paper's order."""
    return tuple(claim for claim in CLAIMS if claim.table == table)


_B33, _B31, _B13 = "WRN-28-2", "WRN-40-2-B(3,1)", "WRN-40-2-B(1,3)"
_B131, _B311, _B313 = "WRN-40-2-B(1,3,1)", "WRN-40-2-B(3,1,1)", "WRN-22-2-B(3,1,3)"
_L1, _L2, _L3, _L4 = "WRN-40-2-B(3)", "WRN-40-2", "WRN-40-2-B(3,3,3)", "WRN-40-2-B(3,3,3,3)"
_WRN50, _RESNET152 = "WRN-50-2-bottleneck", "WRN-152-1-bottleneck"
_THIN = "ResNet-1001"  # pre-activation, bottlenecks
_BLOCKS = "section 3, type of convolutions in a block; table 2"
_WIDTH = "section 3, width of residual blocks; table 4"
_THIN_AND_WIDE = "section 3, width of residual blocks; table 5"
_IMAGENET = "section 3, ImageNet and COCO experiments; table"
_DROPOUT = "section 3, dropout in residual blocks; table 6"

CLAIMS = (
    Claim(
        "b33_is_the_best_block",
        2,
        "B(3,3) is the best block by a little",
        _BLOCKS,
        ("cifar10",),
        (fixed("lower", *against(_B33, _B131, _B31, _B13, _B311, _B313)),),
    ),
    Claim(
        "b313_beats_b31",
        2,
        "B(3,1,3) beats B(3,1)",
        "table 2, which prints 5.78 % for both, with fewer parameters and seconds for B(3,1,3)",
        ("cifar10",),
        (fixed("lower", *against(_B313, _B31)),),
    ),
    Claim(
        "b31_and_b313_are_close_to_b33",
        2,
        "B(3,1) and B(3,1,3) are as good as B(3,3), with fewer parameters",
        _BLOCKS,
        ("cifar10",),
        (fixed("close", *pairs_of((_B31, _B33), (_B313, _B33))),),
    ),
    Claim(
        "b313_is_the_fastest_block",
        2,
        "B(3,1,3) trains faster than all other blocks",
        _BLOCKS,
        ("cifar10",),
        (fixed("faster", *against(_B313, _B131, _B31, _B13, _B311, _B33)),),
    ),
    Claim(
        "l_2_is_best",
        3,
        "l = 2 convolutions in a block are best",
        "section 3, number of convolutions per block; table 3",
        ("cifar10",),
        (fixed("lower", *against(_L2, _L1, _L3, _L4)),),
    ),
    Claim(
        "widening_helps_at_every_depth",
        4,
        "widening helps at every depth",
        _WIDTH,
        CIFAR,
        (
            Part(
                "lower",
                widest_against_narrowest,
                pairs_of(("WRN-16-10", "WRN-16-8"), ("WRN-22-10", "WRN-22-8"), ("WRN-40-8", "WRN-40-1")),
            ),
        ),
    ),
    Claim(
        "depth_16_to_28_helps",
        4,
        "depth 16 to 28 helps at k = 8 and k = 10",
        _WIDTH,
        CIFAR,
        (
            Part(
                "lower",
                deepest_against_shallowest,
                pairs_of(("WRN-22-8", "WRN-16-8"), ("WRN-28-10", "WRN-16-10")),
            ),
        ),
    ),
    Claim(
        "depth_28_to_40_does_not_help",
        4,
        "depth 28 to 40 at k = 8 does not help",
        _WIDTH + " (of WRN-40-8 and WRN-22-8; WRN-28-8 is not in the table)",
        CIFAR,
        (Part("not lower", forty_against_less, pairs_of(("WRN-40-8", "WRN-22-8"))),),
    ),
    Claim(
        "wrn_16_8_beats_resnet_1001",
        5,
        "a wide network of 16 layers beats a thin one of 1001",
        "abstract and section 1; table 5",
        CIFAR,
        (fixed("lower", *against("WRN-16-8", _THIN)),),
    ),
    Claim(
        "wrn_40_4_beats_resnet_1001",
        5,
        "WRN-40-4 beats ResNet-1001 with about as many parameters",
        _THIN_AND_WIDE,
        CIFAR,
        (fixed("lower", *against("WRN-40-4", _THIN)),),
    ),
    Claim(
        "wrn_28_10_beats_resnet_1001",
        5,
        "WRN-28-10 beats ResNet-1001 with 36 times fewer layers",
        _THIN_AND_WIDE,
        CIFAR,
        (fixed("lower", *against("WRN-28-10", _THIN)),),
    ),
    Claim(
        "wrn_40_4_trains_8_times_as_fast",
        5,
        "WRN-40-4 trains 8 times as fast as ResNet-1001 at its error",
        "section 3, computational efficiency; figure 4 (512 to 68 ms, which is 7.5 times)",
        CIFAR,
        (
            fixed("no worse", *against("WRN-40-4", _THIN)),
            fixed("faster", *against("WRN-40-4", _THIN), factor=7.5),
        ),
    ),
    Claim(
        "wrn_28_10_trains_1_6_times_as_fast",
        5,
        "WRN-28-10 trains 1.6 times as fast as ResNet-1001",
        "section 3, computational efficiency; figure 4 (512 to 312 ms)",
        CIFAR,
        (fixed("faster", *against("WRN-28-10", _THIN), factor=1.6),),
    ),
    Claim(
        "dropout_helps_on_cifar",
        6,
        "dropout helps on CIFAR",
        _DROPOUT + " (WRN-16-4 gets worse on CIFAR-10, the paper says)",
        CIFAR,
        (
            Part(
                "lower",
                with_dropout,
                tuple(((name, 0.3), (name, 0.0)) for name in ("WRN-28-10", "WRN-52-1")),
            ),
        ),
    ),
    Claim(
        "dropout_helps_on_svhn",
        6,
        "dropout helps on SVHN",
        _DROPOUT,
        ("svhn",),
        (
            fixed(
                "lower",
                *(((name, 0.4), (name, 0.0)) for name in ("WRN-16-4", "WRN-16-8", "WRN-52-1")),
            ),
        ),
    ),
    Claim(
        "widening_helps_on_imagenet",
        7,
        "widening helps at every depth on ImageNet",
        f"{_IMAGENET} 7",
        ("imagenet",),
        (
            Part(
                "lower",
                widest_against_narrowest,
                pairs_of(("WRN-18-3", "WRN-18-1"), ("WRN-34-2", "WRN-34-1")),
            ),
        ),
    ),
    Claim(
        "equal_parameters_equal_error_on_imagenet",
        7,
        "with about as many parameters, 18 and 34 layers have about the same error",
        f"{_IMAGENET} 7",
        ("imagenet",),
        (fixed("close", *pairs_of(("WRN-18-1.5", "WRN-34-1"), ("WRN-18-2", "WRN-34-1.5"))),),
    ),
    Claim(
        "wrn_50_2_beats_resnet_152",
        8,
        "WRN-50-2-bottleneck beats ResNet-152 with a third of its layers, and trains faster",
        f"{_IMAGENET} 8",
        ("imagenet",),
        (
            fixed("lower", *against(_WRN50, _RESNET152)),
            fixed("faster", *against(_WRN50, _RESNET152)),
        ),
    ),
)
