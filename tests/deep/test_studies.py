"""Studies of networks: on linear scores every number has a closed form, and counts are exact."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from deep.attack import FGSM, PGD, AttackWarning, DeepFool, Threat, attack, transfer
from deep.images import Images
from deep.stream import Stream
from deep.studies import (
    ATTACKS,
    CORRUPTIONS,
    Corrupted,
    CurvePoint,
    Distances,
    Margins,
    Radii,
    alignment,
    at_equal_accuracy,
    convergence,
    corrupted,
    evaluate,
    input_gradients,
    interpolate,
    margins,
    mean_corruption_error,
    nearest,
    sweep,
)
from theory.enclosure import Contradiction
from theory.iaat import RadiusRule, radius_path, within

W, B = [0.5, -1.0, 0.25, 2.0], -0.8125
RADII = [Fraction(k, 64) for k in range(5)]


def linear(w=W, b=B):
    model = nn.Linear(len(w), 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([w]))
        model.bias.fill_(b)
    return model


def points(n=60, seed=0, low=0.25, high=0.75):
    """Points far enough inside of the box that no ball of these tests meets its walls."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(low, high, (n, 4)).astype(np.float32)
    y = np.where(rng.random(n) < 0.15, 1 - (x @ np.array(W) + B > 0), x @ np.array(W) + B > 0).astype(np.int64)
    return Images.new(x, y, classes=2)


def signed(images, w=W, b=B):
    """y f(x) in float64."""
    return (2 * images.y.numpy() - 1) * (images.x.numpy().astype(float) @ np.array(w) + b)


# ---- counts from both ends ----


@pytest.mark.parametrize("ord", [math.inf, 2.0])
@pytest.mark.parametrize("certificate", ["ibp", "crown-ibp"])
def test_attack_and_certificate_meet_in_the_closed_form(ord, certificate):
    images, dual = points(), np.linalg.norm(W, 1 if ord == math.inf else 2)
    found = sweep(linear(), images, RADII, ord=ord, attacks=[PGD(10, loss="margin")], certificate=certificate)
    truth = [int((signed(images) <= float(eps) * dual).sum()) for eps in RADII]
    assert len(set(truth)) == len(truth)
    assert [one.errors for one in found] == [one.at_most for one in found] == truth
    assert [one.risk.fraction for one in found] == [Fraction(k, 60) for k in truth]
    assert not any(one.vacuous for one in found)


def test_the_worst_case_is_over_attacks_and_the_natural_point():
    images, far = points(), Fraction(1, 32)
    alone = [evaluate(linear(), images, far, attacks=[ATTACKS[name](math.inf, 5, 1)])
             for name in ("fgsm", "deepfool", "square", "mi-fgsm", "cw", "apgd")]  # fmt: skip
    together = evaluate(linear(), images, far, attacks=[ATTACKS[n](math.inf, 5, 1) for n in ("fgsm", "square")])
    assert torch.equal(together.fooled, alone[0].fooled | alone[2].fooled)
    for one in alone:
        assert bool((one.fooled | ~one.natural).all())
        assert one.attacks[0].errors == one.errors == int(one.natural.sum()) + one.attacks[0].moved
        assert one.at_most == 60
    assert evaluate(linear(), images, far).errors == int((signed(images) <= 0).sum())


def test_a_sweep_grows_although_its_attacks_do_not():
    class Moody:
        """Fools by a step that is too long, or at the smallest radius only."""

        name = "moody"

        def find(self, net, x, target, threat, stream, index):
            return FGSM().find(net, x, target, Threat(0.0 if threat.eps > 0.02 else threat.eps), stream, index)

    images = points()
    plain = [evaluate(linear(), images, eps, attacks=[Moody()]).errors for eps in RADII]
    assert plain[1] > plain[2]
    found = [one.errors for one in sweep(linear(), images, RADII, attacks=[Moody()])]
    assert found == [plain[0]] + [plain[1]] * 4


