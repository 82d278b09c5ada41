"""Baselines against closed forms on linear scores; and what every method owes the loop: exact resume, and shares."""

from __future__ import annotations

import itertools
import math
import os
import socket
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from deep import train
from deep.attack.losses import CrossEntropy
from deep.checkpoint import Checkpoint
from deep.images import Images
from deep.models import build
from deep.objectives import (
    ALP,
    FGM,
    Batch,
    GradientRegularised,
    LabelRegularised,
    Mixture,
    MixupAT,
    NoiseRegularised,
    method,
)
from deep.objectives.method import adversary
from deep.scores import signs
from deep.stack import Stack
from deep.stream import Stream

ROOT = Path(__file__).parents[2]
EPS, SIZE = 0.25, 4.0  # |w|_1 is 4


def batch(n: int = 50, seed: int = 0) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    x, y = torch.rand(n, 3, generator=draw), torch.randint(0, 2, (n,), generator=draw)
    return Batch(x, y, torch.arange(n) + 7, 0, 0.0, Stream(seed), -math.inf, math.inf)


def linear() -> nn.Module:
    net = nn.Linear(3, 1)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[2.0, -1.5, 0.5]]))
        net.bias.fill_(-0.5)
    return net


def margins(net: nn.Module, rows: Batch) -> torch.Tensor:
    return (net(rows.x)[:, 0] * signs(rows.y)).detach()


# ---- closed forms ----


def test_half_of_a_batch_is_attacked() -> None:
    net, rows = linear(), batch(51)
    m = margins(net, rows)
    clean, moved = F.softplus(-m), F.softplus(EPS * SIZE - m)
    drawn = rows.stream.child("part").uniform(rows.index, ())
    for share in (0.0, 0.25, 0.5, 1.0):
        for weight in (1.0, 0.3):
            count = math.floor(51 * share + 0.5)
            chosen = torch.zeros(51, dtype=torch.bool)
            chosen[sorted(range(51), key=lambda i: float(drawn[i]))[:count]] = True
            total = clean[~chosen].sum() + weight * moved[chosen].sum()
            loss, _ = Mixture(EPS, share, weight).loss(net, rows, None)
            assert float(loss.detach()) == pytest.approx(float(total / (51 - count + weight * count)), rel=1e-5)
    assert method("half-half", eps=EPS) == Mixture(EPS, 0.5, 1.0)
    assert (method("kurakin", eps=EPS).weight, method("kurakin", eps=EPS).name) == (0.3, "kurakin")


def test_the_attacked_half_changes_from_epoch_to_epoch() -> None:
    """Every sample has its turn."""
    index = torch.arange(40)
    chosen = torch.zeros(40)
    for epoch in range(12):
        order = Stream(0).child("noise", epoch).child("part").uniform(index, ()).argsort()
        chosen[order[:20]] += 1
    assert int(chosen.min()) >= 1
    assert int(chosen.max()) <= 11


def test_fast_training_starts_at_random_and_goes_further() -> None:
    net, rows = linear(), batch()
    made = method("fast-at", eps=EPS)
    assert (made.steps, made.step_size, made.start, made.ord) == (1, 1.25 * EPS, "uniform", math.inf)
    loss, _ = made.loss(net, rows, None)
    # per coordinate: a start in (-eps, eps) and a step of 1.25 eps to the worst corner, cut at eps
    start = (2 * rows.stream.child("start").uniform(rows.index, (3,)) - 1) * EPS
    worst = -signs(rows.y)[:, None] * net.weight.detach().sign()
    moved = (start + 1.25 * EPS * worst).clamp(-EPS, EPS)
    expected = F.softplus(-(margins(net, rows) + signs(rows.y) * (moved @ net.weight.detach()[0]))).mean()
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-5)
    assert FGM(EPS).step_size == EPS


