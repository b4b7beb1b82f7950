"""Figures of light: colours of light, spread labels, and what is drawn is what was found."""

import numpy as np
import pytest

from ucnp_abm import Particle, light
from ucnp_abm.viz import ends, style
from ucnp_abm.viz import light as drawn

WORDS = dict.fromkeys(("radiated", "nonradiative", "vacancies", "surface", "activators"), "word")


def seen(core="NaGdF4: 40% Yb, 5% Tm", **options):
    grown = Particle.core_shell(core=core, diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1)
    return light(grown, **options)


@pytest.mark.parametrize(
    ("nm", "strongest"), [(450, "blue"), (475, "blue"), (545, "green"), (655, "red"), (800, "red"), (3000, "red")]
)
def test_light_has_its_colour(nm, strongest):
    colour = style.light_colour(nm)
    parts = dict(zip(("red", "green", "blue"), (int(colour[k : k + 2], 16) for k in (1, 3, 5)), strict=True))
    assert max(parts, key=parts.get) == strongest


@pytest.mark.parametrize("wanted", [[290, 345, 362, 450, 475], [300, 301, 302], [270, 870], [860, 865, 869]])
def test_labels_keep_their_order_and_a_gap_within_the_axes(wanted):
    found = drawn._spread(wanted, 50.0, 295.0, 845.0)
    assert (np.diff(found) >= 50 - 1e-9).all()
    assert found[0] >= 295 - 1e-9
    assert found[-1] <= 845 + 1e-9


def test_spectrum_labels_every_line_that_shines():
    found = seen()
    figure = drawn.spectrum({"as grown": found}, "conditions")
    texts = " ".join(text.get_text() for text in figure.axes[0].texts)
    for name in found.lines():
        assert f"{name} nm" in texts
    assert figure.axes[0].get_yscale() == "log"


def test_equal_lines_are_curves_on_a_linear_scale(monkeypatch):
    monkeypatch.setattr(drawn, "FEW_DECADES", 1e30)
    assert drawn.spectrum({"as grown": seen()}, "conditions").axes[0].get_yscale() == "linear"


def test_decays_mark_both_lifetimes_of_both_drives():
    found = seen()
    figure = drawn.decays(found, "conditions")
    for axes, drive in zip(figure.axes, ("pulse", "cw-off"), strict=True):
        lived = found.lifetimes(450, drive)
        words = [text.get_text() for text in axes.get_legend().get_texts()]
        assert words[0].endswith(f"{1e3 * lived.to_1_e_s:.3g} ms")
        assert words[1].endswith(f"{1e3 * lived.integral_s:.3g} ms")
        mark = next(line for line in axes.lines if line.get_marker() == "o")
        assert mark.get_ydata()[0] == pytest.approx(1 / np.e, rel=1e-3)


def test_map_gives_each_yb_the_energy_that_dies_there():
    found = seen()
    figure = ends.ends(found, "conditions", WORDS)
    assert figure.axes[0].collections
    died = found.glows[0].fate.dwell_s * found.glows[0].network.quenching
    assert died.sum() == pytest.approx(found.shares["vacancies"] + found.shares["surface"], rel=1e-9)
    words = [text.get_text() for text in figure.axes[2].texts]
    assert f"{100 * found.shares['vacancies']:.2g} %" in words


def test_box_and_crystal_without_activators_can_be_drawn():
    box = Particle.box(lattice="beta", cells=(5, 5, 5), composition="NaYF4: 20% Yb", vacancies=2, seed=1)
    for each in (light(box), seen("NaGdF4: 40% Yb")):
        assert ends.ends(each, "conditions", WORDS).axes


def test_course_without_light_says_why():
    rows = [{"steps": n, "i_450_per_s": None, "qy_all": None, "k_eff_per_s": 2.0, "why": "no Tm"} for n in (0, 1, 2)]
    figure = drawn.courses(rows, "conditions")
    assert [text.get_text() for text in figure.axes[0].texts] == ["no Tm"]
    assert figure.axes[2].lines