def test_a_sweep_keeps_what_larger_balls_prove(monkeypatch):
    from deep.certify.certified import Certified
    from deep.studies import judge

    def moody(model, x, y, threat, method):  # proves everything at the largest radius, nothing at the others
        margin = torch.full((60,), 1.0 if threat.eps > 0.06 else -1.0)
        return Certified(torch.tensor(signed(points()) <= 0), margin, method)

    monkeypatch.setattr(judge, "certified_error", moody)
    natural = int((signed(points()) <= 0).sum())
    assert evaluate(linear(), points(), RADII[1], certificate="ibp").at_most == 60
    assert [one.at_most for one in sweep(linear(), points(), RADII, certificate="ibp")] == [natural] * 5


def test_limits_hold_both_ends_at_once():
    from scipy.stats import beta

    one = evaluate(linear(), points(), Fraction(1, 32), attacks=[FGSM()])
    found, low = one.limits("1/10"), float(beta.ppf(0.05, one.errors, 60 - one.errors + 1))
    assert (float(found.lo), found.hi, found.alpha) == (pytest.approx(low), 1, Fraction(1, 10))


def test_a_certificate_of_a_fooled_sample_is_a_contradiction(monkeypatch):
    from deep.certify.certified import Certified
    from deep.studies import judge

    claims_all = Certified(torch.zeros(60, dtype=torch.bool), torch.ones(60), "ibp")
    monkeypatch.setattr(judge, "certified_error", lambda *_: claims_all)
    with pytest.raises(Contradiction, match="is certified at eps 1/32 and was fooled"):
        evaluate(linear(), points(), Fraction(1, 32), attacks=[FGSM()], certificate="ibp")


def test_a_vacuous_certificate_says_so():
    one = evaluate(linear(), points(), Fraction(1, 2), certificate="ibp")
    assert (one.vacuous, one.at_most) == (True, 60)
    x = points().x
    hopeless = Images.new(x, 1 - (x @ torch.tensor(W) + B > 0).long(), classes=2)
    one = evaluate(linear(), hopeless, Fraction(1, 64), certificate="ibp")
    assert (one.vacuous, one.errors, one.at_most) == (False, 60, 60)  # nothing right, so nothing to prove


# ---- distances and curves ----


def test_distances_are_those_of_the_hyperplane():
    images = points()
    exact = np.maximum(signed(images), 0) / np.linalg.norm(W)
    for how, slack in ((DeepFool(overshoot=0.0), 2e-4), (ATTACKS["cw"](2.0, 40, 1), 2e-2)):
        found = nearest(linear(), images, how)
        values = found.values.numpy()
        assert (values >= exact - 1e-6).all()
        assert (values <= exact + slack * (exact > 0)).all()
        assert (found.right, found.failures) == (int((signed(images) > 0).sum()), ())
        assert found.rho == pytest.approx(exact[exact > 0].mean(), abs=slack)


def test_who_is_never_fooled_is_named():
    never = linear([0.0, 0.0, 0.0, 1.0], 0.5)  # positive on the whole box
    images = Images.new(torch.full((3, 4), 0.5), torch.tensor([1, 0, 1]), classes=2)
    found = nearest(never, images, DeepFool())
    assert (found.failures, found.right, found.rho) == ((0, 2), 2, None)
    assert found.area(2.0) == 4 / 3
    with pytest.raises(ValueError, match="fooled none of the 2 right samples of a: there is no rho"):
        CurvePoint.of("a", found)


@given(st.lists(st.fractions(0, 4, max_denominator=4), min_size=1, max_size=7), st.integers(0, 2))
def test_area_and_rho_are_those_of_the_claim(norms, never):
    from proofs_check.claims.pgn_measures import Attacked, area, rho

    case = Attacked(tuple(norms), never)
    found = Distances(torch.tensor([float(v) for v in norms] + [math.inf] * never, dtype=torch.float64), 2.0, "any")
    assert found.area(8.0) == pytest.approx(float(area(case)), abs=1e-12)
    assert (found.rho or 0.0) == pytest.approx(float(rho(case)), abs=1e-12)
    if not never and found.rho is not None:
        point = CurvePoint.of("a", found)
        assert point.area == pytest.approx(float(area(case)), abs=1e-12)
    # the area is that of accuracy, jump by jump
    grid = [Fraction(k, 12) for k in range(96)]
    assert sum(found.accuracy(t) for t in grid) / 12 == pytest.approx(found.area(8.0), abs=1e-9)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=6, unique=True), st.integers(0, 20))