def test_mixup_mixes_points_and_labels_of_clean_and_of_attacked_samples() -> None:
    net, rows = linear(), batch(20)
    loss, statistics = MixupAT(EPS).loss(net, rows, None)
    drawn = rows.stream.child("partner").uniform(rows.index, ())
    order = sorted(range(20), key=lambda i: float(drawn[i]))
    partner = {i: order[k - 1] for k, i in enumerate(order)}
    assert all(i != j for i, j in partner.items())
    assert len(set(partner.values())) == 20
    t = rows.stream.child("share").uniform(rows.index, ())
    worst = rows.x - EPS * signs(rows.y)[:, None] * net.weight.detach().sign()
    totals = []
    for x in (rows.x, worst):
        total = 0.0
        for i, j in partner.items():
            z = float((net(t[i] * x[i] + (1 - t[i]) * x[j])).detach())
            own, other = (math.log1p(math.exp(-z * (2 * int(rows.y[k]) - 1))) for k in (i, j))
            total += float(t[i]) * own + (1 - float(t[i])) * other
        totals.append(total / 20)
    assert float(loss.detach()) == pytest.approx(sum(totals) / 2, rel=1e-4)
    assert float(statistics["adversarial"]) == pytest.approx(totals[1], rel=1e-4)


def test_the_regularisers_of_table_5_on_a_linear_score() -> None:
    net, rows = linear(), batch()
    m = margins(net, rows)
    clean, moved = F.softplus(-m), F.softplus(EPS * SIZE - m)
    for lam in (0.5, 4.0, torch.where(rows.index % 2 == 0, 0.5, 3.0)):
        label, _ = LabelRegularised(EPS, lam).loss(net, rows, None)
        assert float(label.detach()) == pytest.approx(float((clean + moved / lam).mean()), rel=1e-5)
        gradient, _ = GradientRegularised(lam).loss(net, rows, None)
        squared = torch.sigmoid(-m).square() * float(net.weight.detach().square().sum())
        assert float(gradient.detach()) == pytest.approx(float((clean + squared / lam).mean()), rel=1e-5)
        noise = 0.1 * rows.stream.child("noise").normal(rows.index, (3,)) @ net.weight.detach()[0]
        f = net(rows.x)[:, 0].detach().double()
        p, q = torch.sigmoid(f), torch.sigmoid(f + noise.double())
        kl = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()
        stable, _ = NoiseRegularised(0.1, lam).loss(net, rows, None)
        assert float(stable.detach()) == pytest.approx(float((clean + kl / lam).mean()), rel=1e-4)
    assert NoiseRegularised(0.1).loss(net, rows, None)[1]["adversarial"] > 0


def test_the_gradient_penalty_is_learnt_from() -> None:
    """Its own gradient is there: without it the weights would not shrink."""
    rows, sizes = batch(), []
    for lam in (1e6, 0.05):
        net = linear()
        descent = torch.optim.SGD(net.parameters(), 0.05)
        for _ in range(50):
            descent.zero_grad()
            GradientRegularised(lam).loss(net, rows, None)[0].backward()
            descent.step()
        sizes.append(float(net.weight.detach().norm()))
    assert sizes[1] < 0.6 * sizes[0]


def test_logit_pairing_on_a_linear_score() -> None:
    net, rows = linear(), batch()
    m = margins(net, rows)
    clean, moved = F.softplus(-m), F.softplus(EPS * SIZE - m)
    for alpha, lam in ((0.0, 1.0), (0.5, 2.0), (1.0, 10.0)):
        loss, _ = ALP(EPS, lam, alpha).loss(net, rows, None)
        truth = (alpha * moved + (1 - alpha) * clean).mean() + (EPS * SIZE) ** 2 / lam
        assert float(loss.detach()) == pytest.approx(float(truth), rel=1e-5)


def test_no_outputs_at_the_clean_points_are_needed() -> None:
    """The attack is that of `adversary`, which computes them."""
    net, rows = build("mlp", shape=(3,), outputs=3, width=8), batch()
    threat, options = rows.threat(EPS), {"steps": 3, "step_size": 0.1}
    with_outputs = adversary(net, rows, CrossEntropy(), threat, **options)
    without = adversary(net, rows, CrossEntropy(), threat, **options, z0=torch.zeros(len(rows.x), 1))
    assert torch.equal(with_outputs, without)


