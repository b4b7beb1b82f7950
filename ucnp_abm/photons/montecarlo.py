"""Many excitations at once by kinetic Monte Carlo: the reference for small particles.

Every ion is in one level at a time. Ions absorb, decay and trade energy with the rates of the rate equations, but
nothing is averaged: each finds its partners as they are at that moment. What the equations of single ions leave out,
correlations, is the difference between the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ucnp_abm import seeds
from ucnp_abm.errors import BadInput, shown
from ucnp_abm.kernels.exciton_arrays import EVENTS
from ucnp_abm.photons.events import Counts, Run
from ucnp_abm.photons.excitons import Told, told
from ucnp_abm.photons.levels import Emission
from ucnp_abm.photons.system import System

Floats = NDArray[np.float64]

EVENTS_WANTED = 5_000_000
BLOCKS = 32
"""Parts of a run whose scatter gives the standard errors."""
BURN_IN = 10.0
"""Time that is thrown away first, in longest lifetimes of any level."""
MOST_CANDIDATES = 20_000_000_000
"""Longer runs are refused: hours."""


@dataclass(frozen=True, eq=False)
class Averages:
    """Averages over time under a constant pump. Standard errors are those of the means of blocks of time.

    Attributes
    ----------
    yb, yb_error : (n,) float64
        Share of time that each Yb is excited.
    activators, activators_error : mapping
        (a, L) populations by symbol.
    mean, mean_error : mapping
        (L,) populations averaged over all ions of a kind, by symbol, Yb too.
    emissions : tuple of (Emission, float)
        Photons per second of each radiative transition: populations times rates.
    seconds, block : float
        Time averaged over, and of one block / s.
    longest : float
        Longest lifetime / s of any level alone; blocks that are not much longer make the errors too small.
    counts : Counts
        Of the same time.
    stored : tuple of dict
        Ions in each level, (L,) by symbol, at its beginning and at its end.
    """

    yb: Floats
    yb_error: Floats
    activators: dict[str, Floats]
    activators_error: dict[str, Floats]
    mean: dict[str, Floats]
    mean_error: dict[str, Floats]
    emissions: tuple[tuple[Emission, float], ...]
    seconds: float
    block: float
    longest: float
    counts: Counts
    stored: tuple[dict[str, NDArray[np.int64]], dict[str, NDArray[np.int64]]]


@dataclass(frozen=True, eq=False)
class Traces:
    """Decay after a pulse, averaged over repeats.

    Attributes
    ----------
    times : (T,) float64
        s after the pulse.
    mean, error : mapping
        (T, L) populations averaged over all ions of a kind and all repeats, by symbol, and their standard errors.
    repeats : int
    counts : Counts
        Of all repeats, up to the last time.
    """

    times: Floats
    mean: dict[str, Floats]
    error: dict[str, Floats]
    repeats: int
    counts: Counts


def monte_carlo(
    system: System,
    pump: float | None = None,
    *,
    seconds: float | None = None,
    events: int | None = None,
    burn_in: float | None = None,
    seed: int = 0,
    blocks: int = BLOCKS,
) -> Averages:
    """Populations under a constant pump.

    Parameters
    ----------
    system : System
        At most 20 000 Yb and activators.
    pump : float or None
        G / 1/s; None: as the optics say.
    seconds : float or None
        Time to average over / s of the crystal's time.
    events : int or None
        About how many events to average over, if no time is given: the time is chosen by the rate of events in the
        burn-in, so that when the run ends does not depend on what happens in it. None: five million.
    burn_in : float or None
        Time / s before, from the ground state on; None: ten times the longest lifetime of any level, and until ten
        thousand events if a number of events was asked for.
    seed : int
    blocks : int
        Parts whose scatter gives the standard errors.

    Raises
    ------
    BadInput
        If the system is too large, an argument makes no sense, or the run would take more than 2·10¹⁰ candidates.
    """
    g = system.optics.set.pump(system.optics.intensity) if pump is None else _positive(pump, "pump")
    if seconds is not None and events is not None:
        raise BadInput("light: give seconds or events, not both")
    n_blocks = _whole(blocks, "blocks", 2)
    wanted = _whole(EVENTS_WANTED if events is None else events, "events", 1)
    length = None if seconds is None else _positive(seconds, "seconds")
    first = None if burn_in is None else _positive(burn_in, "burn_in", zero=True)
    these = told(system)
    run = Run(these, g, seed)
    first = BURN_IN * these.longest if first is None else first
    run.go(first)
    if length is None:
        length = _length(run, first, wanted, more=burn_in is None)
    _affordable(run, length)
    begun = run.stored()
    run.forget()
    means, square = np.zeros((these.n_ions, max(these.levels))), np.zeros((these.n_ions, max(these.levels)))
    of_kind = []
    for n in range(1, n_blocks + 1):
        share = run.block(length / n_blocks)
        change = share - means
        means += change / n
        square += change * (share - means)
        of_kind.append([share[these.slice(kind)].mean(axis=0) for kind in range(len(these.symbols))])
    errors = np.sqrt(square / (n_blocks * (n_blocks - 1)))
    kinds = np.array(of_kind)
    mean, error = kinds.mean(axis=0), kinds.std(axis=0, ddof=1) / math.sqrt(n_blocks)
    own = list(enumerate(zip(these.symbols, these.levels, strict=True)))
    return Averages(
        yb=means[: these.starts[1], 1],
        yb_error=errors[: these.starts[1], 1],
        activators={symbol: means[these.slice(k), :n] for k, (symbol, n) in own[1:]},
        activators_error={symbol: errors[these.slice(k), :n] for k, (symbol, n) in own[1:]},
        mean={symbol: mean[k, :n] for k, (symbol, n) in own},
        mean_error={symbol: error[k, :n] for k, (symbol, n) in own},
        emissions=_emissions(system, these, mean),
        seconds=length,
        block=length / n_blocks,
        longest=these.longest,
        counts=run.counts(),
        stored=(begun, run.stored()),
    )


def monte_carlo_pulse(system: System, times: ArrayLike, share: float, *, repeats: int = 100, seed: int = 0) -> Traces:
    """Decay of all levels after a pulse that excites Yb at random, without a pump.

    Parameters
    ----------
    system : System
        At most 20 000 Yb and activators.
    times : (T,) array
        s after the pulse, ascending.
    share : float
        Probability with which the pulse excites each Yb.
    repeats : int
    seed : int

    Raises
    ------
    BadInput
        If the system is too large or an argument makes no sense.
    """
    grid = np.array(times, dtype=float)
    if grid.ndim != 1 or not grid.size or not np.isfinite(grid).all() or grid[0] < 0 or (np.diff(grid) < 0).any():
        raise BadInput("light: times: expected an ascending list of times / s from 0 on")
    if not 0 < share <= 1:
        raise BadInput(f"light: share: expected a share of the Yb above 0 and at most 1, got {shown(share)}")
    _whole(repeats, "repeats", 2)
    these = told(system)
    run = Run(these, 0.0, seed, grid)
    random = seeds.generator(seed, "pulse")
    total, square = np.zeros(run.state.told.shape), np.zeros(run.state.told.shape)
    for _ in range(repeats):
        these.reset(run.state, np.flatnonzero(random.random(system.n_yb) < share))
        run.state.told[...] = 0
        run.on(np.nextafter(grid[-1], math.inf))
        total += run.state.told
        square += run.state.told.astype(float) ** 2
    mean = total / repeats
    error = np.sqrt(np.maximum(square / repeats - mean**2, 0.0) / (repeats - 1))
    size = [(k, symbol, n, these.starts[k + 1] - these.starts[k])
            for k, (symbol, n) in enumerate(zip(these.symbols, these.levels, strict=True))]  # fmt: skip
    return Traces(
        times=grid,
        mean={symbol: mean[:, k, :n] / ions for k, symbol, n, ions in size},
        error={symbol: error[:, k, :n] / ions for k, symbol, n, ions in size},
        repeats=repeats,
        counts=run.counts(),
    )


def _length(run: Run, first: float, wanted: int, more: bool) -> float:
    """Time / s of so many events, by their rate in a burn-in, which may go on until they are enough to tell."""
    enough = min(wanted, 10_000)
    for _ in range(40 if more else 0):
        if run.state.tally[EVENTS] >= enough:
            break
        run.go(first)
        first *= 2
    happened = int(run.state.tally[EVENTS])
    if happened < min(enough, 100):
        raise BadInput(
            f"light: {happened} events in a burn-in of {first:.3g} s are too few to choose a time by; give seconds"
        )
    return first * wanted / happened


def _affordable(run: Run, seconds: float) -> None:
    """Refuse a run that would not end, by the rate of candidates at its start."""
    state = run.state
    rate = run.pump * run.these.starts[1] + float(state.block.sum())
    if rate * seconds > MOST_CANDIDATES:
        raise BadInput(
            f"light: {seconds:.3g} s at {rate:.3g} candidates per second are more than {MOST_CANDIDATES:.0e}: hours of "
            "computing; take a shorter time, or the rate equations"
        )


def _emissions(system: System, these: Told, mean: Floats) -> tuple[tuple[Emission, float], ...]:
    found: list[tuple[Emission, float]] = []
    for kind, symbol in enumerate(these.symbols):
        ions = these.starts[kind + 1] - these.starts[kind]
        emissions = system.optics.set.ion(symbol).emissions
        found += [(each, float(ions * mean[kind, each.level] * each.rate)) for each in emissions]
    return tuple(sorted(found, key=lambda pair: pair[0].wavelength_nm))


def _positive(value: float, what: str, zero: bool = False) -> float:
    number = not isinstance(value, (bool, str)) and isinstance(value, (int, float, np.integer, np.floating))
    if not (number and math.isfinite(value) and (value >= 0 if zero else value > 0)):
        raise BadInput(f"light: {what}: expected a number {'from 0 on' if zero else 'above 0'}, got {shown(value)}")
    return float(value)


def _whole(value: int, what: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise BadInput(f"light: {what}: expected a whole number from {least} on, got {shown(value)}")
    return int(value)