def test_on_a_straight_curve_interpolation_is_exact(places, at):
    line = [CurvePoint(str(k), Fraction(k, 20), 2 - k / 20) for k in places]
    weaker = [CurvePoint("inside", Fraction(places[0], 20), 0.0)]
    found = at_equal_accuracy([*line, *weaker], Fraction(at, 20))
    if min(places) <= at <= max(places):
        assert found == pytest.approx(2 - at / 20)
    else:
        assert found is None


# ---- margins, convergence, transfer ----


@pytest.mark.parametrize(("low", "high"), [(0.25, 0.75), (0.0, 1.0)])
def test_attacked_margins_in_the_box(low, high):
    images, eps = points(low=low, high=high), 0.1
    x, sign = images.x.numpy().astype(float), np.sign(W) * (2 * images.y.numpy()[:, None] - 1)
    room = np.where(sign > 0, np.minimum(eps, x), np.minimum(eps, 1 - x))
    found = margins(linear(), images, eps=eps)
    assert found.values.numpy() == pytest.approx(signed(images) - room @ np.abs(W), abs=1e-5)
    natural = margins(linear(), images)
    assert natural.values.numpy() == pytest.approx(signed(images), abs=1e-6)
    assert natural.errors == int((signed(images) <= 0).sum())


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9), st.integers(1, 12))
def test_quantiles_and_counts_agree(values, k):
    found, share = Margins(torch.tensor(values, dtype=torch.float64)), Fraction(k, 12)
    at = found.quantile(share)
    assert found.at_most(at) >= share * len(values) > found.at_most(at - 0.5)
    where, heights = found.steps()
    assert heights == [Fraction(found.at_most(v), len(values)) for v in where]


def test_convergence_of_a_linear_score_step_by_step():
    images, eps, size, marks = points(300), 0.05, 0.02, [1, 2, 4, 8]
    found = convergence(linear(), images, eps=eps, steps=marks, step_size=size, restarts=3, stream=Stream(5))
    x, y = images.x, images.y
    down = -np.sign(W) * (2 * y.numpy()[:, None] - 1)
    seen = np.zeros((3, 5, 300), bool)
    for restart in range(3):
        start = Threat(eps).start(x, Stream(5).child("restart", restart), torch.arange(300)) - x
        for k, steps in enumerate([0, *marks]):
            moved = np.clip(start.numpy().astype(float) + steps * size * down, -eps, eps)
            m = signed(images) + (2 * y.numpy() - 1) * (moved @ np.array(W))
            seen[restart, k] = m <= 0
            assert found.errors[restart][k] == int((m <= 0).sum())
            assert found.losses[restart][k] == pytest.approx(np.logaddexp(0, -m).mean(), abs=1e-5)
    for restart in range(3):
        for k in range(5):
            assert found.worst[restart][k] == int(seen[: restart + 1, : k + 1].any((0, 1)).sum())
    assert (found.gained_by_steps, found.gained_by_restarts) == (0, 0)  # the far side is reached after five steps
    assert found.worst[-1][-1] == int((signed(images) <= eps * np.abs(W).sum()).sum())
    short = convergence(linear(), images, eps=eps, steps=[1, 2], step_size=size, stream=Stream(5))
    assert short.gained_by_steps > 0


def test_errors_on_the_way_count_although_it_leads_back():
    from deep.attack.losses import LOSSES, targeted

    images, back = points(300), targeted(LOSSES["ce"])  # ascending minus the loss leads away from errors
    found = convergence(linear(), images, eps=0.05, steps=[2, 9], step_size=0.02, loss=back, stream=Stream(5))
    (errors,), (worst,) = found.errors, found.worst
    assert errors[0] > errors[1] > errors[2]
    assert worst == (errors[0],) * 3
    assert found.gained_by_steps == found.gained_by_restarts == 0


@pytest.mark.parametrize("steps", [[], [0, 1], [2, 1], [3, 3]])
def test_steps_must_grow(steps):
    with pytest.raises(ValueError, match="allowed are growing numbers from 1"):
        convergence(linear(), points(), eps=0.1, steps=steps, step_size=0.1)


