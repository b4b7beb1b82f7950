import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucnp_abm import Protocol
from ucnp_abm.errors import BadInput


def test_one_step_is_four_seconds_at_300_celsius_on_beta():
    assert Protocol.parse("300 °C").time(1, 8) == pytest.approx(4.03, abs=0.01)
    assert Protocol.parse("300 °C for 1 h").steps(3600, 8) == pytest.approx(893, abs=1)


def test_steps_per_hour_at_other_temperatures():
    assert Protocol.parse("200 °C").steps(3600, 8) == pytest.approx(0.8, abs=0.05)
    assert Protocol.parse("350 °C").steps(3600, 8) == pytest.approx(1.3e4, rel=0.03)


@given(st.floats(0, 1e5), st.sampled_from(["300 °C", "200 °C for 1 h, 300 °C for 2 h", "250 °C for 10 s, 350 °C"]))
def test_time_is_the_inverse_of_steps(steps, text):
    protocol = Protocol.parse(text)
    assert protocol.steps(protocol.time(steps, 8), 8) == pytest.approx(steps, rel=1e-9, abs=1e-12)


def test_phases_and_duration():
    protocol = Protocol.parse("200 °C for 1 h, 300 °C for 30 min")
    assert protocol.edges == (0.0, 3600.0)
    assert protocol.duration == 5400.0
    assert protocol.temperature(3599) == pytest.approx(473.15)
    assert protocol.temperature(3600) == pytest.approx(573.15)
    assert math.isinf(Protocol.parse("300 °C").duration)


def test_a_change_keeps_the_past():
    protocol = Protocol.parse("200 °C for 1 h, 300 °C").changed(1000.0, 500.0)
    assert protocol.edges == (0.0, 1000.0)
    assert protocol.temperature(999) == pytest.approx(473.15)
    assert protocol.temperature(5000) == 500.0


@pytest.mark.parametrize(
    "bad", ["0 K", "-300 °C", "300 °C for", "300 °C, 200 °C", "hot", "", "300 °C for 0 s", 0, "nan K"]
)
def test_bad_protocol_is_refused(bad):
    with pytest.raises(BadInput):
        Protocol.parse(bad)


@pytest.mark.parametrize(
    ("edges", "temperatures"),
    [((), ()), ((0.0, 10.0), (573.0,)), ((1.0,), (573.0,)), ((0.0, 5.0, 5.0), (500.0,) * 3), ((0.0,), (-5.0,))],
)
def test_a_protocol_made_by_hand_is_checked(edges, temperatures):
    with pytest.raises(BadInput):
        Protocol(edges, temperatures)
