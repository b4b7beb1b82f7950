"""A long run that is watched: conservation after every block, statistics against closed forms, memory.

python tests/bench/soak.py                      1e9 events of a box and of the paper's particle, fewer of the others
python tests/bench/soak.py --events 1e8 box     another length, some of the systems

An independent ledger (ledger.py) carries out every event again and is compared with the state after each block. Where
the law knows only the mover and no site differs in energy, all arrangements are equally likely, so acceptance and the
shares of movers and directions have closed forms; correlated numbers are judged by batch means. It exits with 1 if a
check fails: a difference anywhere, or a statistic that the truth would give once in 10 000 runs.
"""

import argparse
import itertools
import math
import resource
import sys
import time
from collections import Counter

import numpy as np
from ledger import Ledger
from numba import njit
from scipy import stats

from ucnp_abm import Simulation, mechanism
from ucnp_abm.crystal.particle import Box
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.engine.timeline import KEPT_BYTES
from ucnp_abm.kernels.random_words import words
from ucnp_abm.kernels.tree import build
from ucnp_abm.study.cells import PAPER_PARTICLE
from ucnp_abm.study.throughput import RATIOS, TEMPERATURE, mechanism_of
from ucnp_abm.units import BOLTZMANN

BLOCK, BURN_IN, BATCHES, ALPHA, SLACK = 1_000_000, 10_000_000, 100, 1e-4, 8_000_000
FASTEST = 1e13 * math.exp(-1.65 / (BOLTZMANN * TEMPERATURE))
"""Hop rate / s⁻¹ of the fastest mover of all systems whose statistics are checked."""


def box(cells, kind="four", vacancies=0.01, scheduler="rejection"):
    particle = Box("fcc", (cells,) * 3, "Y: 25% Gd, 25% Yb, 25% Tm", vacancies=vacancies).build(1)
    return Simulation(particle, mechanism_of(kind), TEMPERATURE, seed=3, scheduler=scheduler)


def bath():
    """Docking and undocking for ever, between the particle and 3000 complexes."""
    rules = mechanism("y-complex", dock_barrier=1.65, chemical_potential=MU, reservoir=3000)
    return Simulation(PAPER_PARTICLE.build(1), rules, TEMPERATURE, seed=3)


MU = 0.1
"""eV: at this potential of the complex a few per cent of the sites are vacant."""
SYSTEMS = {
    "box": ("four species, fcc, periodic", lambda: box(12), dict(zip(("Y", "Gd", "Yb", "Tm"), RATIOS, strict=True)), 1),
    "particle": (
        "paper's particle, no-complex",
        lambda: Simulation(PAPER_PARTICLE.build(1), mechanism("no-complex"), TEMPERATURE, seed=3),
        dict.fromkeys(SPECIES, 1.0),
        1,
    ),
    "lone": ("one vacancy, four species, fcc", lambda: box(6, vacancies=1), None, 10),
    "bath": ("paper's particle, y-complex, finite bath, reversible", bath, {}, 10),
    "tree": ("stiff neighbours, fcc, sum tree", lambda: box(12, "stiff neighbours", scheduler="sum-tree"), {}, 100),
}
SYSTEMS["lone"] = (*SYSTEMS["lone"][:2], SYSTEMS["box"][2], 10)


@njit(nogil=True)
def _bytes(first, last, keys, seen):
    for n in range(first + 1, last + 1):
        w = words(n, keys)
        for k in range(4):
            for b in range(8):
                seen[k, b, (w[k] >> np.uint64(8 * b)) & np.uint64(255)] += 1


@njit(nogil=True, _nrt=False, error_model="numpy")
def _build(lattice, state, rates, sums, c):
    build(lattice, state, rates, sums, c)


