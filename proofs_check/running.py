"""Many claims at once: verdicts as rows, over several processes, as they come.

The processes are joblib's, so an application that runs under ``joblib.parallel_config`` with a Dask or Ray backend
carries them to its cluster. What is found depends on the budget and the seed, not on how many processes there are.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from proofs_check.core import Budget
from proofs_check.discovery import BUDGET, check_all, find, registry
from proofs_check.results import Row, row
from theory import cli

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    from proofs_check.core import Claim
    from theory.record import Record


def results(
    items: Sequence[Claim],
    budget: int = BUDGET,
    seed: int = 0,
    jobs: int | None = None,
    records: Mapping[str, Record] | None = None,
) -> Iterator[Row]:
    """The verdicts on registered claims as rows, each once, in no certain order if there is more than one process.

    ``jobs`` as in joblib: None is one process, or what ``joblib.parallel_config`` says. A claim and its repair are
    checked by the same process, so that neither is checked twice. Raises as `check_all` does.
    """
    if budget < 1:
        raise ValueError(f"budget {budget} is not positive; a check may spend at least one case")
    bound = [item for item in items if item.reads or item.prove is None]  # these take no time
    for item, verdict in zip(bound, check_all(bound, budget, records=records), strict=True):
        yield row(item, verdict)
    units = _units([item for item in items if item not in bound])
    for rows in in_parallel(_unit, [(unit, budget, seed) for unit in units], jobs):
        yield from rows


def in_parallel(
    task: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], jobs: int | None, *, ordered: bool = False
) -> Iterator[Any]:
    """task(*a) for each of the arguments, as they are finished, by joblib."""
    from joblib import Parallel, delayed

    way = "generator" if ordered else "generator_unordered"
    pool = Parallel(n_jobs=jobs, return_as=way, batch_size=1)
    found = pool(delayed(_at_work)(os.getpid(), task, *these) for these in arguments)
    try:
        for answer in found:  # noqa: UP028 - `yield from` would close the pool before we can
            yield answer
    finally:
        with warnings.catch_warnings():  # what is not asked for any more is given up, as it should be
            warnings.simplefilter("ignore", UserWarning)
            found.close()


@contextmanager
def interruptible() -> Iterator[None]:
    """See to it that Ctrl-C is heard in a search.

    Hypothesis times the garbage collector by a callback, and Python prints and drops what such a callback raises, a
    KeyboardInterrupt too; so one that falls there is raised again a moment later.
    """
    import signal
    import threading

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_name == "gc_callback":
            threading.Timer(0.01, signal.raise_signal, [number]).start()
        else:
            signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _at_work(asked_by: int, task: Callable[..., Any], *arguments: Any) -> Any:
    """The task; in a process of its own it leaves Ctrl-C to the one that asked, which then ends this one."""
    import signal
    import threading

    if os.getpid() != asked_by and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return task(*arguments)


def _units(items: Sequence[Claim]) -> list[list[str]]:
    """The keys of the claims, each together with its repair if that is asked for too."""
    keys = {item.key for item in items}
    claims = registry()
    units = []
    for item in items:
        if item.repairs in keys:
            continue  # it comes with the claim that it repairs
        unit = [item.key]
        while (after := claims[unit[-1]].amendment) and after in keys:
            unit.append(after)
        units.append(unit)
    return units


def _unit(keys: Sequence[str], budget: int, seed: int) -> list[Row]:
    import time

    claims = registry()
    items = [find(key, claims) for key in keys]
    rows = []
    start = time.process_time()
    for item, verdict in zip(items, check_all(items, Budget(budget, seed), claims), strict=True):
        now = time.process_time()
        rows.append({**row(item, verdict), "seconds": round(now - start, 3)})
        start = now
    return rows


# ---- options ----


def add_effort(parser: argparse.ArgumentParser) -> None:
    """The options --budget, --seed and --jobs."""
    parser.add_argument("--budget", type=cli.count_type("budget"), default=BUDGET, help="random cases for a claim")
    parser.add_argument("--seed", type=cli.count_type("seed", 0), default=0, help="the seed of all searches")
    add_jobs(parser)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """The option --jobs."""
    parser.add_argument("--jobs", type=cli.count_type("jobs"), help="processes (default: one, or as joblib is set)")
