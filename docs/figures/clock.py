"""Figures of the clock: waiting times, counts, and survival while the temperature changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from common import ATTEMPT, BLUE, GREY, INK, ORANGE, PURPLE, heading, oracle, rate, share_interval, sheet
from matplotlib.figure import Figure
from scipy.special import exp1
from scipy.stats import binom, kstest, poisson

from ucnp_abm import Simulation, mechanism
from ucnp_abm.units import BOLTZMANN

KELVIN = 573.15


def clock() -> Figure:
    """Waiting times between events, and events in equal times, at a constant total rate with null candidates."""
    exact = oracle("test_clock")
    barriers = (1.60, 1.65)
    total = 2 * rate(barriers[0], KELVIN) + 6 * rate(barriers[1], KELVIN)
    figure, (left, right) = sheet(
        "Waiting times are exponential and counts are Poisson, null candidates or not", 2, 2.7
    )
    n = 6000
    looks = {"rejection": (BLUE, "o"), "linear-scan": (ORANGE, "s")}
    for k, (scheduler, (colour, marker)) in enumerate(looks.items()):
        simulation = Simulation(exact.box(), exact.two_bonds(*barriers), KELVIN, seed=2, scheduler=scheduler)
        times = [0.0]
        for _ in range(n):
            simulation.run(events=1)
            times.append(simulation.time)
        waits = np.sort(np.diff(times)) * total
        null = simulation.state.candidates - simulation.state.events
        p = kstest(waits, "expon").pvalue
        print(f"{scheduler}: {n} waits, mean x Q {waits.mean():.4f}, {null} null candidates, KS p = {p:.3f}")
        label = f"{scheduler}: {null} null candidates"
        chosen = np.unique(np.round(n * (1 - np.exp(-np.arange(0.15 + 0.15 * k, 8.5, 0.3)))).astype(int).clip(0, n - 1))
        left.plot(waits[chosen], 1 - chosen / n, ls="", marker=marker, color=colour, label=label)
        counted = Simulation(exact.box(), exact.two_bonds(*barriers), KELVIN, seed=3, scheduler=scheduler)
        marks = [0]
        for m in range(1, n + 1):
            counted.run_to(time=m * 4.0 / total)
            marks.append(counted.state.events)
        counts = np.bincount(np.diff(marks), minlength=14)
        print(f"  counts: mean {np.diff(marks).mean():.3f}, variance {np.diff(marks).var():.3f} (both 4)")
        ends = np.array([share_interval(int(c), n) for c in counts])
        at = np.arange(counts.size) + 0.16 * (2 * k - 1)
        right.errorbar(at, counts / n, np.abs(ends.T - counts / n), ls="", marker=marker, color=colour,
                       elinewidth=0.8, label=scheduler)  # fmt: skip
    t = np.linspace(0, 9, 200)
    low, high = (np.maximum(binom.ppf(q, n, np.exp(-t)) / n, 1e-5) for q in (0.025, 0.975))
    left.fill_between(t, low, high, color=GREY, alpha=0.3, lw=0, label="95 % at each time")
    left.plot(t, np.exp(-t), color=INK, lw=0.9, label="exp(-Qt)")
    left.set(yscale="log", xlim=(0, 9), ylim=(1e-4, 1.3), xlabel="waiting time × Q (Q: total rate)")
    left.set_ylabel("share of waits that are longer")
    left.legend(loc="upper right")
    heading(left, f"{n} waits between events")
    whole = np.arange(14)
    right.bar(whole, poisson.pmf(whole, 4), width=0.9, color=GREY, alpha=0.3, lw=0, label="Poisson, mean 4")
    right.set(xlabel="events in a window of 4 / Q", ylabel="share of windows (95 % bars)", xlim=(-0.6, 13.6))
    right.set_xticks(range(0, 14, 2))
    right.legend(loc="upper right")
    heading(right, f"{n} windows of equal length")
    return figure


COLD, RISE, RAMP = 473.15, 200.0, 600.0
"""K, K and s of a ramp under which a vacancy's first hop is likely to fall into the middle."""


