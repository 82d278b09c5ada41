"""Training several networks of one kind at once, each on a sample of its own: the runs that differ by seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import torch

from deep.fit import Recipe, fit
from deep.objectives import METHODS, method
from deep.stack import Stack
from deep.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from deep.images import Images
    from deep.objectives import Batch, Method


@dataclass(frozen=True, slots=True, eq=False)
class OwnSamples:
    """A method for a stack of R networks, run r on the sample ``x[r]`` [N, ...], ``y[r]`` [N] (one of R x N in all)."""

    method: Method
    x: Tensor
    y: Tensor

    @property
    def name(self) -> str:
        return self.method.name

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Any:
        return self.method.prepare(model, images, stream)

    def loss(self, model: nn.Module, batch: Batch, state: Any) -> tuple[Tensor, dict[str, Tensor]]:
        place = batch.index.reshape(len(self.x), -1)
        run = torch.arange(len(self.x), device=place.device)[:, None]
        own = replace(batch, x=self.x[run, place].flatten(0, 1), y=self.y[run, place].flatten())
        return self.method.loss(model, own, state)


def chosen(name: str, **options: Any) -> Method:
    """The method of that name with those of the options that it has: eps, steps of its attack, lam and so on.

    >>> chosen("natural", eps=0.1, steps=5).name, chosen("pgd-at", eps=0.1, steps=5, lam=1.0)
    ('natural', PGDAT(eps=0.1, steps=5, step_size=0.05, ord=inf, name='pgd-at'))
    """
    if name not in METHODS:
        return method(name)  # which says what is allowed
    kind, fixed = METHODS[name]
    known = {field.name for field in fields(kind)} - set(fixed)
    return method(name, **{key: value for key, value in options.items() if key in known})


def train(
    build: Callable[[int], nn.Module],
    chosen_method: Method,
    samples: Sequence[Images],
    seeds: Sequence[int],
    recipe: Recipe,
    steps: Sequence[int],
) -> dict[int, list[nn.Module]]:
    """Networks ``build(seed)``, one a sample, as they are after about each of these numbers of steps.

    The keys are the numbers of steps that were taken: whole epochs. A stack where the method allows one, else one after
    the other. Raises ``ValueError`` for samples of different sizes, and as `deep.fit.fit` does.
    """
    sizes = {len(images) for images in samples}
    if len(sizes) != 1 or len(samples) != len(seeds):
        raise ValueError(f"samples of sizes {sorted(sizes)} for {len(seeds)} seeds do not fit; allowed is one size")
    length = math.ceil(len(samples[0]) / recipe.batch)
    marks = {max(1, math.ceil(k / length)) for k in steps}
    models = [build(seed) for seed in seeds]
    recipe = replace(recipe, epochs=max(marks))
    found: dict[int, list[nn.Module]] = {mark * length: [] for mark in sorted(marks)}

    def keep(epoch: int, model: nn.Module) -> None:
        if epoch + 1 in marks:
            found[(epoch + 1) * length] += [one.eval() for one in (model.split() if isinstance(model, Stack) else
                                                                   [_copy(model)])]  # fmt: skip

    stack = Stack(models)
    if len(models) > 1 and _stacks(chosen_method, stack, samples[0]):
        x, y = (torch.stack(parts) for parts in zip(*((images.batch(slice(None)), images.y) for images in samples),
                                                     strict=True))  # fmt: skip
        own = OwnSamples(chosen_method, x, y)
        fit(stack, own, samples[0], replace(recipe, seed=tuple(seeds)), on_epoch=keep)
    else:
        for model, images, seed in zip(models, samples, seeds, strict=True):
            fit(model, chosen_method, images, replace(recipe, seed=seed), on_epoch=keep)
    return found


def _copy(model: nn.Module) -> nn.Module:
    import copy

    return copy.deepcopy(model)


def _stacks(chosen_method: Method, stack: Stack, images: Images) -> bool:
    """Whether the method takes a stack: some remember samples, and some look at a batch as one whole and say so."""
    try:
        return not chosen_method.prepare(stack, images, Stream(0)).per_sample
    except ValueError:
        return False
