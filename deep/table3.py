"""TRADES' Table 3 with both ends: how far apart the main bound's two sides are for trained networks, on a test set.

    python -m deep.table3
    python -m deep.table3 --data FOLDER --lam 2 3 4 5 --seeds 3 --save table3.json
    python -m deep.table3 --record table3.json --latex

On the empirical law of a test set without an image of two labels R*_nat = R*_phi = 0, so everything in

    Delta = R_phi(f) + E max phi(f(x') f(X) / lam) - R_rob(f)      (TRADES, Section 5.1)

is a property of the trained network. An attack sees the maximum from below and a certificate from above; Delta is in
between by `theory.trades.empirical`, and is never negative. ``attacked_gap`` is the number that a single attack on the
hinge would print: that attack stands still wherever f(x') f(x) > lam, so its Delta is neither a lower nor an upper end.

What is certified is the network as evaluated in float32, rounding errors included. ``accuracy`` is 1 - R_rob with the
confidence limits of Clopper and Pearson for the law that the test set was drawn from, wide enough for both ends.
"""

from __future__ import annotations

import math
import os
import sys
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from deep.attack import APGD, PGD, AttackWarning, Threat, attack
from deep.attack.losses import Surrogate
from deep.certify import margin_bounds
from deep.fit import Recipe, fit
from deep.images import Images, load
from deep.models import BUILDERS, build
from deep.objectives import method
from deep.objectives.method import outputs
from deep.scores import predicted, wrong
from deep.stream import Stream
from deep.surrogates import phi
from theory import cli
from theory.confidence import clopper_pearson
from theory.enclosure import Enclosure
from theory.record import Record
from theory.table import Table
from theory.trades.empirical import SampleGap, sample_gap

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure
    from torch import Tensor, nn

SCHEMA = "tightrope.table3/1"
METHODS = ("binary-trades", "margin-trades", "certified-trades")

PRINTED = {
    "2": ("99.43", "0.0006728", "0.006708"),
    "3": ("99.41", "0.0004067", "0.005914"),
    "4": ("99.37", "0.0003746", "0.006757"),
    "5": ("99.34", "0.0003430", "0.005860"),
}
"""The printed rows: lam -> (A_rob in percent, R_phi, Delta) (TRADES, Table 3)."""

LOCAL = ("save", "keep", "plot")
"""Options that say where things are put: no part of what a record records."""

COLUMNS = ("method", "lam", "seed", "R_phi", "R_nat", "R_rob", "adversarial", "Delta", "attacked_gap", "certificate")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained and how it is judged; `for_data` holds the settings for each kind of data."""

    eps: Fraction
    model: str
    epochs: int
    recipe: dict[str, Any]
    attack_steps: int
    step_size: float


def for_data(images: Images) -> Plan:
    """The paper's setting for images of 28 x 28, with the recipe of its public code; a small one for digits."""
    if images.shape == (1, 28, 28):
        return Plan(Fraction(1, 10), "net", 30, {"batch": 128, "lr": 0.01, "optimizer": "sgd"}, 20, 0.01)
    return Plan(Fraction(1, 10), "mlp", 40, {"batch": 32, "lr": 0.003, "optimizer": "adam"}, 10, 0.02)


# ---- one network ----


