import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucnp_abm.crystal.composition import parse
from ucnp_abm.errors import BadInput


def test_host_takes_what_the_dopants_leave():
    assert parse("NaGdF4: 49% Yb, 1% Tm").shares == (("Gd", 0.5), ("Yb", 0.49), ("Tm", 0.01))


def test_text_without_sodium_is_for_lattices_without_sodium():
    assert not parse("Y: 25% Gd").sodium
    assert parse("NaYF4").sodium


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("NaGdF4: 60% Yb, 60% Tm", "add up to 120 %"),
        ("NaGdF4: 49% Yv", "did you mean 'Yb'"),
        ("NaGdF4: 49% Yb, 1% Yb", "given twice"),
        ("NaGdF4: 49% Gd", "given twice"),
        ("NaGdF4: -1% Yb", "expected 0 to 100 %"),
        ("NaGdF4: Yb", "expected a dopant such as"),
        ("NaGdF4: 1e% Yb", "expected a dopant such as"),
        ("NaGd", "expected a host such as"),
        ("NaCaF4", "unknown species 'Ca'"),
        ("", "expected a host such as"),
        (4, "expected text"),
    ],
)
def test_bad_composition_is_one_clear_sentence(text, says):
    with pytest.raises(BadInput, match=says):
        parse(text)


@given(st.lists(st.integers(0, 33), min_size=1, max_size=3))
def test_shares_always_add_up_to_one(percents):
    text = ", ".join(f"{p}% {s}" for p, s in zip(percents, ("Yb", "Tm", "Er"), strict=False))
    assert sum(share for _, share in parse(f"NaGdF4: {text}").shares) == pytest.approx(1.0, abs=1e-12)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(BadInput):
        parse(text)
