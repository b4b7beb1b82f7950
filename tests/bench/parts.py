"""Where the time of one candidate goes: its parts in isolation, and the ways of putting them together that were tried.

python tests/bench/parts.py              four species on fcc, 7k and 4M sites
python tests/bench/parts.py 7k 64k       other sizes

Each part is a loop over the helpers of the engine's own loop; members and directions come from a cheap generator whose
own time (first line) is taken off. Parts in isolation overlap in the processor with nothing but themselves, so their
sum need not be the time of the whole.
"""

import argparse
import time

import numpy as np
from numba import njit

from ucnp_abm.kernels.compiling import multiply
from ucnp_abm.kernels.layout import HOPS, N_VACANCIES
from ucnp_abm.kernels.primitives import exchange
from ucnp_abm.kernels.random_words import hazard, unit, words
from ucnp_abm.kernels.rates import hop_rate_to, limit, members, neighbour
from ucnp_abm.study.throughput import WORKLOADS, simulation_of

SECONDS, REPEATS, BUFFER = 0.1, 12, 64
loop = njit(nogil=True, _nrt=False, error_model="numpy")
STEP, ADD = np.uint64(6364136223846793005), np.uint64(1442695040888963407)


@loop
def cheap(n, lattice, state, rates, keys, room, drawn):
    x, total = np.uint64(1), np.uint64(0)
    vacancies, z = np.uint64(state.tally[N_VACANCIES]), np.uint64(lattice.offset.shape[1])
    for _ in range(n):
        x = x * STEP + ADD
        k, rest = multiply(x, vacancies)
        d, _ = multiply(rest, z)
        total += k ^ d
    return float(total)


@loop
def random_words(n, lattice, state, rates, keys, room, drawn):
    total = np.uint64(0)
    for a in range(n):
        w = words(a + 1, keys)
        total ^= w[0] ^ w[1] ^ w[2] ^ w[3]
    return float(total)


@loop
def logarithm(n, lattice, state, rates, keys, room, drawn):
    x, total = np.uint64(1), 0.0
    for _ in range(n):
        x = x * STEP + ADD
        total += hazard(x) / 3.0
    return total


@loop
def read_sites(n, lattice, state, rates, keys, room, drawn):
    x, total = np.uint64(1), 0
    vacancies, z = np.uint64(state.tally[N_VACANCIES]), np.uint64(lattice.offset.shape[1])
    for _ in range(n):
        x = x * STEP + ADD
        k, rest = multiply(x, vacancies)
        d, _ = multiply(rest, z)
        i = state.vacancies[k]
        j = neighbour(lattice, state, i, d)
        total += np.int64(state.slot[i]) ^ np.int64(state.slot[j])
    return float(total)


@loop
def look_up(n, lattice, state, rates, keys, room, drawn):
    x, total = np.uint64(1), 0.0
    vacancies, z = np.uint64(state.tally[N_VACANCIES]), np.uint64(lattice.offset.shape[1])
    for _ in range(n):
        x = x * STEP + ADD
        k, rest = multiply(x, vacancies)
        d, _ = multiply(rest, z)
        i = state.vacancies[k]
        total += hop_rate_to(lattice, state, rates, 0, i, neighbour(lattice, state, i, d), d)
    return total


@loop
def look_up_and_exchange(n, lattice, state, rates, keys, room, drawn):
    x, done = np.uint64(1), 0
    vacancies, z = np.uint64(state.tally[N_VACANCIES]), np.uint64(lattice.offset.shape[1])
    bound = limit(state, rates, 0, HOPS)
    for _ in range(n):
        x = x * STEP + ADD
        k, rest = multiply(x, vacancies)
        d, rest = multiply(rest, z)
        i = state.vacancies[k]
        j = neighbour(lattice, state, i, d)
        yes = np.int64(unit(rest) * bound < hop_rate_to(lattice, state, rates, 0, i, j, d))
        exchange(lattice, state, k, i, d, j, yes)
        done += yes
    return float(done)


@loop
def chase(n, lattice, state, rates, keys, room, drawn):
    """One read after the other, each of which needs the one before: what a miss costs that nothing hides."""
    i = np.uint32(0)
    for _ in range(n):
        i = room[i]
    return float(i)


