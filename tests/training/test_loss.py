"""The loss against the sum over classes that its papers write down, and against torch's of soft labels."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from wrn_search.training.loss import Targets, loss_of_targets, training_loss, wrong_answers

CLASSES = 5
SCORES = torch.randn(8, CLASSES, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 3, 4, 0, 1, 2])
OTHERS = torch.tensor([1, 1, 0, 4, 2, 3, 0, 2])
WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 1.5, 0.25])


def smooth(labels: Tensor, smoothing: float) -> Tensor:
    """(B, classes): 1 - e for the class, and e / classes for each."""
    return (1 - smoothing) * F.one_hot(labels, CLASSES) + smoothing / CLASSES


def by_hand(share: float, smoothing: float, weights: Tensor | None) -> Tensor:
    """The mean over images of - sum over classes of label * log probability, each label times its class's weight."""
    weights = torch.ones(CLASSES) if weights is None else weights
    own = weights[LABELS, None] * smooth(LABELS, smoothing)
    other = weights[OTHERS, None] * smooth(OTHERS, smoothing)
    return -((share * own + (1 - share) * other) * SCORES.log_softmax(1)).sum(1).mean()


@pytest.mark.parametrize("share", [1.0, 0.7, 0.2])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_it_is_the_cross_entropy_with_mixed_labels(
    share: float, smoothing: float, weights: Tensor | None
) -> None:
    ours = loss_of_targets(SCORES, Targets(LABELS, OTHERS, share), smoothing, weights)
    torch.testing.assert_close(ours, by_hand(share, smoothing, weights))


@pytest.mark.parametrize("share", [0.7, 0.2])
def test_unweighted_it_is_torchs_of_the_mixed_label(share: float) -> None:
    soft = share * smooth(LABELS, 0.0) + (1 - share) * smooth(OTHERS, 0.0)
    ours = loss_of_targets(SCORES, Targets(LABELS, OTHERS, share), 0.1)
    torch.testing.assert_close(ours, F.cross_entropy(SCORES, soft, label_smoothing=0.1))


def test_where_nothing_is_asked_for_it_is_the_papers_to_the_bit() -> None:
    assert torch.equal(loss_of_targets(SCORES, Targets(LABELS)), training_loss(SCORES, LABELS))


def test_equal_weights_change_nothing() -> None:
    ours = loss_of_targets(SCORES, Targets(LABELS), 0.0, torch.ones(CLASSES))
    torch.testing.assert_close(ours, training_loss(SCORES, LABELS))


@pytest.mark.parametrize(("share", "right"), [(1.0, LABELS), (0.5, LABELS), (0.49, OTHERS)])
def test_the_right_answer_to_a_mixture_is_the_larger_share(share: float, right: Tensor) -> None:
    targets = Targets(LABELS, OTHERS, share)
    assert torch.equal(targets.larger, right)
    assert int(wrong_answers(F.one_hot(right, CLASSES), targets.larger)) == 0
    assert len(targets) == 8
    assert torch.equal(Targets(LABELS).larger, LABELS)
