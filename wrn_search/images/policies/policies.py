"""Policies: which operations images get, drawn for each of them, and done to those of a batch that drew the same.

- `trivial`: one operation out of 14, at one of 31 strengths, all drawn evenly: TrivialAugment (Müller & Hutter, 2021,
  arXiv 2103.10158) with its wide ranges.
- `randaugment`: two operations out of the same 14 in a row, both at strength 9 of 0 to 30 in narrower ranges:
  RandAugment (Cubuk et al., 2020, arXiv 1909.13719), with the two numbers and the ranges that torchvision has.
- `color_jitter`: brightness, contrast and colour in random order by factors of 0.6 to 1.4, as fb.resnet.torch changes
  them, with which the authors trained on ImageNet.

They come after crop and flip and before the normalisation, on images of 8 bits a channel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from wrn_search.images.policies import image_operations as operation

# In the order of torchvision's tables.
OPERATIONS = (
    *("identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate"),
    *("brightness", "colour", "contrast", "sharpness"),
    *("posterize", "solarize", "autocontrast", "equalize"),
)
STRENGTHS = 31
_MOVES = OPERATIONS[1:6]
# What is done in one go: all that moves pixels, by a matrix for each image; any other operation, by its strengths.
_DONE: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    operation.moved,
    operation.brightness,
    operation.colour,
    operation.contrast,
    operation.sharpness,
    operation.posterize,
    operation.solarize,
    operation.autocontrast,
    operation.equalize,
)
_NOTHING = len(_DONE)
_GO_OF = torch.tensor([_NOTHING, *([0] * len(_MOVES)), *range(1, len(_DONE))])  # of each of `OPERATIONS`
_SIGNED = torch.tensor(
    [name in (*_MOVES, "brightness", "colour", "contrast", "sharpness") for name in OPERATIONS]
)
_JITTERED = torch.tensor([OPERATIONS.index(name) for name in ("brightness", "contrast", "colour")])
_JITTER = 0.4
_RANDAUGMENT_OPERATIONS, _RANDAUGMENT_STRENGTH = 2, 9


@dataclass(frozen=True)
class Drawn:
    """Operations in a row of each image: indices into `OPERATIONS` and strengths, (rounds, steps, B)."""

    operations: Tensor  # int64
    strengths: Tensor  # float32: pixels, degrees, levels, or what is added to a factor of 1


def _trivial(steps: int, batch_size: int, sides: tuple[int, int], generator: torch.Generator) -> Drawn:
    shape = (1, steps, batch_size)
    operations = torch.randint(len(OPERATIONS), shape, generator=generator)
    return _at(
        operations, torch.randint(STRENGTHS, shape, generator=generator), trivial_strengths(sides), generator
    )


def _randaugment(steps: int, batch_size: int, sides: tuple[int, int], generator: torch.Generator) -> Drawn:
    shape = (_RANDAUGMENT_OPERATIONS, steps, batch_size)
    operations = torch.randint(len(OPERATIONS), shape, generator=generator)
    strengths = torch.full(shape, _RANDAUGMENT_STRENGTH)
    return _at(operations, strengths, randaugment_strengths(sides), generator)


def _color_jitter(steps: int, batch_size: int, sides: tuple[int, int], generator: torch.Generator) -> Drawn:
    shape = (len(_JITTERED), steps, batch_size)
    order = torch.rand(shape, generator=generator).argsort(dim=0)
    strengths = torch.rand(shape, generator=generator).mul_(2 * _JITTER).sub_(_JITTER)
    return Drawn(_JITTERED[order], strengths)


POLICIES: dict[str, Callable[[int, int, tuple[int, int], torch.Generator], Drawn]] = {
    "trivial": _trivial,
    "randaugment": _randaugment,
    "color_jitter": _color_jitter,
}


def trivial_strengths(sides: tuple[int, int]) -> Tensor:
    """(14, 31): of each operation at each strength, before its sign; `sides` are height and width in pixels.

    Translations of at most 32 pixels as published, and of at most the side where that is shorter.
    """
    return _table(0.99, [min(32.0, side) for side in sides], 135.0, 0.99, lost_bits=6)


def randaugment_strengths(sides: tuple[int, int]) -> Tensor:
    """(14, 31): of each operation at each strength, before its sign; `sides` are height and width in pixels."""
    return _table(0.3, [150.0 / 331.0 * side for side in sides], 30.0, 0.9, lost_bits=4)


def _table(shear: float, translations: list[float], degrees: float, factor: float, lost_bits: int) -> Tensor:
    none, steps = torch.zeros(STRENGTHS), torch.arange(STRENGTHS)
    down, across = (torch.linspace(0, most, STRENGTHS).trunc() for most in translations)  # whole pixels
    sheared, factors = torch.linspace(0, shear, STRENGTHS), torch.linspace(0, factor, STRENGTHS)
    bits = 8 - (steps / ((STRENGTHS - 1) / lost_bits)).round()
    moves = (sheared, sheared, across, down, torch.linspace(0, degrees, STRENGTHS))
    levels = 255 * torch.linspace(1, 0, STRENGTHS)
    return torch.stack([none, *moves, *([factors] * 4), bits, levels, none, none])


def _at(operations: Tensor, steps: Tensor, table: Tensor, generator: torch.Generator) -> Drawn:
    """The strengths at these places of a table, those that have a sign negated with p = 0.5."""
    negated = torch.randint(2, operations.shape, generator=generator).bool() & _SIGNED[operations]
    strengths = table[operations, steps]
    return Drawn(operations, torch.where(negated, -strengths, strengths))


class PolicyOfAnEpoch:
    """What a policy does to the batches of one epoch. All its draws are made here and now.

    Args:
        name: of `POLICIES`.
        sizes: images of each batch, equal but for the last one, which may be smaller.
        sides: height and width.
        generator: a CPU generator; nothing else is drawn from.
        device: where the images are.
        together: batches that are worked on in one go; what comes out is the same.
    """

    def __init__(
        self,
        name: str,
        sizes: list[int],
        sides: tuple[int, int],
        generator: torch.Generator,
        device: torch.device,
        *,
        together: int = 1,
    ) -> None:
        self._together = together
        batch_size = sizes[0]
        drawn = POLICIES[name](len(sizes), batch_size, sides, generator)
        goes, strengths = _GO_OF[drawn.operations], drawn.strengths
        goes[:, -1, sizes[-1] :] = _NOTHING  # drawn for whole batches, also where the last one is smaller
        matrices = source_matrices(drawn.operations, strengths, sides)
        goes, strengths, matrices = (
            self._in_goes(values, batch_size) for values in (goes, strengths, matrices)
        )
        # The images of a go, those with the same operation side by side; slices of them need no look at the device.
        order = goes.argsort(dim=2, stable=True)
        counts = [(goes == go).sum(2) for go in range(len(_DONE))]
        self._counts = torch.stack(counts, dim=2).tolist()  # [round][chunk][go]
        self._order = order.to(device)
        self._strengths = strengths.gather(2, order).to(device)
        self._matrices = matrices.gather(2, order[..., None].expand_as(matrices)).to(device)

    def applied(self, batches: Iterator[Tensor]) -> Iterator[Tensor]:
        """(B, H, W, C) uint8 batches of the epoch, in their order, with the operations done to them."""
        for chunk in itertools.count():
            parts = list(itertools.islice(batches, self._together))
            if not parts:
                return
            images = torch.cat(parts) if len(parts) > 1 else parts[0]
            self._apply(images, chunk)
            yield from torch.split(images, [len(part) for part in parts])

    def _apply(self, images: Tensor, chunk: int) -> None:
        for number, counts in enumerate(self._counts):
            start = 0
            for go, count in enumerate(counts[chunk]):
                if not count:
                    continue
                own = slice(start, start + count)
                start += count
                which = self._order[number, chunk, own]
                values = (self._strengths if go else self._matrices)[number, chunk, own]
                images.index_copy_(
                    0, which, _DONE[go](images[which], values.view(-1, 2, 3) if go == 0 else values)
                )

    def _in_goes(self, values: Tensor, batch_size: int) -> Tensor:
        """(rounds, steps, B, ...) -> (rounds, chunks, together * B, ...), filled up with `_NOTHING` where steps end."""
        rounds, steps = values.shape[:2]
        missing = -steps % self._together
        if missing:
            rest = values.new_full((rounds, missing, *values.shape[2:]), _NOTHING)
            values = torch.cat([values, rest], dim=1)
        return values.reshape(rounds, -1, self._together * batch_size, *values.shape[3:])


def source_matrices(operations: Tensor, strengths: Tensor, sides: tuple[int, int]) -> Tensor:
    """(..., 6), rows of 2x3: where each pixel of a moved image comes from (`image_operations.moved`).

    Shears keep the upper left corner where it is, rotations by degrees against the clock keep the middle.
    """
    height, width = sides
    zero = torch.zeros_like(strengths)

    def of(name: str) -> Tensor:
        return torch.where(operations == OPERATIONS.index(name), strengths, zero)

    angle = of("rotate") * (math.pi / 180)
    cosine, sine = angle.cos(), angle.sin()
    rows = [
        cosine,
        of("shear_x") - sine,
        (width * (1 - cosine) + height * sine) / 2 - of("translate_x"),
        of("shear_y") + sine,
        cosine,
        (height * (1 - cosine) - width * sine) / 2 - of("translate_y"),
    ]
    return torch.stack(rows, dim=-1)