def two_sided(
    model: nn.Module, images: Images, *, eps: Fraction, lam: Fraction, surrogate: str = "hinge", steps: int = 40,
    seed: int = 0,
) -> tuple[SampleGap, dict[str, Any]]:  # fmt: skip
    """Both sides of the bound for a trained score on a test set, and what the single attack on phi would print.

    The margin attack (PGD with restarts, then APGD) looks for the least f(x') sign f(x), the certificate bounds it from
    below. Raises ``ValueError`` for a network with several outputs and for images with two labels.
    """
    check_one_label(images)
    x, y = images.batch(slice(0, len(images))), images.y
    z = torch.cat([outputs(model, x[i : i + 1000]) for i in range(0, len(x), 1000)])
    if z.shape[1] != 1:
        raise ValueError(f"the network has {z.shape[1]} outputs; Table 3 is of one score f(x)")
    own, radius, stream = predicted(z), float(eps), Stream(seed).child("table3")
    margin = PGD(steps, loss="margin", restarts=2, stop=False), APGD(steps, loss="margin")
    with warnings.catch_warnings():  # a margin has no dead zone; where f is constant, nothing is to be found
        warnings.simplefilter("ignore", AttackWarning)
        found = [attack(model, x, own, how, eps=radius, low=images.low, high=images.high, stream=stream)
                 for how in margin]  # fmt: skip
    sign = (2 * own - 1).double()
    seen = torch.stack([z[:, 0], *(result.outputs[:, 0] for result in found)]).double() * sign
    least = seen.amin(0)
    threat = Threat(radius, math.inf, images.low, images.high)
    certified = margin_bounds(model, x, own, threat, "crown-ibp", evaluation="float")
    f, labels = z[:, 0].double().tolist(), (2 * y - 1).tolist()
    # at f(x) = 0 both orders of the sign count: nothing is known of m but m <= 0
    low = [-math.inf if value == 0 else bound for value, bound in zip(f, certified.tolist(), strict=True)]
    gap = sample_gap(f, labels, low, least.tolist(), lam, surrogate)
    right, sure = ~wrong(z, y), certified > 0
    printed = _attacked_gap(model, x, z, y, lam, surrogate, threat, stream)
    vacuous = bool(right.any()) and not bool((right & sure).any())
    return gap, {"attacked_gap": printed, "vacuous": vacuous, "certified": int((right & sure).sum())}


def _attacked_gap(
    model: nn.Module, x: Tensor, z: Tensor, y: Tensor, lam: Fraction, surrogate: str, threat: Threat, stream: Stream
) -> Fraction:
    """Delta by one attack that ascends phi(f(x') f(x) / lam) from a point near x, as training does, in 20 steps."""
    from deep.attack.gradient import ascend
    from deep.purity import inner, untouched

    price, worst = Surrogate(phi(surrogate)), []
    with untouched(inner(model)) as net:
        for rows in torch.arange(len(x)).split(500):  # type: ignore[no-untyped-call]
            reach = ascend(
                net, x[rows], y[rows], price, threat, steps=20, step_size=2.5 * threat.eps / 20, start="normal",
                stream=stream.child("phi"), index=rows, z0=z[rows] / float(lam),
            )  # fmt: skip
            with torch.no_grad():
                worst.append(net(reach.x)[:, 0])
    f, f_moved, sign = z[:, 0].double(), torch.cat(worst).double(), (2 * y - 1).double()
    robust = (f * sign <= 0) | (f_moved * f <= 0)
    terms = phi(surrogate)(f * sign) + phi(surrogate)(f * f_moved / float(lam)) - robust.double()
    return Fraction(float(terms.mean()))


def check_one_label(images: Images) -> None:
    """Raises ``ValueError`` for an image that occurs with both labels: then R*_nat is not 0."""
    seen: dict[bytes, int] = {}
    for row, label in zip(images.x.flatten(1).numpy(), images.y.tolist(), strict=True):
        if seen.setdefault(row.tobytes(), label) != label:
            raise ValueError(f"{images.name} holds an image with two labels; Table 3 is for data with R*_nat = 0")


# ---- the experiment ----