@pytest.mark.parametrize("name", ["half-half", "mixup-at", "pgn"])
def test_a_stack_is_refused_where_a_batch_is_one_whole(name: str) -> None:
    stack = Stack([build("mlp", shape=(3,), outputs=2, width=4)] * 2)
    made = method(name, eps=None if name == "pgn" else 0.1)
    with pytest.raises(ValueError, match=f"{name} looks at each batch as a whole, which a stack cannot"):
        made.prepare(stack, Images.new(torch.rand(4, 3), [0, 1, 0, 1]), Stream(0))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("half-half", {"share": 1.5}, "share 1.5 is out of range"),
        ("half-half", {"weight": 0.3}, "has no option 'weight'"),
        ("kurakin", {"eps": -1.0}, "eps -1.0 is out of range"),
        ("half-half", {"ord": 1.0}, "ord 1.0 is unknown"),
        ("mixup-at", {"steps": 0}, "steps 0 is out of range"),
        ("alp", {"alpha": 2.0}, "alpha 2.0 is out of range; allowed are numbers from 0 to 1"),
        ("alp", {"lam": -1.0}, "lam -1.0 is out of range"),
        ("label-regularised", {"lam": 0.0}, "lam 0.0 is out of range"),
        ("fgm-at", {"reach": -1.0}, "step_size -1.0 is out of range"),
        ("gradient-regularised", {}, "has no option 'eps'"),
        ("noise-regularised", {}, "has no option 'eps'"),
    ],
)
def test_bad_input(name: str, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        method(name, **{"eps": 0.1, **options})
    with pytest.raises(ValueError, match=r"sigma -1.0 is out of range"):
        method("noise-regularised", sigma=-1.0)
    with pytest.raises(ValueError, match="it always needs sigma"):
        method("noise-regularised")


# ---- the command line ----

SHORT = ["--classes", "1", "3", "--limit", "40", "--batch", "20", "--model", "linear"]
LINES = [
    "sense --eps 0.1 --c 3/5 --steps 3 --reference start --reversion noise --start natural",
    "iaat --eps 0.1 --warm-up 1 --steps 3 --gamma 0.02 --beta 1/2 --lower 0.01 --no-split --selection-steps 2",
    "pgn --cost 1/10 --rate 0.01 --width 2 --hidden 4 --no-label --penalty output",
    "half-half --eps 0.1 --share 1/4 --steps 3",
    "noise-regularised --sigma 0.1 --lam 2",
    "alp --eps 0.1 --alpha 1/4 --lam 4 --steps 3",
]


def test_every_option_reaches_its_method_and_a_finished_run_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train.main([*SHORT, "--epochs", "2", "--out", "natural"]) == 0
    for line in LINES:
        words = [word.replace("natural", "natural/checkpoint.safetensors") for word in line.split()]
        command = [*SHORT, "--method", *words, "--epochs", "2", "--out", words[0]]
        assert train.main(command) == 0
        first = (tmp_path / words[0] / "checkpoint.safetensors").read_bytes()
        assert train.main([*command, "--resume"]) == 0
        assert (tmp_path / words[0] / "checkpoint.safetensors").read_bytes() == first
        options = Checkpoint.read(tmp_path / words[0] / "checkpoint.safetensors").config["method"]["options"]
        for word, value in itertools.pairwise(words):
            key = word.removeprefix("--").replace("-", "_")
            if word.startswith("--no-"):
                assert options[word.removeprefix("--no-")] is False
            elif word.startswith("--") and key != "start":
                number = value if value.isalpha() else float(Fraction(value))
                assert options[key] == number, word
    weights, start = (Checkpoint.read(tmp_path / n / "checkpoint.safetensors") for n in ("sense", "natural"))
    assert all(torch.equal(weights.tensors[f"state/{k}"], v) for k, v in start.part("model").items())
    out = capsys.readouterr()
    assert out.err == ""
    wrong = [*SHORT, "--start", "natural/checkpoint.safetensors", "--outputs", "2", "--out", "other"]
    assert train.main(wrong) == 2
    assert "holds another network; give --model, --classes and --outputs as in that run" in capsys.readouterr().err


# ---- exact resume, and several processes ----

COMMON = """
import dataclasses, os, signal, sys
from pathlib import Path
import torch
from deep.distributed import joined, world
from deep.fit import Recipe, fit
from deep.images import digits
from deep.models import build
from deep.objectives import method

torch.set_num_threads(1)
images = digits("train").only(1, 3).first(23)
MADE = [
    method("sense", eps=0.1, c=0.6, steps=3, reference="start"),
    method("sense", eps=0.1, c=0.3, steps=3, reversion="noise"),
    method("iaat", eps=0.1, warm_up=1, steps=2),
    method("iaat", eps=0.1, warm_up=0, steps=2, search="line", eta=0.05),
    method("pgn", cost=0.1, rate=0.01, width=2, hidden=4),
    method("half-half", eps=0.1, steps=2),
    method("mixup-at", eps=0.1, steps=2),
    method("noise-regularised", sigma=0.1),
]
"""

KILLED = """
class Killed:
    def __init__(self, made, left): self.made, self.left, self.name = made, left, made.name
    def to_json(self): return dataclasses.asdict(self.made)
    def prepare(self, *given): return self.made.prepare(*given)
    def loss(self, model, batch, state):
        answer = self.made.loss(model, batch, state)
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

def run(name, made, left=-1):
    model = build("net", shape=images.shape, outputs=2, seed=3)
    recipe = Recipe(2 if k > 4 else 3, 8, 0.1, ema=0.9)  # 3 steps an epoch
    fit(model, Killed(made, left), images, recipe, folder=Path(sys.argv[1]) / name, every=0)

for k, made in enumerate(MADE):
    for left in (5, 3) if k < 5 else (5,):
        if os.fork() == 0:
            run(f"{k} killed", made, left)
            os._exit(1)
        assert os.wait()[1] == signal.SIGKILL, made
    run(f"{k} killed", made)
    run(f"{k} whole", made)
"""

SHARED = """
with joined():
    for k in SHARED:
        made = MADE[k]
        model = build("mlp", shape=images.shape, outputs=2, seed=world().rank, width=8)
        # Batches of 5: some have no sample of process 0, or of process 1.
        fit(model, made, images, Recipe(2, 5, 0.05), folder=Path(sys.argv[1]) / str(k))
"""


SHARED_METHODS = (0, 2, 4, 5)
"""Those with a state, and one without."""


def start(script: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", f"{COMMON}SHARED = {SHARED_METHODS}\n{script}", str(folder)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)


def ended(*started: subprocess.Popen[str]) -> None:
    for process in started:
        said = process.communicate(timeout=240)[1]
        assert process.returncode == 0, said


METHODS = COMMON.count('    method("')


def test_every_method_killed_in_mid_epoch_ends_in_the_same_bytes(tmp_path: Path) -> None:
    ended(start(KILLED, tmp_path))
    for k in range(METHODS):
        for name in ("checkpoint.safetensors", "log.csv"):
            killed, whole = (tmp_path / f"{k} {kind}" / name for kind in ("killed", "whole"))
            assert killed.read_bytes() == whole.read_bytes(), (k, name)
    found = Checkpoint.read(tmp_path / "4 whole/checkpoint.safetensors")
    kinds = {name.split("/")[1] for name in found.tensors if name.startswith("state/")}
    assert kinds == {"network", "adam"}


def test_two_processes_train_what_one_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    pair = [start(SHARED, tmp_path / "two", **common, RANK=str(rank)) for rank in range(2)]
    threads = torch.get_num_threads()
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path / "one")])
    code = f"{COMMON}SHARED = {SHARED_METHODS}\n{SHARED}"
    exec(compile(code, "worker", "exec", dont_inherit=True), {"__name__": "worker"})
    torch.set_num_threads(threads)
    ended(*pair)
    for k in SHARED_METHODS:
        two, one = (Checkpoint.read(tmp_path / name / str(k) / "checkpoint.safetensors") for name in ("two", "one"))
        assert two.config == one.config
        assert two.tensors.keys() == one.tensors.keys()
        name = one.config["method"]["name"]
        if name == "half-half":  # each process splits its own rows
            continue
        for key, tensor in one.tensors.items():
            assert torch.allclose(two.tensors[key].double(), tensor.double(), atol=2e-4), (name, key)
    memory = Checkpoint.read(tmp_path / "two/2/checkpoint.safetensors").tensors["state/eps"]
    assert len(memory.unique()) > 1
