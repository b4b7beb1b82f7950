"""Figures of a study: nothing is clipped or hides another text, and what is drawn is what was given."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.text import Text

from ucnp_abm.viz import heat, labels, legend
from ucnp_abm.viz.forest import ForestRow, forest
from ucnp_abm.viz.heat import HeatMap, heat_map
from ucnp_abm.viz.series import SeriesPanel, by_axis
from ucnp_abm.viz.tornado import TornadoRow, tornado

NAN = float("nan")
SHORT = ["no-complex", "y-complex", "gd-complex", "y-complex+laser-thermal"]
LONG = "y-complex+laser-athermal+laser-dock at a name that is very long indeed, and without$sense"
NINE = [*SHORT, "mixed-complex", "cation-exchange", LONG, "W" * 70, "nine"]
WORDS = ["reflecting wall that gives every vacancy back", "absorbing", "beta", "unbreakable" * 6]
POINT = "shell = 0.5 nm, Yb in the core = 19 %, surface = reflecting, temperature = 300 °C, pump = 100 W/cm²"
XLABEL = "Yb outside the core, difference from no-complex / percentage points"


def texts(figure):
    """All that is written, with where it stands / pixels."""
    figure.set_dpi(60)
    figure.draw_without_rendering()
    beyond = set()
    for axis in (each for axes in figure.axes for each in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low <= tick.get_loc() <= high:  # these are not drawn
                beyond |= {tick.label1, tick.label2}
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent()) for text in shown if text not in beyond]


def assert_legible(figure):
    assert figure.get_figwidth() == 7.0
    found = texts(figure)
    for text, box in found:
        assert min(box.x0, box.y0) >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text
        assert "nan" not in text.lower()
    for n, (one, a) in enumerate(found):
        for other, b in found[:n]:
            apart = a.x1 <= b.x0 + 0.7 or b.x1 <= a.x0 + 0.7 or a.y1 <= b.y0 + 0.7 or b.y1 <= a.y0 + 0.7
            assert apart, (one, other)
    for axes in figure.axes:
        assert axes.bbox.width > 72 or axes.get_label() == "<colorbar>"
        assert axes.bbox.height > 5


def values(mechanisms, n, scale=50.0):
    found = {}
    for k, name in enumerate(mechanisms):
        mean = scale / (k + 1) * np.linspace(1, 0.7, n)
        found[name] = np.array([mean, 0.95 * mean, 1.07 * mean])
    return found


def panel(levels, mechanisms=SHORT, numbers=None, **options):
    at = numbers or [None] * len(levels)
    of = options.pop("values", values(mechanisms, len(levels)))
    return SeriesPanel(options.pop("title", "Yb outside the core / %"), "axis", levels, at, of, **options)


def markers(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


# --- series ---


@pytest.mark.parametrize("mechanisms", [SHORT[:1], SHORT, NINE])
@pytest.mark.parametrize("panels", [1, 3, 4])
def test_no_text_of_a_series_is_clipped_or_overlaps_another(mechanisms, panels):
    some = [
        panel(["0.5 nm", "1 nm", "2 nm", "3 nm"], mechanisms, [0.5, 1, 2, 3]),
        panel(WORDS, mechanisms, title="Yb outside the core, as a share of all that the particle was given / %"),
        panel(["10 W/cm²", "1000 W/cm²", "10000 W/cm²"], mechanisms, [10, 1000, 10000], log=True),
        panel(["beta"], mechanisms),
    ]
    assert_legible(by_axis(some[:panels]))


def test_many_levels_leave_names_apart():
    assert_legible(by_axis([panel([f"recipe {n}" for n in range(60)], SHORT[:2]), panel(["beta"])]))
    near = [200.0, 201.0, 202.0, 300.0, 301.0]
    figure = by_axis([panel([f"{n:g} °C" for n in near], numbers=near)] * 3)
    assert_legible(figure)
    assert figure.axes[0].get_xticks().tolist() == near
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["200", "", "", "", "301"]
    assert figure.axes[0].get_xlabel() == "axis / °C"


def test_series_draws_the_numbers_given_in_order_of_the_levels():
    given = values(SHORT, 3)
    given["y-complex"][:, 1] = NAN
    given["gd-complex"][1:, 0] = NAN
    axes = by_axis([panel(["3 nm", "1 nm", "2 nm"], numbers=[3.0, 1.0, 2.0], values=given)]).axes[0]
    for label in SHORT:
        mean, low, high = given[label][:, [1, 2, 0]]
        assert markers(axes, label).get_xdata().tolist() == [1.0, 2.0, 3.0]
        assert np.array_equal(markers(axes, label).get_ydata(), mean, equal_nan=True)
        bars = next(c for c in axes.collections if isinstance(c, LineCollection) and c.get_label() == label)
        ends = np.array([part[:, 1] for part in bars.get_segments() if len(part)])
        assert np.array_equal(ends, np.array([low, high]).T[np.isfinite(low) & np.isfinite(high)])


def test_each_level_of_a_numeric_axis_has_its_own_name():
    axes = by_axis([panel(["3 nm", "1 nm", "2 nm"], numbers=[3.0, 1.0, 2.0])]).axes[0]
    names = [t.get_text() for t in axes.get_xticklabels()]
    assert dict(zip(axes.get_xticks(), names, strict=True)) == {3.0: "3", 1.0: "1", 2.0: "2"}


def test_equal_values_of_mechanisms_stand_beside_each_other():
    same = dict.fromkeys(SHORT, np.array([[5.0, 5.0], [4.0, 4.0], [6.0, 6.0]]))
    axes = by_axis([panel(["1 nm", "2 nm"], numbers=[1.0, 2.0], values=same)]).axes[0]
    axes.figure.draw_without_rendering()
    drawn = [markers(axes, name).get_transform().transform((1.0, 5.0))[0] for name in SHORT]
    assert (np.diff(drawn) > 2).all()
    assert np.ptp(drawn) < 0.2 * axes.figure.dpi


def test_light_is_drawn_over_decades_and_nothing_positive_is_not():
    bright = {"a": np.array([[1e3, 1e7], [1e2, 1e6], [1e4, 1e8]])}
    dark = {"a": np.zeros((3, 2))}
    figure = by_axis([panel(["1", "2"], values=each, log=True) for each in (bright, dark)])
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear"]
    assert figure.axes[0].get_ylim()[0] < 1e2
    assert figure.axes[0].get_ylim()[1] > 1e8
    wide = by_axis([panel(["1 nm", "10 nm", "100 nm"], numbers=[1, 10, 100])]).axes[0]
    assert wide.get_xscale() == "log"


def test_observable_without_a_value_says_so():
    figure = by_axis([panel(["beta", "alpha"], values={"a": np.full((3, 2), NAN)})])
    assert "no data" in [text for text, _ in texts(figure)]
    assert_legible(figure)


# --- forest ---


def rows(mechanisms, points):
    return [ForestRow(p, m, -9.0 - k, -9.5 - k, -8.25 - k) for p in points for k, m in enumerate(mechanisms)]


@pytest.mark.parametrize("mechanisms", [SHORT[:1], SHORT, NINE])
@pytest.mark.parametrize("points", [["all"], [POINT, "W" * 90], [f"point {n}" for n in range(15)]])
def test_no_text_of_a_forest_is_clipped_or_overlaps_another(mechanisms, points):
    for figure in forest(rows(mechanisms, points), XLABEL):
        assert_legible(figure)
        assert figure.get_figheight() < 10.6  # fits on A4


def test_forest_has_pages_with_one_axis_and_whole_points():
    given = [ForestRow(f"point {n}", name, n, n - 1.0, n + 1.0) for n in range(48) for name in SHORT[1:]]
    pages = forest(given, XLABEL)
    assert len(pages) == 3
    assert len({figure.axes[0].get_xlim() for figure in pages}) == 1
    names = [text.get_text() for figure in pages for text in figure.axes[0].texts]
    assert [name for name in names if name.startswith("point")] == [f"point {n}" for n in range(48)]
    assert len(forest(rows(["a"], [f"p{n}" for n in range(20)]), XLABEL)) == 1
    assert len(forest(rows([f"m{n}" for n in range(60)], ["one"]), XLABEL)) == 1
    assert len(forest(rows([f"m{n}" for n in range(61)], ["one"]), XLABEL)) == 2
    assert forest([], XLABEL) == []


def test_forest_draws_the_numbers_given_with_the_mechanisms_looks():
    given = [*rows(SHORT, ["p", "q"]), ForestRow("q", "alone", 3.0, NAN, NAN), ForestRow("q", "none", NAN, NAN, NAN)]
    axes = forest(given, XLABEL)[0].axes[0]
    points = [line for line in axes.lines if line.get_marker() not in ("None", "")]
    assert np.array_equal([line.get_xdata()[0] for line in points], [row.mean for row in given], equal_nan=True)
    bars = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() > 1]
    assert [tuple(bar) for bar in bars] == [(row.low, row.high) for row in given[:-2]]
    looks = legend.looks(row.mechanism for row in given)
    assert [line.get_color() for line in points] == [looks[row.mechanism]["color"] for row in given]
    assert [line.get_marker() for line in points] == [looks[row.mechanism]["marker"] for row in given]
    low, high = axes.get_xlim()
    assert low < min(row.low for row in given[:-2])
    assert high > 3.0
    at = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert at["no data"] == at["none"] == points[-1].get_ydata()[0]


# --- heat ---


def heats(x, y, **options):
    of = options.pop("values", np.linspace(0, 54.91, len(x) * len(y)).reshape(len(y), len(x)))
    return HeatMap(options.pop("title", "Yb outside / %"), "shell", "Yb in the core", x, y, of, **options)


@pytest.mark.parametrize("several", [1, 3, 4])
def test_no_text_of_a_map_is_clipped_or_overlaps_another(several):
    holes = np.array([[1.0, NAN], [1e7, 3.0], [NAN, NAN], [5.0, 2.0]])
    some = [
        heats(["0.5 nm", "1 nm", "2 nm"], ["19 %", "49 %"]),
        heats(["reflecting", "absorbing"], WORDS, values=holes, title=XLABEL),
        heats(["1"], ["2"], values=np.array([[3.0]]), diverging=True),
        heats(WORDS, ["a", "W" * 70]),
    ]
    assert_legible(heat_map(some[:several]))
    if several == 1:
        assert_legible(heat_map([heats([f"{n} nm" for n in range(20)], [f"level {n}" for n in range(12)])]))
        assert_legible(heat_map([heats(["1"], ["2"], values=np.array([[NAN]]))]))


def test_cells_hold_the_numbers_given_where_they_belong():
    given = np.array([[54.91, -3.2, 0.0], [NAN, 12.04, 7.0]])
    figure = heat_map([heats(["a", "b", "c"], ["low", "high"], values=given, diverging=True)])
    axes = figure.axes[0]
    mesh = next(c for c in axes.collections if isinstance(c, QuadMesh))
    assert np.array_equal(mesh.get_array().filled(NAN), given, equal_nan=True)
    assert mesh.norm.vmin == -mesh.norm.vmax == -54.91
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {(0, 0): "54.9", (1, 0): "−3.2", (2, 0): "0.0", (1, 1): "12.0", (2, 1): "7.0"}
    assert [p.get_xy() for p in axes.patches] == [(-0.5, 0.5)]
    assert axes.patches[0].get_hatch()
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["no data"]


def test_numbers_of_cells_are_legible_on_their_colour():
    figure = heat_map([heats(list("abcdefgh"), ["y"])])
    mesh = next(c for c in figure.axes[0].collections if isinstance(c, QuadMesh))
    inks = [to_hex(text.get_color()) for text in figure.axes[0].texts]
    assert inks[0] == "#ffffff"  # on dark blue
    assert inks[-1] == "#000000"  # on yellow
    for ink, value in zip(inks, mesh.get_array().ravel(), strict=True):
        red, green, blue, _ = np.array(mesh.cmap(mesh.norm(value))) ** 2.2
        on = 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        assert (1.05 / on if ink == "#ffffff" else on / 0.05) > 4.4


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ([54.91, -0.04, NAN], ["54.9", "0.0", ""]),
        ([0.0, 0.0], ["0", "0"]),
        ([345.4, 12.0], ["345", "12"]),
        ([0.0312, 0.002], ["0.0312", "0.0020"]),
        ([3e2, 1.24e9], ["3e2", "1.2e9"]),
        ([-2.5e-7, 1e-7], ["−2.5e-7".replace("-", "−"), "1e−7"]),
    ],
)
def test_numbers_of_cells_have_sensible_digits(given, written):
    assert heat.numbers(np.array(given)).tolist() == written


# --- tornado ---


def tornado_rows(n, name="assumption"):
    return [TornadoRow(f"{name} {k}", "other", -5.0 + k, -6.0 + k, -4.5 + k, k > 5) for k in range(n)]


@pytest.mark.parametrize("base", [(-5.0, -6.0, -4.0), (0.05, -0.1, 0.2), (0.0, NAN, NAN)])
@pytest.mark.parametrize("n", [1, 12, 60])
@pytest.mark.parametrize("name", ["a", "exchange of cations between particles through their $ligands$ " + "W" * 40])
def test_no_text_of_a_tornado_is_clipped_or_overlaps_another(n, base, name):
    assert_legible(tornado(tornado_rows(n, name), base, XLABEL))


def test_tornado_draws_from_the_base_the_largest_change_on_top():
    base = (-49.0, -51.0, -47.0)
    given = [
        TornadoRow("lattice", "beta", -52.0, -55.0, -49.0, False),
        TornadoRow("bath", "finite", 9.0, 5.0, 12.0, True),
        TornadoRow("lost", "x", NAN, NAN, NAN, False),
        TornadoRow("surface", "reflecting", -20.0, NAN, NAN, False),
    ]
    figure = tornado(given, base, XLABEL)
    axes = figure.axes[0]
    order = [given[1], given[3], given[0]]
    bars = [bar for bar in axes.patches if bar.get_y() > 0]
    assert [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars] == [(base[0], row.mean) for row in order]
    whiskers = [tuple(line.get_xdata()) for line in axes.lines if line.get_zorder() == 3]
    assert whiskers == [(5.0, 12.0), (-55.0, -49.0)]
    at = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert at["bath = finite"] < at["surface = reflecting"] < at["lattice = beta"] < at["lost = x"] == at["no data"]
    assert at["carries the verdict"] == at["bath = finite"]
    assert sum(text.get_text() == "carries the verdict" for text in axes.texts) == 1
    assert {"no difference", "base: −49"} <= set(at)
    colours = [to_hex(bar.get_facecolor()) for bar in bars]
    assert colours[0] != colours[1] == colours[2]
    assert_legible(figure)


# --- labels and legend ---


@pytest.mark.parametrize("text", [LONG, POINT, "W" * 70, "x", "", "a" * 30 + " b"])
@pytest.mark.parametrize("width", [0.5, 1.7, 3.0])
def test_fitted_text_is_no_wider_than_asked_and_loses_nothing(text, width):
    found = labels.fitted(text, width)
    assert labels.inches(found) <= width
    assert "".join(found.split()).replace("\\$", "$") == "".join(text.split())


def test_a_value_stays_with_its_name_and_a_unit_with_its_number():
    assert labels.wrapped("shell = 0.5 nm, Yb in the core = 19 %, cold", 16).splitlines() == [
        "shell = 0.5 nm,",
        "Yb in the",
        "core = 19 %,",
        "cold",
    ]


def test_a_dollar_is_a_dollar():
    shown = [text for text in by_axis([panel(["1", "2"], ["a $b$ c"])]).findobj(Text) if text.get_text().endswith("c")]
    assert shown
    assert all(text._preprocess_math(text.get_text()) == ("a $b$ c", False) for text in shown)


@pytest.mark.parametrize(
    ("axis", "levels", "expected"),
    [
        ("shell", ["0.5 nm", "1 nm"], ("shell / nm", ["0.5", "1"])),
        ("shell / nm", ["0.5 nm", "1 nm"], ("shell / nm", ["0.5", "1"])),
        ("shell / Å", ["0.5 nm", "1 nm"], ("shell / Å", ["0.5 nm", "1 nm"])),
        ("shell", ["5 Å", "1 nm"], ("shell", ["5 Å", "1 nm"])),
        ("surface", ["beta", "alpha"], ("surface", ["beta", "alpha"])),
        ("seed", ["1", "2"], ("seed", ["1", "2"])),
        ("pump", ["10 W/cm²", "1e3 W/cm²"], ("pump / W/cm²", ["10", "1e3"])),
    ],
)
def test_unit_of_all_levels_stands_at_the_axis(axis, levels, expected):
    assert labels.named(axis, levels) == expected