def table3(
    train: Images, test: Images, *, methods: Sequence[str], lams: Sequence[Fraction], seeds: int, plan: Plan,
    surrogate: str = "hinge", jobs: int = 1, keep: Path | None = None,
    show: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Train a network for every method, lam and seed, and judge it: the data of a record.

    ``jobs`` processes share the networks; each is trained on one thread, so the answer does not depend on them. In the
    folder ``keep`` each network has a checkpoint, from which an interrupted call goes on.
    """
    from joblib import Parallel, delayed

    places = [(name, lam, seed) for name in methods for lam in lams for seed in range(seeds)]
    tasks = (delayed(_one)(train, test, place, plan, surrogate, keep) for place in places)
    rows = []
    for row in Parallel(n_jobs=jobs, return_as="generator")(tasks):
        rows.append(row)
        if show is not None:
            show(len(rows), len(places))
    settings = {"model": plan.model, "epochs": plan.epochs, **plan.recipe, "eps": plan.eps, "surrogate": surrogate,
                "attack_steps": plan.attack_steps, "step_size": plan.step_size, "seeds": seeds}  # fmt: skip
    return {
        "settings": settings,
        "train": {"name": train.name, "n": len(train), "digest": train.digest},
        "test": {"name": test.name, "n": len(test), "digest": test.digest},
        "rows": rows,
    }


def _one(
    train: Images, test: Images, place: tuple[str, Fraction, int], plan: Plan, surrogate: str, keep: Path | None
) -> dict[str, Any]:
    name, lam, seed = place
    folder = None if keep is None else keep / f"{name}-{lam.numerator}-{lam.denominator}-{seed}"
    options: dict[str, Any] = {"eps": float(plan.eps), "lam": float(lam), "surrogate": surrogate}
    if name != "certified-trades":
        options |= {"steps": plan.attack_steps, "step_size": plan.step_size}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = build(plan.model, shape=train.shape, outputs=1, seed=seed)
        recipe = Recipe(plan.epochs, seed=seed, **plan.recipe)
        done = fit(model, method(name, **options), train, recipe, folder=folder, progress=False)
        gap, extra = two_sided(model, test, eps=plan.eps, lam=lam, surrogate=surrogate, seed=seed)
    finally:
        torch.set_num_threads(threads)
    return _row(name, lam, seed, gap, extra, done.seconds)


def _row(name: str, lam: Fraction, seed: int, gap: SampleGap, extra: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {
        "method": name, "lam": lam, "seed": seed, "R_phi": gap.surrogate_risk, "R_nat": Fraction(gap.wrong, gap.n),
        "R_rob": gap.robust_risk, "adversarial": gap.adversarial, "Delta": gap.gap, "wrong": gap.wrong,
        "robust_errors": list(gap.robust_errors), **extra, "seconds": round(seconds, 1),
    }  # fmt: skip


# ---- what is printed ----


def rows_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a record's data, with enclosures again."""
    names = ("R_phi", "R_nat", "R_rob", "adversarial", "Delta")
    return [
        {**row, **{name: Enclosure.from_json(row[name]) for name in names}, "lam": Fraction(row["lam"]),
         "attacked_gap": Fraction(row["attacked_gap"])}
        for row in data["rows"]
    ]  # fmt: skip


def table(data: dict[str, Any]) -> Table:
    """A row for each network."""
    rows = [
        {"method": row["method"], "lam": row["lam"], "seed": row["seed"], "R_phi": _digits(row["R_phi"]),
         "R_nat": row["R_nat"], "R_rob": _digits(row["R_rob"]), "adversarial": _digits(row["adversarial"]),
         "Delta": _digits(row["Delta"]), "attacked_gap": _digits(Enclosure.exact(row["attacked_gap"])),
         "certificate": "vacuous" if row["vacuous"] else f"{row['certified']} of {data['test']['n']}"}
        for row in rows_of(data)
    ]  # fmt: skip
    test, settings = data["test"], data["settings"]
    title = f"TRADES, Table 3, both ends: {test['name']} ({test['n']} images), eps {settings['eps']}"
    return Table(COLUMNS, rows, title)


def _digits(value: Enclosure) -> str:
    """Five decimals, rounded outwards."""
    return format(value, ".5f")


def summary(data: dict[str, Any]) -> Table:
    """A row for each method and lam: the spread over seeds, and apart from it that of the test set."""
    rows, n = rows_of(data), data["test"]["n"]
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys(row["method"] for row in rows):
        for lam in sorted({row["lam"] for row in rows}):
            mine = [row for row in rows if row["method"] == name and row["lam"] == lam]
            if not mine:
                continue
            low, high = (sorted(row["robust_errors"][end] for row in mine) for end in (0, 1))
            ends = [clopper_pearson(count, n).lo if low_end else clopper_pearson(count, n).hi
                    for count, low_end in ((low[0], True), (high[-1], False))]  # fmt: skip
            printed = PRINTED.get(str(lam)) if n == 2145 else None
            found.append({
                "method": name, "lam": lam, "seeds": len(mine),
                "A_rob": _percent(1 - Enclosure(Fraction(low[0], n), Fraction(high[-1], n))),
                "A_rob_95%": _percent(1 - Enclosure(ends[0], ends[1])),
                "R_phi": _spread([row["R_phi"] for row in mine]), "Delta": _spread([row["Delta"] for row in mine]),
                "attacked_gap": _spread([Enclosure.exact(row["attacked_gap"]) for row in mine]),
                "paper_A_rob": printed[0] if printed else None, "paper_Delta": printed[2] if printed else None,
            })  # fmt: skip
    columns = list(found[0]) if found else []
    return Table(columns, found, "over seeds: from the least end to the greatest; A_rob_95% adds the test set's chance")


def _percent(value: Enclosure) -> str:
    return format(value * 100, ".2f")


def _spread(values: Sequence[Enclosure]) -> str:
    return _digits(Enclosure(min(v.lo for v in values), max(v.hi for v in values)))


def attainable(percent: str, n: int) -> bool:
    """Whether an accuracy printed with these decimals can be a count out of ``n``, rounded or cut off.

    >>> attainable("99.43", 2145), attainable("99.44", 2145), [attainable(row[0], 2145) for row in PRINTED.values()]
    (False, True, [False, False, False, True])
    """
    value, unit = Fraction(percent), Fraction(1, 10 ** len(percent.partition(".")[2]))
    rounded = math.floor((value + unit / 2) * n / 100) >= math.ceil((value - unit / 2) * n / 100)
    return rounded or math.ceil((value + unit) * n / 100) - 1 >= math.ceil(value * n / 100)


def printed_note(n: int) -> str:
    """What can be said of the paper's accuracies on a test set of so many images."""
    rows = [f"{row[0]} (lam {lam}) {'can' if attainable(row[0], n) else 'cannot'}" for lam, row in PRINTED.items()]
    return f"of the printed accuracies, {', '.join(rows)} be a count out of {n}"


def figure(data: dict[str, Any]) -> Figure:
    """Delta's interval of every network over lam, the attacked gap as a dot, and the paper's row as a line."""
    from matplotlib.figure import Figure

    rows = rows_of(data)
    names = list(dict.fromkeys(row["method"] for row in rows))
    made = Figure(figsize=(4.2 * len(names), 3.6), layout="constrained")
    panels = made.subplots(1, len(names), squeeze=False)[0]
    for panel, name in zip(panels, names, strict=True):
        mine = [row for row in rows if row["method"] == name]
        vacuous = False
        for row in mine:
            place = float(row["lam"]) + 0.12 * (row["seed"] - (data["settings"]["seeds"] - 1) / 2)
            low, high = float(row["Delta"].lo), float(row["Delta"].hi)
            vacuous = vacuous or row["vacuous"]
            panel.plot([place, place], [low, high], color="C0", linewidth=2.5, solid_capstyle="butt",
                       alpha=0.4 if row["vacuous"] else 1.0)  # fmt: skip
            panel.plot([place], [float(row["attacked_gap"])], ".", color="C1", markersize=6)
        if data["test"]["n"] == 2145:
            printed = [float(row[2]) for row in PRINTED.values()]
            panel.plot([float(lam) for lam in PRINTED], printed, "k_", markersize=14)
        panel.set_yscale("symlog", linthresh=1e-3)
        panel.set_ylim(bottom=0)
        panel.set_xlabel("lambda")
        panel.set_title(name + (" (pale: vacuous certificate)" if vacuous else ""), fontsize=10)
    panels[0].set_ylabel("Delta = right minus left side")
    handles = [panels[0].plot([], [], color="C0", linewidth=2.5)[0], panels[0].plot([], [], ".", color="C1")[0]]
    labels = ["Delta, attacked to certified", "Delta by one attack on phi"]
    if data["test"]["n"] == 2145:
        handles.append(panels[0].plot([], [], "k_", markersize=10)[0])
        labels.append("printed")
    made.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return made


# ---- the command ----


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m deep.table3``."""
    parser = cli.parser("deep.table3", __doc__ or "", "--lam 2 5 --seeds 1")
    parser.add_argument("--data", default="digits", metavar="digits|FOLDER", help="images (default digits, embedded)")
    parser.add_argument("--classes", nargs=2, type=cli.count_type("classes", 0), default=[1, 3], metavar="K",
                        help="the two labels, that of -1 first (default 1 3)")  # fmt: skip
    parser.add_argument("--lam", nargs="+", type=cli.fraction_type("lam", "(0, inf)"),
                        default=[Fraction(k) for k in (2, 3, 4, 5)], help="default 2 3 4 5")  # fmt: skip
    parser.add_argument("--seeds", type=cli.count_type("seeds"), default=3, help="networks for each lam (default 3)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["binary-trades", "certified-trades"],
                        help="binary-trades is the paper's (default: it and certified-trades)")  # fmt: skip
    parser.add_argument("--surrogate", default="hinge", metavar="LOSS", help="phi, a loss of theory (default hinge)")
    parser.add_argument("--eps", type=cli.radius_type("eps"), help="the radius (default 1/10)")
    parser.add_argument("--epochs", type=cli.count_type("epochs"), help="default 30 for 28 x 28 images, 40 for digits")
    parser.add_argument("--model", choices=BUILDERS, help="default net for 28 x 28 images, mlp for digits")
    parser.add_argument("--jobs", type=cli.count_type("jobs"), default=min(2, os.cpu_count() or 1), metavar="N",
                        help="processes that share the networks (default 2)")  # fmt: skip
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep checkpoints there, and go on from them")
    parser.add_argument("--record", metavar="FILE|mnist", help="print this record, or the one that ships; no training")
    parser.add_argument("--save", type=cli.output_type("save", (".json",)), metavar="FILE", help="write the record")
    parser.add_argument("--plot", type=cli.figure_type("plot"), metavar="FILE", help="draw Delta over lam")
    cli.add_output_options(parser)
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    shipped = {path.stem.removeprefix("table3-"): path for path in (Path(__file__).parent / "records").glob("table3-*")}
    record = Record.read(shipped.get(args.record, args.record), SCHEMA) if args.record else _trained(args)
    if args.save:
        record.write(args.save)
    if args.plot:
        cli.save_figure(figure(record.data), args.plot)
    if args.format == "text":
        sys.stdout.write(f"{table(record.data)}\n\n{summary(record.data)}\n\n{printed_note(2145)}\n")
    else:
        cli.emit(table(record.data), args, schema=SCHEMA)


def _trained(args: argparse.Namespace) -> Record:
    from dataclasses import replace

    train, test = (load(args.data, part).only(*args.classes) for part in ("train", "test"))
    phi(args.surrogate)
    plan = for_data(train)
    changes = {"eps": args.eps, "epochs": args.epochs, "model": args.model}
    plan = replace(plan, **{name: value for name, value in changes.items() if value is not None})
    with cli.steps("networks") as show:
        data = table3(
            train, test, methods=args.methods, lams=args.lam, seeds=args.seeds, plan=plan, surrogate=args.surrogate,
            jobs=args.jobs, keep=args.keep, show=show,
        )  # fmt: skip
    return Record.new(SCHEMA, data, command=cli.command(args, LOCAL), seeds={"first": 0, "count": args.seeds})


if __name__ == "__main__":
    raise SystemExit(main())