def test_transfer_between_linear_scores():
    images, eps, other = points(), 0.05, ([1.0, -0.5, -1.0, 1.5], -0.4)
    nets = {"a": (W, B), "b": other}
    found = transfer({name: linear(*net) for name, net in nets.items()}, images.x, images.y, PGD(10), eps=eps)
    assert [(move.source, move.target) for move in found] == [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")]
    for move in found:
        w, judged = nets[move.source][0], nets[move.target]
        m = signed(images, *judged) - eps * np.sign(w) @ np.array(judged[0])
        right = signed(images, *nets[move.source]) > 0
        assert not right.all()  # samples that the source errs on are attacked like the others
        assert move.fooled == int((m <= 0).sum())
        assert move.mean_loss == pytest.approx(np.logaddexp(0, -m).mean(), abs=1e-5)


# ---- gradients ----


def test_alignment_of_a_linear_score_is_the_correlation_with_its_weights():
    images = points()
    g = input_gradients(linear(), images.x, images.y)
    found = alignment(g, images.x)
    sign = 1 - 2 * images.y.numpy()
    exact = [s * np.corrcoef(W, x)[0, 1] for s, x in zip(sign, images.x.numpy().astype(float), strict=True)]
    assert found.correlation.numpy() == pytest.approx(exact, abs=1e-5)
    assert found.mean == pytest.approx(np.abs(exact).mean(), abs=1e-5)
    w = np.abs(W)
    assert found.hoyer.numpy() == pytest.approx((2 - w.sum() / np.linalg.norm(w)) / (2 - 1), abs=1e-6)
    assert (found.dead, found.flat) == (0, 0)
    assert alignment(torch.zeros(2, 4), images.x[:2]).mean is None
    # the mean of equal numbers may differ from them by a rounding, which must not correlate
    slope = torch.arange(7.0).double()[None]
    for one, other in ((slope, slope * 0 + 0.1), (slope * 0 + 0.1, slope)):
        grey = alignment(one, other)
        assert (grey.flat, grey.mean) == (1, None)


@given(st.integers(2, 30), st.integers(1, 30), st.floats(0.1, 100))
def test_sparsity_of_equal_entries(d, k, size):
    g = torch.zeros(1, d)
    g[0, : min(k, d)] = size
    found = alignment(g, torch.arange(d)[None].float())
    ones = min(k, d)
    assert found.small.item() == pytest.approx(1 - ones / d)
    assert found.hoyer.item() == pytest.approx((math.sqrt(d) - math.sqrt(ones)) / (math.sqrt(d) - 1), abs=1e-6)
    near = alignment(g + (g == 0) * size / 128, torch.arange(d)[None].float())
    assert torch.equal(near.small, found.small)


def test_margins_on_a_segment_are_affine():
    images = points()
    made = attack(linear(), images.x, images.y, PGD(20, stop=False), eps=0.2)
    found = interpolate(linear(), images.x, made.x, images.y, count=9)
    ends = found.margins[0].double(), found.margins[-1].double()
    for t, row in zip(found.shares.double(), found.margins.double(), strict=True):
        assert torch.allclose(row, (1 - t) * ends[0] + t * ends[1], atol=1e-5)
    assert bool((found.changes <= 1).all())
    right = ends[0] > 0
    passage = (ends[0] / (ends[0] - ends[1]))[right]
    passed = right & (ends[1] <= 0)
    assert torch.equal(found.first.isfinite(), passed | ~right)
    assert bool((found.first[passed] - passage[passed[right]]).lt(1 / 8 + 1e-6).all())
    assert torch.equal(found.points[0], images.x)
    assert torch.equal(found.points[-1], made.x)


# ---- radii ----


def test_oracle_radii_settle_in_their_bands():
    rule, oracle = RadiusRule("1.9", "0.1"), [Fraction(k, 4) for k in range(8, 60)]
    paths = [radius_path(8, within(radius), rule, 60) for radius in oracle]
    found = Radii.of(torch.tensor([float(path[e]) for path in paths]) for e in range(61))
    assert found.values.shape == (61, len(oracle))
    assert (found.means[0], found.spreads[0]) == (8.0, 0.0)
    assert found.spreads[-1] > found.spreads[10] > 0
    last = [path[-1] for path in paths]
    assert all(r - rule.gamma < m <= r for r, m in zip(oracle, last, strict=True))
    assert found.means[-1] == pytest.approx(float(sum(last) / len(last)))
    edges = [4, 8, 12]
    assert found.histogram(-1, edges) == [
        sum(m < 4 for m in last), sum(4 <= m < 8 for m in last), sum(8 <= m < 12 for m in last),
        sum(m >= 12 for m in last),
    ]  # fmt: skip
    assert found.least(Fraction(1, 10)) == [0, 1, 2, 3, 4]
    assert found.greatest() == [len(oracle) - 1]


@pytest.mark.parametrize(
    "rows", [[], [torch.zeros(3), torch.zeros(4)], [torch.zeros(2, 2)], [torch.tensor([math.nan])]]
)
def test_no_history(rows):
    with pytest.raises(ValueError, match=r"are no history|allowed are finite numbers"):
        Radii.of(rows)


def test_edges_must_grow():
    with pytest.raises(ValueError, match="do not grow"):
        Radii.of([torch.zeros(3)]).histogram(0, [1, 1])


# ---- corruptions ----


def pictures(channels=3, n=5, side=16, seed=0):
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, channels, 4, 4, generator=draw)
    return nn.functional.interpolate(coarse, (side, side), mode="bilinear")


