"""What a trained network truly does, against simulation, attacks, certificates and coarser enclosures."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from deep.bridge.__main__ import main
from deep.bridge.bound import network_bounds, surrogate_risk
from deep.bridge.cells import margins_on_cells
from deep.bridge.experiment import misses
from deep.bridge.laws import box_setting
from deep.bridge.margins import OTHER, Bin, expectation, margin_law
from deep.bridge.networks import relu_network
from deep.bridge.pieces import linear_pieces
from deep.bridge.prices import adversarial_surrogate, prices
from deep.bridge.records import from_text, read_rows, to_text, written_rows
from deep.bridge.simulation import simulate
from deep.bridge.training import OwnSamples, chosen, train
from deep.fit import Recipe, fit
from deep.models import build
from deep.stack import Stack
from theory import Ball, BoxDistribution, Enclosure
from theory.bounds import excess_robust_risk_bound
from theory.confidence import hoeffding
from theory.loss import LOSSES
from theory.relu import ReluNetwork, network_risks
from theory.relu.lines import value
from theory.scores import Score
from toy import cheese, halves, stripes

F = Fraction
EPS = Ball("1/10")
UNIT = ((F(0), F(1)), (F(0), F(1)))
MONOTONE = [name for name, loss in LOSSES.items() if loss.non_increasing]


def random_network(widths: tuple[int, ...], seed: int, scale: float = 1.5) -> ReluNetwork:
    """Random float32 weights, the score about 0 somewhere in the middle of the square."""
    rng = np.random.default_rng(seed)
    layers = [
        ((rng.normal(size=(b, a)) * scale / np.sqrt(a)).astype(np.float32), rng.normal(size=b).astype(np.float32) / 2)
        for a, b in pairwise(widths)
    ]
    middle = np.median(ReluNetwork(layers).score(rng.random((500, widths[0]))))
    layers[-1] = (layers[-1][0], layers[-1][1] - np.float32(middle))
    return ReluNetwork(layers)


def module(network: ReluNetwork) -> nn.Sequential:
    """The same network in torch."""
    parts: list[nn.Module] = [nn.Flatten()]
    for weight, bias in network.layers:
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
        parts += [layer, nn.ReLU()]
    return nn.Sequential(*parts[:-1]).eval()


# ---- linear pieces ----


def test_pieces_tile_the_window_and_carry_the_score() -> None:
    network = random_network((2, 8, 8, 1), 0)
    area = F(0)
    for tile, row, scale in linear_pieces(network, UNIT):
        corners = [(F(p[0], p[2]), F(p[1], p[2])) for p, _ in tile]
        pairs = zip(corners, corners[1:] + corners[:1], strict=True)
        area += sum((p[0] * q[1] - q[0] * p[1] for p, q in pairs), F(0)) / 2
        inner = tuple(sum((c[k] for c in corners), F(0)) / len(corners) for k in (0, 1))
        for place, p in [*zip(corners, (p for p, _ in tile), strict=True)][:3]:
            assert F(value(row, p), p[2] * 2**scale) == network.exact_score(place)
        assert (row[0] * inner[0] + row[1] * inner[1] + row[2]) / 2**scale == network.exact_score(inner)
    assert area == 1


def test_too_many_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 10 linear pieces"):
        list(linear_pieces(random_network((2, 16, 1), 1), UNIT, 10))
    with pytest.raises(ValueError, match="3 inputs"):
        list(linear_pieces(random_network((3, 4, 1), 1), UNIT))


# ---- surrogate risks ----


@pytest.mark.parametrize("name", MONOTONE)
def test_surrogate_risks_meet_their_simulation(name: str) -> None:
    network, law, phi = random_network((2, 8, 8, 1), 2), cheese.distribution(), LOSSES[name]
    found = surrogate_risk(network, law, name)
    x, y = law.sample(20_000, np.random.default_rng(0))
    seen = np.array([float(v) for v in phi.phi(network.score(x) * y)])
    top = F(float(seen.max()) * 1.01 + 1)
    limits = hoeffding(F(float(seen.mean())), len(seen), "1/1000000", (0, top))
    assert limits.overlaps(found)
    # a bin's width times the steepest slope, where phi bends both ways
    assert found.width <= (F(1, 100) if phi.convex else 2 * OTHER)
    if name in ("hinge", "ramp", "step", "asymmetric_hinge"):
        assert found.width <= F(1, 10**29)


def test_a_surrogate_risk_by_hand() -> None:
    # f = 4 x - 2 on halves of prior 1/2: hinge is 1 - 4 |x - 1/2| for |x - 1/2| < 1/4, so its mean is 1/4
    steep = ReluNetwork([([[4.0, 0.0]], [-2.0])])
    assert surrogate_risk(steep, halves.distribution("1/2"), "hinge").fraction == F(1, 4)
    # squared: the mean of (1 - 4t)^2 over t in (0, 1/4), times 1/2
    squared = surrogate_risk(steep, halves.distribution("1/2"), "squared_hinge")
    assert squared.contains(F(1, 6))
    assert squared.width < F(1, 1000)


def test_a_score_that_is_constant_somewhere_has_atoms() -> None:
    flat = ReluNetwork([([[1.0, 0.0]], [-0.5]), ([[2.0]], [-0.25])])  # -1/4 left of 1/2, then rising
    law = halves.distribution("1/2")
    bins = margin_law(flat, law, "step")
    atoms = {part.lo: part.mass for part in bins if part.lo == part.hi}
    assert atoms == {F(1, 4): F(1, 2)}
    assert sum(part.mass for part in bins) == 1
    assert expectation("step", bins).fraction == surrogate_risk(flat, law, "step").fraction == 2 * F(1, 8)


def test_exact_margins_lie_between_those_of_cells() -> None:
    network, law = random_network((2, 8, 8, 1), 3), cheese.distribution(restricted=True)
    for name in ("hinge", "logistic", "sigmoid"):
        exact = surrogate_risk(network, law, name)
        least, most = margins_on_cells(network, law, name, 7)
        coarse = surrogate_risk(network, law, name, max_tiles=3, depth=7)
        assert coarse.lo >= expectation(name, least).lo - F(1, 10**20)
        assert expectation(name, most).hi <= coarse.hi + F(1, 10**20)
        assert coarse.lo <= exact.lo <= exact.hi <= coarse.hi
        assert coarse.width > exact.width


def test_on_the_line_margins_are_those_of_the_plane() -> None:
    network, law = random_network((1, 6, 6, 1), 4), stripes.distribution("1/4")
    (weight, bias), *rest = network.layers
    wide = ReluNetwork([(np.column_stack([weight, np.zeros(len(weight))]), bias), *rest])
    square = BoxDistribution.of_masses(
        {y: [((side[0], (0, 1)), F(1, 4)) for side in d.support.cells()] for y, d in law.densities.items()},
        [(0, 1), (0, 1)],
    )
    assert surrogate_risk(network, law, "hinge").same_as(surrogate_risk(wide, square, "hinge"))
    one, two = (adversarial_surrogate(prices(f, d, EPS, 6), "hinge") for f, d in ((network, law), (wide, square)))
    assert one.overlaps(two)


def test_expectations_refuse_losses_that_rise() -> None:
    with pytest.raises(ValueError, match="dipping_hinge"):
        expectation("dipping_hinge", [Bin(F(0), F(1), F(1), F(1, 2))])


# ---- the adversary's price ----


@pytest.mark.parametrize("name", ["hinge", "logistic", "ramp", "sigmoid"])
@pytest.mark.parametrize("lam", ["1/2", "1/3"])
def test_prices_meet_an_attack_by_a_grid(name: str, lam: str) -> None:
    network, law, phi = random_network((2, 8, 8, 1), 5), cheese.distribution(), LOSSES[name]
    found = adversarial_surrogate(prices(network, law, EPS, 7), name, lam)
    finer = adversarial_surrogate(prices(network, law, EPS, 8), name, lam)
    assert finer.overlaps(found)
    assert finer.width < found.width
    x, _ = law.sample(4000, np.random.default_rng(1))
    score = network.score(x)
    worst = np.min([score * network.score(np.clip(x + step, 0, 1)) for step in _grid(0.1)], axis=0)
    seen = np.array([float(v) for v in phi.phi(worst / float(F(lam)))])
    limits = hoeffding(F(float(seen.mean())), len(seen), "1/1000000", (0, F(float(seen.max())) + 1), side="lower")
    assert limits.lo <= found.hi  # the attack, below the truth, below the upper end
    assert float(seen.mean()) > float(found.lo) - 0.1  # and not far below it


def _grid(eps: float) -> np.ndarray:
    axis = np.linspace(-eps, eps, 11)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def test_prices_of_a_linear_score_by_hand() -> None:
    # f = x - 1/2: min f f' is |f| (|f| - eps) inside, so the hinge's mean with lam = 1 is 1 - 2 int_0^(1/2) t (t - eps)
    line = ReluNetwork([([[1.0, 0.0]], [-0.5])])
    found = adversarial_surrogate(prices(line, halves.distribution(), EPS, 9), "hinge")
    assert found.contains(1 - 2 * (F(1, 24) - F(1, 10) * F(1, 8)))
    assert found.width < F(1, 200)
    still = adversarial_surrogate(prices(line, halves.distribution(), Ball(0), 9), "hinge")
    assert still.contains(1 - F(1, 12))


def test_the_walls_of_the_domain_stop_the_adversary() -> None:
    rising = ReluNetwork([([[1.0, 0.0]], [-0.25])])  # least at the left wall
    law = BoxDistribution.of_masses({-1: [([(0, 1), (0, 1)], F(1, 2))], 1: [([(0, 1), (0, 1)], F(1, 2))]}, [(0, 1)] * 2)
    found = adversarial_surrogate(prices(rising, law, Ball(1), 9), "hinge")
    # every ball is the square: f > 0 pays with the least score -1/4, f < 0 with the largest 3/4
    assert found.contains(1 + F(1, 4) * F(9, 32) + F(3, 4) * F(1, 32))


def test_prices_refuse_what_they_do_not_cover() -> None:
    network, law = random_network((2, 4, 1), 6), cheese.distribution()
    with pytest.raises(ValueError, match="l-infinity"):
        prices(network, law, Ball("1/10", ord=2))
    with pytest.raises(ValueError, match="depth 13"):
        prices(network, law, EPS, 13)
    with pytest.raises(ValueError, match="lam 0"):
        adversarial_surrogate(prices(network, law, EPS, 3), "hinge", 0)


# ---- both sides ----


@pytest.mark.parametrize("seed", range(2))
def test_the_theorem_holds_and_the_sharper_bound_is_one(seed: int) -> None:
    network, law = random_network((2, 8, 8, 1), seed + 10, scale=2.5), cheese.distribution()
    risks = network_risks(network, law, EPS)
    for report in network_bounds(network, law, EPS, risks, ["hinge", "logistic", "sigmoid"], "1/4", depth=7).values():
        assert report.gap.lo >= 0
        assert report.terms["sharper"].hi >= report.lhs.lo
        assert report.terms["sharper"].lo <= report.terms["psi_inverse"].hi + report.terms["boundary_probability"].hi
        assert report.terms["boundary_probability"].lo >= report.terms["boundary_risk"].hi - F(1, 10**20)


def test_bounds_of_a_step_like_network_are_those_of_its_indicator() -> None:
    # so steep that the score is beyond 1 in size but on a strip of width 2^-19
    steep = ReluNetwork([([[2.0**20, 0.0]], [-(2.0**19) * 0.875])])
    law = halves.distribution()
    risks = network_risks(steep, law, EPS)
    ours = network_bounds(steep, law, EPS, risks, ["ramp"], "1/1000", depth=8)["ramp"]
    indicator = excess_robust_risk_bound(Score.indicator(risks.classifier), law, EPS, "ramp", "1/1000")
    assert ours.lhs.same_as(indicator.lhs)
    for name in ("boundary_probability", "boundary_risk", "bayes_risk"):
        assert ours.terms[name].same_as(indicator.terms[name])
    for name in ("surrogate_risk", "adversarial", "sharper"):
        assert abs(float(ours.terms[name].lo - indicator.terms[name].hi)) < 0.02


def test_the_boundary_probability_is_enclosed_for_large_networks_too() -> None:
    network, law = random_network((2, 8, 8, 1), 20), cheese.distribution()
    exact = network_bounds(network, law, EPS, network_risks(network, law, EPS), ["hinge"], depth=4)["hinge"]
    rough = network_risks(network, law, EPS, exact=False, tolerance="1/50")
    found = network_bounds(network, law, EPS, rough, ["hinge"], depth=4)["hinge"]
    assert found.terms["boundary_probability"].contains(exact.terms["boundary_probability"])
    assert found.lhs.contains(exact.lhs)


# ---- networks ----


def test_a_network_is_taken_as_it_is() -> None:
    model = build("mlp", shape=(2,), outputs=1, width=5, depth=2, seed=3)
    network = relu_network(model, 2)
    x = torch.rand(50, 2)
    with torch.no_grad():
        assert np.allclose(network.score(x.double().numpy()), model(x)[:, 0].numpy(), atol=1e-5)
    assert relu_network(nn.Sequential(model, nn.Identity())).widths == network.widths
    assert relu_network(nn.Linear(2, 1, bias=False)).layers[0][1] == 0


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), "Tanh"),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), "Linear"),
        (nn.Sequential(nn.Linear(2, 1), nn.ReLU()), "ends with a ReLU"),
        (nn.Sequential(nn.Linear(3, 1)), "3 inputs"),
        (nn.Sequential(nn.Linear(2, 2)), "2 outputs"),
        (nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1)), "BatchNorm1d"),
    ],
)
def test_networks_that_are_not_covered_are_named(model: nn.Module, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        relu_network(model, 2)


def test_weights_that_are_not_finite_are_refused() -> None:
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight[0, 1] = torch.nan
    with pytest.raises(ValueError, match="nan"):
        relu_network(model, 2)


# ---- training ----


def test_runs_together_are_the_runs_alone() -> None:
    setting = box_setting("cheese", F(1, 10))
    samples = [setting.sample(60, seed) for seed in range(2)]

    def make(seed: int) -> nn.Module:
        return build("mlp", shape=(2,), outputs=1, width=6, depth=1, seed=seed)

    objective, recipe = chosen("pgd-at", eps=0.1, steps=2), Recipe(1, 20, 0.01, optimizer="adam")
    together = train(make, objective, samples, (0, 1), recipe, [6, 15])
    assert list(together) == [6, 15]
    for seed in (0, 1):
        alone = train(make, objective, samples[seed : seed + 1], (seed,), recipe, [15])[15][0]
        for one, two in zip(alone.parameters(), together[15][seed].parameters(), strict=True):
            assert torch.allclose(one, two, atol=1e-4)
    assert not torch.equal(next(together[6][0].parameters()), next(together[15][0].parameters()))


def test_methods_that_need_a_whole_batch_train_one_by_one() -> None:
    setting = box_setting("halves", F(1, 10))
    samples = [setting.sample(30, seed) for seed in range(2)]

    def make(seed: int) -> nn.Module:
        return build("linear", shape=(2,), outputs=1, seed=seed)

    for name in ("half-half", "iaat"):
        found = train(make, chosen(name, eps=0.1, steps=2), samples, (0, 1), Recipe(1, 30), [2])
        assert [len(models) for models in found.values()] == [2]
    with pytest.raises(ValueError, match=r"sizes \[30, 40\]"):
        train(make, chosen("natural"), [samples[0], setting.sample(40, 0)], (0, 1), Recipe(1), [2])


def test_every_run_sees_its_own_sample() -> None:
    setting = box_setting("cheese", F(1, 10))
    samples = [setting.sample(8, seed) for seed in range(3)]
    seen: list[torch.Tensor] = []

    class Spy:
        name = "spy"
        per_sample: frozenset[str] = frozenset()

        def prepare(self, model: nn.Module, images: object, stream: object) -> object:
            return chosen("natural").prepare(model, images, stream)  # type: ignore[arg-type]

        def loss(self, model: nn.Module, batch, state):  # type: ignore[no-untyped-def]
            seen.append(batch.x.reshape(3, -1, 2))
            return chosen("natural").loss(model, batch, state)

    stack = Stack([build("linear", shape=(2,), outputs=1, seed=k) for k in range(3)])
    x, y = torch.stack([s.batch(slice(None)) for s in samples]), torch.stack([s.y for s in samples])
    fit(stack, OwnSamples(Spy(), x, y), samples[0], Recipe(1, 8, seed=(0, 1, 2)), progress=False)
    for run, images in enumerate(samples):
        assert {tuple(p) for p in seen[0][run].tolist()} == {tuple(p) for p in images.x.tolist()}


# ---- settings and simulation ----


@pytest.mark.parametrize(("law", "dim"), [("cheese", 2), ("stripes", 1)])
def test_enclosures_meet_simulations(law: str, dim: int) -> None:
    setting = box_setting(law, F(1, 8))
    for seed in range(2):
        network = random_network((dim, 8, 8, 1), seed + 30)
        (row,) = setting.enclose(network, [], F(1))
        standard, robust = simulate(module(network), setting, 2000, seed, "1/10000000")
        assert standard.overlaps(row["standard_risk"])
        assert robust.overlaps(row["robust_risk"])
        assert row["robust_risk"].hi >= setting.optimum.lo
        assert row["standard_risk"].lo <= row["sensible_risk"].hi <= row["robust_risk"].hi
        assert robust.lo <= row["robust_risk"].hi  # found by the attack, below the truth
        assert row["robust_risk"].lo <= robust.hi  # not certified, above it


def test_a_planted_error_is_noticed() -> None:
    setting = box_setting("cheese", F(1, 10))
    network = random_network((2, 8, 1), 40)
    (row,) = setting.enclose(network, [], F(1))
    limits = simulate(module(network), setting, 1000, 0)
    row |= dict(zip(("simulated_standard_risk", "simulated_robust_risk"), limits, strict=True))
    assert misses([row]) == []
    shifted = row["standard_risk"] + F(1, 5)
    assert "misses its simulation" in misses([{**row, "standard_risk": shifted}])[0]
    assert "below the optimum" in misses([{**row, "robust_risk": setting.optimum / 2}])[-1]


def test_named_classifiers_stand_beside_the_networks() -> None:
    rows = {row["method"]: row for row in box_setting("cheese", F(1, 10)).named_rows()}
    assert rows["worst_robust"]["robust_risk"].fraction == F(9, 40)
    assert rows["robust_optimum"]["robust_risk"].fraction == rows["bayes"]["optimum"].fraction == F(9, 50)
    assert rows["seen_optimum"]["seen_robust_risk"].fraction == rows["bayes"]["seen_optimum"].fraction == F(3, 20)
    assert not box_setting("halves", F(1, 10)).is_restricted


LAW = {
    "schema": "tightrope.law/1",
    "domain": [[0, 1]],
    "boxes": [
        {"box": [[0, "1/2"]], "mass": {"-1": "3/8", "+1": "1/8"}},
        {"box": [["1/2", 1]], "mass": {"-1": "1/8", "+1": "3/8"}},
    ],
}


def test_a_law_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "law.json"
    path.write_text(json.dumps(LAW), encoding="utf-8")
    setting = box_setting(str(path), F(1, 10))
    assert setting.dim == 1
    (row,) = setting.enclose(ReluNetwork([([[1.0]], [-0.5])]), ["hinge"], F(1))
    assert row["standard_risk"].fraction == F(1, 4)
    assert row["excess"].lo > 0
    for change, sentence in (
        ({"domain": [[0, 2]]}, "unit interval"),
        ({"boxes": [{"box": [[0, 1]], "mass": {"0": "1/2", "1": "1/2"}}], "ties": 1}, "knows -1 and \\+1"),
        ({"boxes": [{"box": [[0, 1]], "mass": {"-1": "1/2", "+1": "1/2"}}]}, "ties"),
    ):
        path.write_text(json.dumps(LAW | change), encoding="utf-8")
        with pytest.raises(ValueError, match=sentence):
            box_setting(str(path), F(1, 10))
    points = {"schema": "tightrope.law/1", "points": [{"point": [0], "mass": {"-1": "1/3", "+1": "2/3"}}]}
    path.write_text(json.dumps(points), encoding="utf-8")
    with pytest.raises(ValueError, match="lives on points"):
        box_setting(str(path), F(1, 10))


# ---- records and the command ----


def test_rows_and_networks_come_back_from_their_texts() -> None:
    rows = [
        {"method": "pgn", "n": 3, "eps": F(1, 3), "a": Enclosure("0.1", "1/3", ("x", "y"), "1/20"), "loss": "hinge"},
        {"method": "bayes", "eps": F(1), "a": Enclosure.exact("1/7"), "b": None},
    ]
    found = read_rows(*json.loads(json.dumps(written_rows(rows))))
    assert found[0]["a"].same_as(rows[0]["a"])
    assert (found[0]["eps"], found[0]["n"], found[0]["loss"]) == (F(1, 3), 3, "hinge")
    assert found[1]["a"].same_as(rows[1]["a"])
    assert "b" not in found[1]
    network = random_network((2, 5, 1), 50)
    again = from_text(json.loads(json.dumps(to_text(network))))
    assert all((u == v).all() for one, two in zip(network.layers, again.layers, strict=True)
               for u, v in zip(one, two, strict=True))  # fmt: skip
    with pytest.raises(ValueError, match="does not have"):
        from_text([[1, 3, to_text(network)[0][2]]])


SMALL = ["--n", "40", "--steps", "5", "--width", "4", "--grid", "4"]


def test_the_command_trains_encloses_draws_and_reads_its_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, picture, again = tmp_path / "r.json", tmp_path / "a.png", tmp_path / "b.png"
    options = ["--methods", "natural", "pgd-at", *SMALL, "--seeds", "2", "--simulate", "500"]
    assert main([*options, "--save", str(record), "--plot", str(picture), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    networks = [row for row in rows if row["seed"] is not None]
    assert [(row["method"], row["seed"]) for row in networks] == [
        ("natural", 0), ("natural", 1), ("pgd-at", 0), ("pgd-at", 1)
    ]  # fmt: skip
    needed = {"standard_risk", "boundary_risk", "robust_risk", "sensible_risk", "optimum", "excess", "delta", "sharper"}
    assert all(row[key] is not None for row in networks for key in needed)
    assert {"bayes", "worst_robust", "robust_optimum"} <= {row["method"] for row in rows}
    assert main(["--from", str(record), "--json", "--plot", str(again)]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == rows
    assert picture.read_bytes() == again.read_bytes()
    # what the record says of a network it holds is what the network does
    held = json.loads(record.read_text())["data"]["networks"][1]
    (row,) = box_setting("cheese", F(held["eps"])).enclose(from_text(held["layers"]), ["hinge"], F(1), 4)
    said = next(r for r in networks if (r["method"], r["seed"]) == ("pgd-at", 0))
    assert Enclosure.from_json(said["robust_risk"]).same_as(row["robust_risk"])
    assert Enclosure.from_json(said["adversarial"]).overlaps(row["adversarial"])


def test_the_command_without_a_bound_on_the_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = ["--law", "stripes", "--methods", "natural", *SMALL, "--loss", "--depth", "1", "--csv"]
    assert main([*options, "--plot", str(tmp_path / "line.svg")]) == 0
    heading, first, *_ = capsys.readouterr().out.splitlines()
    assert "robust_risk" in heading
    assert "delta" not in heading
    assert first.startswith("natural,40,0,1/4,4,5,")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--n", "0"], "--n 0 is no whole number from 1 up"),
        (["--methods", "trade"], "did you mean trades?"),
        (["--law", "chese"], "chese"),
        (["--loss", "dipping_hinge", *SMALL], "dipping_hinge"),
        (["--loss", "hing", *SMALL], "nearest: 'hinge'"),
        (["--eps", "-1/10"], "is negative"),
        ([*SMALL, "--grid", "13"], "depth 13"),
        (["--from", "nothing.json"], "nothing.json"),
        (["--from", "cheese-n", "--columns", "robust"], "column 'robust' is unknown"),
        (["--from", "a.json", "--save", "b.json"], "give one of them"),
        (["--device", "cuda:99", *SMALL], "cuda:99"),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1