def ramp() -> Figure:
    """Survival of a vacancy's first hop under a ramp of laser-thermal, and under its pulses."""
    figure, (left, right) = sheet(
        "A vacancy survives a ramp and a train of pulses as the integral of its rate says", 2, 2.8
    )
    n = 10_000
    fine = np.linspace(0.1, RAMP, 600)
    left.plot(_kelvin(fine) - 273.15, np.exp(-_depth(fine)), color=INK, lw=1, label="linear ramp, closed form (E₁)")
    for stairs, colour, marker in ((5, ORANGE, "^"), (20, PURPLE, "D"), (100, BLUE, "o")):
        driven = mechanism("no-complex+laser-thermal", shape="ramp", rise=RISE, ramp_time=RAMP, stairs=stairs)
        times = _first_events(driven, n, seed=stairs)
        edges = np.linspace(0, RAMP, stairs + 1)
        rates = [8 * rate(1.65, COLD + RISE * (k + 0.5) / stairs) for k in range(stairs)]
        passed = np.concatenate([[0.0], np.cumsum(np.diff(edges) * rates)])
        left.plot(_kelvin(fine) - 273.15, np.exp(-np.interp(fine, edges, passed)), color=colour, lw=0.7)
        shares = (np.arange(0.05, 0.99, 0.09) * n).astype(int)
        left.plot(_kelvin(times[shares]) - 273.15, 1 - shares / n, ls="", marker=marker, color=colour,
                  label=f"{stairs} stairs, {n} runs")  # fmt: skip
        own = kstest(np.exp(-np.interp(times, edges, passed)), "uniform").pvalue
        ideal = kstest(np.exp(-_depth(times)), "uniform").pvalue
        print(f"{stairs} stairs: KS p = {own:.3f} against its staircase, {ideal:.2g} against the linear ramp")
    left.set(xlabel="temperature of a linear ramp at that time / °C", ylabel="share of vacancies that have not hopped")
    left.set(xlim=(205, 345), ylim=(0, 1.03))
    left.legend(loc="upper right")
    heading(left, f"200 °C + {RISE:.0f} K in {RAMP / 60:.0f} min: 5 stairs are coarse, 100 are a ramp")
    _pulses(right, n)
    return figure


def _pulses(axes: Any, n: int) -> None:
    course = {"pulse_time": 5.0, "period": 30.0, "pulses": 20, "rise": 40.0}
    cold, hot = 8 * rate(1.65, COLD + 20), 8 * rate(1.65, COLD + 20 + course["rise"])
    driven = mechanism("no-complex+laser-thermal", shape="pulses", **course)
    times = _first_events(driven, n, COLD + 20)
    edges = np.array([t for k in range(20) for t in (30.0 * k, 30.0 * k + 5.0)] + [600.0])
    passed = np.concatenate([[0.0], np.cumsum(np.diff(edges) * np.tile([hot, cold], 20))])
    p = kstest(np.exp(-np.interp(times, [*edges, 1e6], [*passed, passed[-1] + cold * (1e6 - 600)])), "uniform").pvalue
    print(f"pulses: rates {cold:.3g} and {hot:.3g} /s, KS p = {p:.3f}")
    for k in range(8):
        axes.axvspan(
            30.0 * k,
            30.0 * k + 5.0,
            ymax=1 / 1.3,
            color=ORANGE,
            alpha=0.25,
            lw=0,
            label="pulse: +40 K" if k == 0 else None,
        )
    t = np.linspace(0, 240, 961)
    axes.plot(t, np.exp(-np.interp(t, edges, passed)), color=INK, lw=1, label="closed form")
    marks = np.arange(2.5, 240, 7.5)
    left = np.array([(times > m).mean() for m in marks])
    ends = np.array([share_interval(round(x * n), n) for x in left])
    axes.errorbar(
        marks,
        left,
        np.abs(ends.T - left),
        ls="",
        marker="o",
        ms=2.5,
        color=BLUE,
        elinewidth=0.7,
        label=f"{n} runs (95 %)",
    )
    axes.set(xlabel="time / s", ylabel="share of vacancies that have not hopped", xlim=(0, 240), ylim=(0, 1.3))
    axes.set_yticks(np.arange(0, 1.1, 0.2))
    axes.legend(loc="upper right", ncols=3, columnspacing=1.0, handlelength=1.2)
    heading(axes, "220 °C with pulses of 5 s every 30 s")


def _kelvin(time: Any) -> Any:
    """Temperature / K of the linear ramp."""
    return COLD + RISE * np.minimum(time, RAMP) / RAMP


def _depth(time: Any) -> Any:
    """∫ Q dt of the linear ramp: with T = T0 + bt, ∫ exp(-e/T) dT = T exp(-e/T) - e E1(e/T), e = E/k."""
    e = 1.65 / BOLTZMANN

    def primitive(kelvin: Any) -> Any:
        return kelvin * np.exp(-e / kelvin) - e * exp1(e / kelvin)

    return 8 * ATTEMPT * RAMP / RISE * (primitive(_kelvin(time)) - primitive(COLD))


def _first_events(driven: Any, n: int, kelvin: float = COLD, seed: int = 4) -> np.ndarray:
    """(n,) sorted times / s of the first event, over and over from one start."""
    simulation = Simulation(oracle("test_clock").box(), driven, kelvin, seed=seed)
    before = simulation.state.copy()
    times = np.empty(n)
    for k in range(n):
        oracle("naive").rewind(simulation, before)
        simulation.run(events=1)
        times[k] = simulation.time
    return np.sort(times)