@pytest.mark.parametrize("kind", CORRUPTIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_corruptions_stay_in_the_box_and_grow(kind, channels):
    x, stream = pictures(channels), Stream(3)
    moved = [CORRUPTIONS[kind](x, severity, stream, torch.arange(5)) for severity in range(1, 6)]
    for m in moved:
        assert m.shape == x.shape
        assert m.dtype == x.dtype
        assert bool(((m >= 0) & (m <= 1)).all())
    away = [float((m - x).norm()) for m in moved]
    assert away[0] < away[-1]
    alone = CORRUPTIONS[kind](x[3:4], 5, stream, torch.tensor([3]))
    assert torch.allclose(alone, moved[-1][3:4], atol=1e-6)  # a sample's corruption does not depend on its batch


@pytest.mark.parametrize("kind", ["gaussian-blur", "contrast", "pixelate", "jpeg"])
def test_a_flat_picture_stays(kind):
    flat = torch.full((2, 3, 8, 8), 128 / 255)
    moved = CORRUPTIONS[kind](flat, 5, Stream(0), torch.arange(2))
    assert torch.allclose(moved, flat, atol=1e-6)


def test_corruptions_do_what_their_names_say():
    import colorsys

    x, none = pictures(), (Stream(0), torch.arange(5))
    bright = CORRUPTIONS["brightness"](x, 3, *none)
    for pixel, more in zip(x.permute(0, 2, 3, 1).reshape(-1, 3)[::37], bright.permute(0, 2, 3, 1).reshape(-1, 3)[::37],
                           strict=True):  # fmt: skip
        h, s, v = colorsys.rgb_to_hsv(*pixel.tolist())
        assert more.tolist() == pytest.approx(colorsys.hsv_to_rgb(h, s, min(v + 0.15, 1)), abs=1e-5)
    assert torch.equal(CORRUPTIONS["brightness"](torch.zeros(1, 3, 2, 2), 3, *none), torch.full((1, 3, 2, 2), 0.15))
    flatter = CORRUPTIONS["contrast"](x, 2, *none)
    assert torch.allclose(flatter.flatten(2).std(2), x.flatten(2).std(2) / 2, atol=1e-6)
    assert torch.allclose(flatter.mean((2, 3)), x.mean((2, 3)), atol=1e-6)
    dot = torch.zeros(1, 1, 15, 15)
    dot[0, 0, 7, 7] = 1
    blurred = CORRUPTIONS["gaussian-blur"](dot, 5, *none)[0, 0].double()
    places = torch.arange(15.0).double() - 7
    assert float((blurred.sum(0) * places**2).sum()) == pytest.approx(1.0, abs=0.01)  # the variance of its width, 1
    grey = torch.full((1, 1, 200, 200), 0.5)
    noisy = CORRUPTIONS["gaussian-noise"](grey, 1, *none[:1], torch.tensor([0]))
    assert float((noisy - grey).std()) == pytest.approx(0.04, rel=0.02)


def test_corrupted_errors_are_counted():
    x = (pictures(1, 40, 8) * 16).round().to(torch.uint8)
    images = Images.new(x, torch.arange(40) % 2, scale=16)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    found = corrupted(model, images, ["contrast", "jpeg"])
    with torch.no_grad():
        for kind in ("contrast", "jpeg"):
            for k in range(5):
                z = model(CORRUPTIONS[kind](images.batch(slice(None)), k + 1, Stream(0), torch.arange(40)))[:, 0]
                assert found.errors[kind][k] == int(((2 * images.y - 1) * z <= 0).sum())
    total = sum(map(sum, found.errors.values()))
    assert found.accuracy == 1 - Fraction(total, 400)
    assert mean_corruption_error(found, found) == 1
    better = Corrupted(40, 0, {kind: tuple(0 for _ in row) for kind, row in found.errors.items()})
    assert mean_corruption_error(better, found) == 0
    with pytest.raises(ValueError, match="does not err under contrast"):
        mean_corruption_error(found, better)
    with pytest.raises(ValueError, match="different corruptions or samples"):
        mean_corruption_error(found, Corrupted(40, 0, {"jpeg": (1,)}))
    with pytest.raises(ValueError, match="corruption 'fog' is unknown; allowed are gaussian-noise, "):
        corrupted(model, images, ["fog"])
    with pytest.raises(ValueError, match="cannot be corrupted; allowed are grey or RGB images"):
        corrupted(linear(), points())


# ---- attacks that look at errors too ----


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_without_skip_no_error_is_lost(seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    x, y = torch.rand(20, 4), torch.randint(0, 3, (20,))
    how = PGD(3, loss="margin", stop=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttackWarning)
        skipped = attack(net, x, y, how, eps=0.1)
        looked = attack(net, x, y, how, eps=0.1, skip=False)
    assert torch.equal(skipped.success, looked.success)
    with torch.no_grad():
        natural = net(x).argmax(1) != y
    assert bool((skipped.distance[natural] == 0).all())
    assert not bool(natural.any()) or bool((looked.distance[natural] > 0).any())


def test_figures_can_be_drawn(tmp_path):
    from deep.studies import figures
    from theory.cli import save_figure

    images = Images.new((pictures(1, 12, 8) * 16).round().to(torch.uint8), torch.arange(12) % 2, scale=16)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    x, y = images.batch(slice(None)), images.y
    g = input_gradients(model, x, y)
    made = {
        "risk": figures.risk_figure({"a": [(0.0, 0.1, 0.1, False), (0.1, 0.3, 0.6, False), (0.2, 0.4, 1.0, True)]}),
        "transfer": figures.transfer_figure(["a", "b"], [[3, 1], [2, 4]], 5),
        "curve": figures.curve_figure({"m": [CurvePoint("x", Fraction(1, 2), 0.3), CurvePoint("y", Fraction(1), 0.2)]}),
        "convergence": figures.convergence_figure(convergence(model, images, eps=0.1, steps=[1, 3], step_size=0.1)),
        "margins": figures.margin_figure({"a": margins(model, images)}),
        "radii": figures.radii_figure(Radii.of([torch.rand(5), torch.rand(5)])),
        "gradients": figures.gradient_figure(x[:3], {"a": g[:3]}),
        "interpolation": figures.interpolation_figure(interpolate(model, x[:2], 1 - x[:2], y[:2], 3)),
    }  # fmt: skip
    axes = {name: figure.axes for name, figure in made.items()}
    assert list(axes["risk"][0].lines[0].get_ydata()) == [0.1, 0.3, 0.4]
    assert [text.get_text() for text in axes["transfer"][0].texts] == ["3", "1", "2", "4"]
    assert len(axes["gradients"]) == len(axes["interpolation"]) == 6
    for name, figure in made.items():
        save_figure(figure, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 2000
