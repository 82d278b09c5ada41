"""Networks on the sign-and-Gaussians law, against linear rules, draws of the statistic and attacks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from deep.bridge.__main__ import main
from deep.bridge.gaussian import FirstAndSum, GaussianSetting, sum_network_risks
from deep.bridge.simulation import simulate
from theory.confidence import clopper_pearson
from theory.odds.signgaussian import LinearClassifier, SignGaussian, robust_risk, standard_risk
from theory.relu import ReluNetwork

F = Fraction
LAW = SignGaussian("4/5", "1/5", 16)


def linear_setting(eps: str = "1/10") -> GaussianSetting:
    return GaussianSetting(LAW, F(eps))


def random_network(seed: int) -> ReluNetwork:
    rng = np.random.default_rng(seed)
    layers = [(rng.normal(size=(6, 2)) / [1, 4], rng.normal(size=6)), (rng.normal(size=(1, 6)), rng.normal(size=1) / 4)]
    return ReluNetwork(layers)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("eps", [F(0), F(1, 10), F(6, 5)])
def test_sum_networks_against_draws_of_the_statistic(seed: int, eps: Fraction) -> None:
    network = random_network(seed)
    found = sum_network_risks(network, LAW, eps)
    rng, n = np.random.default_rng(100 + seed), 2000
    x, y = LAW.sample_statistic(n, rng)
    points = np.column_stack([x[:, 0], x[:, 1] * np.sqrt(LAW.d)])
    wrong = network.score(points) * y <= 0
    standard = clopper_pearson(int(wrong.sum()), n, "1/1000000")
    assert standard.overlaps(found["standard_risk"])
    hurt = wrong.copy()
    for s in np.linspace(-1, 1, 9):
        for t in np.linspace(-1, 1, 17):
            step = np.array([s * float(eps), t * float(eps) * LAW.d])
            hurt |= network.score(points + step) * y <= 0
    robust = clopper_pearson(int(hurt.sum()), n, "1/1000000")
    assert robust.lo <= found["robust_risk"].hi
    assert found["robust_risk"].lo <= robust.hi + F(1, 50)  # a grid misses little
    assert found["standard_risk"].lo <= found["sensible_risk"].hi == found["robust_risk"].hi
    if eps == 0:
        assert found["robust_risk"].overlaps(found["standard_risk"])


@pytest.mark.parametrize("weights", [(1.0, 0.5, 0.25), (-2.0, 1.0, 0.0), (3.0, 0.0, -0.5), (0.5, -1.0, 1.0)])
@pytest.mark.parametrize("eps", ["1/10", "1/2"])
def test_sum_networks_that_are_linear_are_linear_rules(weights: tuple[float, float, float], eps: str) -> None:
    strong, weak, bias = weights
    found = sum_network_risks(ReluNetwork([([[strong, weak]], [bias])]), LAW, F(eps))
    f = LinearClassifier(F(strong), F(weak), F(bias))
    for name, risk in (("standard_risk", standard_risk(f, LAW)), ("robust_risk", robust_risk(f, LAW, eps))):
        assert found[name].overlaps(risk)
        assert found[name].width < F(1, 10**20)


def test_a_linear_network_is_its_linear_rule() -> None:
    setting = linear_setting()
    model = setting.build(0, 4, 2)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        model[-1].weight.copy_(torch.tensor(rng.normal(size=(1, 17)), dtype=torch.float32))
        model[-1].bias.fill_(0.25)
    (row,) = setting.evaluate(model, ["hinge"], F(1))
    standard, robust = simulate(model.eval(), setting, 4000, 1)
    assert standard.overlaps(row["standard_risk"])
    assert robust.overlaps(row["robust_risk"])
    assert robust.width < F(1, 5)  # one linear layer: the certificate and the attack are the truth
    assert row["robust_risk"].hi >= row["optimum"].lo
    assert row["delta"].lo > 0
    plain = setting.evaluate(model, [], F(1))
    assert "delta" not in plain[0]


def test_the_first_layer_goes_back_from_the_cube() -> None:
    setting = linear_setting("1/2")
    images = setting.sample(500, 3)
    points, labels = LAW.sample(500, np.random.default_rng(3))
    assert (images.low, images.high, images.classes) == (0.0, 1.0, 2)
    assert torch.equal(images.y, torch.tensor(labels > 0).long())
    back = setting.build(0, 4, 1)[0](images.batch(slice(None)))
    assert np.abs(back.numpy() - points).max() < 1e-5
    assert setting.radius * 2 * setting.half == 0.5
    assert setting.half >= np.abs(points).max() + 0.5


def test_other_networks_are_sampled_and_say_so() -> None:
    setting = GaussianSetting(LAW, F(1, 10), "mlp", draws=300)
    (row,) = setting.evaluate(setting.build(1, 4, 1).eval(), ["hinge"], F(1))
    assert row["standard_risk"].alpha > 0
    assert "Clopper-Pearson" in row["robust_risk"].how
    assert row["standard_risk"].lo <= row["robust_risk"].hi
    assert (row["sensible_risk"].lo, row["sensible_risk"].hi) == (row["standard_risk"].lo, row["robust_risk"].hi)


def test_networks_without_the_first_layer_are_refused() -> None:
    with pytest.raises(ValueError, match="goes back from the unit cube"):
        linear_setting().evaluate(nn.Sequential(nn.Linear(17, 1), nn.ReLU()), [], F(1))
    assert FirstAndSum()(torch.tensor([[1.0, 2.0, 3.0]])).tolist() == [[1.0, 5.0]]


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--law", "gaussian", "--d", "16", "--eta", "1/5", "--n", "50", "--steps", "5", "--eps", "1/10"]
    for model in ("linear", "sum"):
        assert main([*options, "--model", model, "--methods", "pgd-at", "--csv"]) == 0
        first = capsys.readouterr().out.splitlines()[1]
        assert first.startswith("pgd-at,50,0,1/10,32,5,")
    assert main([*options, "--plot", "a.png"]) == 2
    assert "leave it out" in capsys.readouterr().err
    assert main(["--law", "halves", "--d", "3"]) == 2
    assert "--d goes with --law gaussian" in capsys.readouterr().err
