"""toy.draw: what stands in the figure is what was computed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from theory import BoxDistribution, Boxes, FiniteDistribution, Points, RegionClassifier, risk_curve, standard_risk
from theory.halfspace import HalfSpace
from toy import draw

WINDOW = ((0.0, 1.0), (0.0, 2.0))


def test_boxes_are_drawn_as_rectangles_cut_by_the_window() -> None:
    _, (ax,) = draw.figure(1, 1)
    f = RegionClassifier.binary(Boxes([(("1/4", None), (None, "1/2")), (("1/4", "1/2"), ("1/2", "3/2"))]))
    draw.regions(ax, f, WINDOW, Boxes([(("1/8", "3/8"), (0, 1))]))
    shown = {(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in ax.patches}
    positive = {(0.25, 0.0, 0.25, 1.5), (0.5, 0.0, 0.5, 0.5)}
    assert positive | {(0.125, 0.0, 0.25, 1.0)} <= shown
    assert sum(w * h for _, _, w, h in shown - {(0.125, 0.0, 0.25, 1.0)}) == 2  # the two regions tile the window
    assert (ax.get_xlim(), ax.get_ylim()) == WINDOW


def test_a_slanted_half_space_is_drawn_pixel_by_pixel() -> None:
    _, (ax,) = draw.figure(1, 1)
    half = HalfSpace([2, 1], -2)
    draw.regions(ax, RegionClassifier.binary(half), WINDOW)
    for image, inside in zip(ax.images, (False, True), strict=True):  # labels in order: -1, then +1
        pixels = ~np.ma.getmaskarray(image.get_array())
        n = len(pixels)
        middles = (np.arange(n) + 0.5) / n
        x, y = np.meshgrid(middles, 2 * middles)
        clear = abs(2 * x + y - 2) > 1e-9
        assert ((2 * x + y > 2) == (pixels == inside))[clear].all()
        assert tuple(image.get_extent()) == (0, 1, 0, 2)


def test_a_line_is_drawn_as_a_band() -> None:
    _, (ax,) = draw.figure(1, 1)
    draw.regions(ax, RegionClassifier.binary(Boxes([(("1/4", None),)])), ((0.0, 1.0),))
    assert sorted((*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in ax.patches) == [
        (0.0, 0.0, 0.25, 1.0), (0.25, 0.0, 0.75, 1.0)
    ]  # fmt: skip


def test_atoms_wear_the_colour_of_the_prediction_and_their_most_likely_label() -> None:
    law = FiniteDistribution.of_points([(0, 0), (1, 0), (1, 2)], {-1: ["1/2", 0, "1/8"], +1: ["1/8", "1/8", "1/8"]})
    f = RegionClassifier({-1: Points(law.space, {0}), +1: Points(law.space, {1})})
    _, (ax,) = draw.figure(1, 1)
    draw.atoms(ax, f, law)
    assert [line.get_color() for line in ax.lines] == [draw.REGIONS[0], draw.REGIONS[1], "#DDDDDD"]
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[0, 0]], [[1, 0]], [[1, 2]]]
    assert [(text.get_text(), text.xy) for text in ax.texts] == [("-1", (0.0, 0.0)), ("+1", (1.0, 0.0))]


def test_a_curve_is_drawn_piece_by_piece_with_its_value_at_a_jump() -> None:
    law = BoxDistribution.of_masses({-1: [([("0", "1/2")], "1/2")], +1: [([("1/2", "1")], "1/2")]}, [("0", "1")])
    early, late = (RegionClassifier.binary(Boxes([((t, None),)])) for t in ("1/4", "1/2"))
    found = risk_curve(standard_risk, lambda eps: early if eps < Fraction(1, 3) else late, law, 0, 1)
    _, (ax,) = draw.figure(1, 1)
    draw.curve(ax, found, "name", "black")
    lines = [(line.get_xydata().tolist(), line.get_markerfacecolor()) for line in ax.lines]
    third = float(Fraction(1, 3))
    assert lines[0][0] == [[0, 0.25], [third, 0.25]]
    assert lines[1][0] == [[third, 0], [1, 0]]
    assert ([[third, 0.25]], "white") in lines  # the limit that is not the value
    assert ([[third, 0]], "black") in lines
    assert len(lines) == 4
    assert ax.lines[0].get_label() == "name"


def test_breakpoints_are_lines_with_names() -> None:
    _, (ax,) = draw.figure(1, 1)
    draw.breakpoints(ax, [Fraction(1, 4), Fraction(1, 2)], ["1/4", "1/2"])
    assert [line.get_xdata()[0] for line in ax.lines] == [0.25, 0.5]
    assert [text.get_text() for text in ax.texts] == ["1/4", "1/2"]


def test_the_key_names_every_label() -> None:
    figure, _ = draw.figure(1, 1)
    draw.key(figure, RegionClassifier.binary(Boxes.everything(2)))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["predicts -1", "predicts +1"]