def resident():
    """Bytes of this process that lie in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def doors(crystal):
    """Number of sites that have a neighbour, by direction."""
    place = crystal.place[crystal.sites]
    inside = np.zeros(crystal.place.size, dtype=bool)
    inside[crystal.sites] = True
    if crystal.periodic:
        return np.full(crystal.z, crystal.n_sites)
    steps = crystal.sites[:, None].astype(np.int64) + crystal.offset[place]
    return inside[steps].sum(axis=0)


def expected(simulation, ratio):
    """Acceptance, and shares of movers and directions, if all arrangements of the occupants are equally likely."""
    counts = {s: n for s, n in simulation.particle.counts.items() if s != "vacancy"}
    n, open_doors = simulation.crystal.n_sites, doors(simulation.crystal)
    weight = {s: count * ratio[s] for s, count in counts.items()}
    total = sum(weight.values())
    acceptance = open_doors.sum() / (n * simulation.crystal.z) * total / (n - 1)
    return acceptance, {s: w / total for s, w in weight.items()}, open_doors / open_doors.sum()


def way_back(simulation, ratio):
    """Share of hops of a lone vacancy that undo its last one: the other z - 1 neighbours are a random draw."""
    counts = {s: n for s, n in simulation.particle.counts.items() if s != "vacancy"}
    total, others = sum(n * ratio[s] for s, n in counts.items()), simulation.crystal.z - 1
    share = 0.0
    for mover, n_mover in counts.items():
        left = {s: n - (s == mover) for s, n in counts.items()}
        ways = math.comb(sum(left.values()), others)
        for drawn in itertools.combinations_with_replacement(counts, others):
            number = Counter(drawn)
            likely = math.prod(math.comb(left[s], k) for s, k in number.items()) / ways
            back = ratio[mover] / (ratio[mover] + sum(k * ratio[s] for s, k in number.items()))
            share += n_mover * ratio[mover] / total * likely * back
    return share


class Table:
    """The checks of one system."""

    def __init__(self):
        self.failed = 0

    def row(self, what, measured, truth, verdict, passed):
        self.failed += not passed
        print(f"  {what:<46}{measured:>16}{truth:>16}  {verdict:<30}{'pass' if passed else 'FAIL'}", flush=True)

    def number(self, what, measured, truth, z, tails=stats.norm):
        p = 2 * tails.sf(abs(z))
        self.row(what, f"{measured:.8g}", f"{truth:.8g}", f"z = {z:+.2f}", p > ALPHA)

    def batches(self, what, parts, wholes, truth):
        """The share sum(parts) / sum(wholes) against its truth, with the spread of the batches as its error."""
        z, share = batch_z(parts, wholes, truth)
        self.number(what, share, truth, z, stats.t(len(parts) - 1))

    def shares(self, what, parts, wholes, truths):
        """The one of several shares that is furthest out, its chance corrected for their number."""
        found = [batch_z(parts[:, n], wholes, truth) for n, truth in enumerate(truths)]
        worst = int(np.argmax([abs(z) for z, _ in found]))
        z, share = found[worst]
        p = 1 - (1 - 2 * stats.t(len(parts) - 1).sf(abs(z))) ** len(truths)
        verdict = f"largest z = {z:+.2f}, p = {p:.2g}"
        self.row(f"{what}, {len(truths)}", f"{share:.8g}", f"{truths[worst]:.8g}", verdict, p > ALPHA)


def batch_z(parts, wholes, truth):
    share = parts.sum() / wholes.sum()
    residual = (parts - truth * wholes) / wholes.mean()
    error = residual.std(ddof=1) / math.sqrt(residual.size)
    return (residual.mean() / error if error > 0 else 0.0 if residual.mean() == 0 else math.inf), share


def soak(name, events):
    """Run one system; returns the number of failed checks."""
    title, make, ratio, _ = SYSTEMS[name]
    simulation = make()
    state, table = simulation.state, Table()
    simulation.remember(BLOCK)
    simulation.run(events=min(BURN_IN, events // 10))
    ledger, start = Ledger(simulation), state.copy()
    differences, begin, spent, memory = [], time.process_time(), 0.0, []
    print(
        f"\n{name}: {title}; {simulation.crystal.n_sites} sites, {state.n_vacancies} vacancies, {simulation.scheduler}"
    )
    n_blocks = max(events // BLOCK, BATCHES)
    size = min(events // n_blocks, BLOCK)
    blocks = np.zeros((n_blocks, 3 + ledger.moved.size + ledger.turned.size))
    for block in range(n_blocks):
        candidates, moved, turned, back = state.candidates, ledger.moved.copy(), ledger.turned.copy(), ledger.reversals
        at, clock = time.process_time(), state.time
        simulation.run(events=size)
        spent += time.process_time() - at
        differences += ledger.follow() + ledger.compare()
        if not state.time > clock:
            differences.append("a clock that stands still")
        if simulation.scheduler == "sum-tree":
            kept, c = simulation._loop.sums.node.copy(), int(simulation._loop.sums.condition[0])
            _build(*simulation._loop[:3], simulation._loop.sums, c)
            if not np.array_equal(kept, simulation._loop.sums.node):
                differences.append("a tree that is not the one built afresh")
        blocks[block, :3] = size, state.candidates - candidates, ledger.reversals - back
        blocks[block, 3:] = *(ledger.moved - moved), *(ledger.turned - turned)
        if block == 0:
            first = resident()  # the ledger is compiled by now
        if block % max(1, n_blocks // 10) == n_blocks // 10 - 1:
            memory.append(resident())
            done, pace = state.events - start.events, (block + 1) * size / spent / 1e6
            print(
                f"  {done:>13,} events, {pace:5.1f} M/s of the loop, resident {memory[-1] / 1e6:.1f} MB, "
                f"differences {len(differences)}",
                flush=True,
            )
        if differences:
            break
    done = state.events - start.events
    print(f"  {time.process_time() - begin:.0f} s of CPU, ledger and comparisons included")
    print(f"  {'check':<46}{'measured':>16}{'exact':>16}")
    table.row(
        f"differences from the ledger in {block + 1} blocks",
        str(len(differences)),
        "0",
        "; ".join(differences[:2]),
        not differences,
    )
    growth, room = (memory or [resident()])[-1] - first, KEPT_BYTES + state.nbytes + SLACK
    table.row(
        "growth of resident memory / MB", f"{growth / 1e6:.1f}", f"<= {room / 1e6:.0f}", "kept states", growth <= room
    )
    if differences:
        return table.failed
    found = blocks[: len(blocks) // BATCHES * BATCHES].reshape(BATCHES, -1, blocks.shape[1]).sum(axis=1)
    accepted, drawn, back, (moved, turned) = *found.T[:3], np.split(found[:, 3:], [ledger.moved.size], axis=1)
    if ratio:
        n, spent_time = state.candidates - start.candidates, state.clock[0] - start.clock[0]
        total = state.n_vacancies * simulation.crystal.z * FASTEST
        table.number(
            "mean waiting time x total bound", spent_time * total / n, 1.0, (spent_time * total / n - 1) * math.sqrt(n)
        )
        acceptance, movers, directions = expected(simulation, ratio)
        table.batches("acceptance", accepted, drawn, acceptance)
        codes = [SPECIES[s].code for s in movers]
        table.shares("share of hops by mover", moved[:, codes], accepted, list(movers.values()))
        table.shares("share of hops by direction", turned, accepted, directions)
        r = np.corrcoef((accepted / drawn)[:-1], (accepted / drawn)[1:])[0, 1]
        table.number("correlation of neighbouring batches", r, 0.0, r * math.sqrt(BATCHES))
        if state.n_vacancies == 1:
            table.batches("share of reversals", back, accepted, way_back(simulation, ratio))
    else:
        transforms = ", ".join(f"{n:,}" for n in (state.counts() - start.counts())[1:].tolist()) or "none"
        print(f"  transforms by channel: {transforms}; vacancies at the end: {state.n_vacancies}")
    seen = np.zeros((4, 8, 256), dtype=np.int64)
    last = min(state.candidates, start.candidates + 100_000_000)
    _bytes(start.candidates, last, simulation._loop.plan.round_keys, seen)
    mean = (last - start.candidates) / 256
    chi = float(((seen - mean) ** 2 / mean).sum())
    p = stats.chi2.sf(chi, 32 * 255)
    table.row(
        f"bytes of {(last - start.candidates):.3g} candidates' words",
        f"{chi:.1f}",
        f"{32 * 255}",
        f"chi-square, p = {p:.2g}",
        ALPHA / 2 < p < 1 - ALPHA / 2,
    )
    print(f"  {done:,} events, {state.candidates - start.candidates:,} candidates")
    return table.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", choices=[[], *SYSTEMS], default=[])
    parser.add_argument("--events", type=float, default=1e9)
    options = parser.parse_args()
    failed = sum(soak(name, int(options.events) // SYSTEMS[name][3]) for name in options.systems or SYSTEMS)
    print(f"\n{failed} checks failed" if failed else "\nall checks passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