def _whole(draw, branch):
    """A loop over hops alone: words when they are needed, early or in blocks; exchange without or with a branch."""
    early, block = draw == "early", draw == "blocks"

    @loop
    def whole(n, lattice, state, rates, keys, room, drawn):
        vacancies, z = np.uint64(state.tally[N_VACANCIES]), np.uint64(lattice.offset.shape[1])
        bound, t, done = limit(state, rates, 0, HOPS), 0.0, 0
        total = members(lattice, state, rates, HOPS) * lattice.offset.shape[1] * bound
        w = words(1, keys)
        for a in range(n):
            if block:
                if a % BUFFER == 0:
                    for b in range(BUFFER):
                        drawn[b, 0], drawn[b, 1], drawn[b, 2], drawn[b, 3] = words(a + b + 1, keys)
                w = (drawn[a % BUFFER, 0], drawn[a % BUFFER, 1], drawn[a % BUFFER, 2], drawn[a % BUFFER, 3])
            elif not early:
                w = words(a + 1, keys)
            t += hazard(w[3]) / total
            k, rest = multiply(w[1], vacancies)
            d, _ = multiply(rest, z)
            accept = unit(w[2]) * bound
            if early:
                w = words(a + 2, keys)
            i = state.vacancies[k]
            j = neighbour(lattice, state, i, d)
            yes = np.int64(accept < hop_rate_to(lattice, state, rates, 0, i, j, d))
            if branch:
                if yes == 1:
                    exchange(lattice, state, k, i, d, j, 1)
            else:
                exchange(lattice, state, k, i, d, j, yes)
            done += yes
        return t + done

    return whole


PARTS = {
    "cheap generator": (cheap, False),
    "four random words": (random_words, False),
    "logarithm and division": (logarithm, True),
    "read vacancy and neighbour": (read_sites, True),
    "the same, and look up the rate": (look_up, True),
    "the same, decide and exchange": (look_up_and_exchange, True),
}
WHOLES = {
    "next words early, no branch (the engine's way)": _whole("early", False),
    "words when needed, no branch": _whole("late", False),
    f"words in blocks of {BUFFER}, no branch": _whole("blocks", False),
    "next words early, branch on acceptance": _whole("early", True),
}


def turns_of(act, arguments):
    """Turns of a loop that take `SECONDS` of CPU, about."""
    n = 1000
    act(n, *arguments)
    while True:
        begin = time.process_time()
        act(n, *arguments)
        spent = time.process_time() - begin
        if spent > SECONDS / 4:
            return int(n * SECONDS / spent)
        n *= 4


def nanoseconds(acts, arguments):
    """Of CPU for one turn of each loop; the best of several stretches, taken in turns: the machine's pace varies."""
    turns = [turns_of(act, arguments) for act in acts]
    best = [float("inf")] * len(acts)
    for _ in range(REPEATS):
        for k, (act, n) in enumerate(zip(acts, turns, strict=True)):
            begin = time.process_time()
            act(n, *arguments)
            best[k] = min(best[k], 1e9 * (time.process_time() - begin) / n)
    return best


def engine(simulation):
    """Nanoseconds of one candidate in `Simulation.run`."""
    best, candidates = float("inf"), 3_000_000
    for _ in range(REPEATS):
        begin = time.process_time()
        simulation.run(candidates=candidates)
        best = min(best, (time.process_time() - begin) / candidates)
    return 1e9 * best


def ring(n):
    """A random cycle through n places."""
    order = np.random.default_rng(1).permutation(n).astype(np.uint32)
    room = np.empty(n, dtype=np.uint32)
    room[order] = np.roll(order, -1)
    return room


def column(size):
    """Nanoseconds by part for one size."""
    simulation = simulation_of(next(w for w in WORKLOADS if w.name == f"four species, {size}"))
    whole = engine(simulation)
    lattice, state, rates = simulation._loop[:3]
    keys, drawn = simulation._loop.plan.round_keys, np.zeros((BUFFER, 4), dtype=np.uint64)
    arguments = (lattice, state, rates, keys, ring(lattice.place.size), drawn)
    spent = nanoseconds([*(act for act, _ in PARTS.values()), chase, *WHOLES.values()], arguments)
    names = [*PARTS, "one read that waits for the one before", *WHOLES]
    found = dict(zip(names, spent, strict=True))
    base = found["cheap generator"]
    return {name: ns - base * (name in PARTS and PARTS[name][1]) for name, ns in found.items()} | {
        "the engine's loop, all together": whole
    }


def measure(sizes):
    """{part: (ns for each size)}."""
    found = [column(size) for size in sizes]
    return {name: [numbers[name] for numbers in found] for name in found[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=["7k", "4M"])
    sizes = parser.parse_args().sizes
    print(f"{'ns of CPU for one candidate':<50}" + "".join(f"{size:>8}" for size in sizes))
    for name, numbers in measure(sizes).items():
        print(f"{name:<50}" + "".join(f"{number:>8.1f}" for number in numbers), flush=True)


if __name__ == "__main__":
    main()
