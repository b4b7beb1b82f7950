"""The independent oracle: slow, readable, and written from the physics alone.

It knows a crystal (points, zones) and what a mechanism and its drives declare, and imports nothing from engine, kernels
or the tables of rules; it evaluates declared amounts and conditions itself. Energies are total energies of whole
configurations; neighbours are found from distances; the generator of the Markov chain is written down state by state.

A configuration is a tuple of species symbols, one for each site; what is left in the bath follows from it. An event is
(verb, species, site, to): for a hop the vacancy's site and the ion's, for all other verbs the same site twice.
"""

import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import scipy.sparse
import scipy.stats

from ucnp_abm.crystal import growth, lattice
from ucnp_abm.crystal.particle import Box, Particle
from ucnp_abm.crystal.species import SPECIES, SYMBOLS
from ucnp_abm.rules.parameter import Parameter

KB = 8.617333262e-5  # eV/K


# --- tiny crystals ---


def rectangle():
    """13 sites of a plane: 2 bond classes, 3 zones (1 core, 4 shell, 8 surface), no common neighbours; z = 4."""
    cell = ((3.5, 0.0, 0.0), (0.0, 3.9, 0.0), (0.0, 0.0, 20.0))
    plane = lattice.Lattice("rectangle", cell, ((0.0, 0.0, 0.0),), (("short", 3.5), ("long", 3.9)))
    return growth.sphere(plane, (1.0, 7.85), ("core", "shell"), 0.0)


def beta():
    """9 sites of β-NaREF4: 2 bond classes, 2 zones (1 core, 8 surface), neighbours in common; z = 8."""
    return growth.sphere(lattice.named("beta"), (3.9,), ("core",), 0.0)


def fcc():
    """13 sites of fcc: 2 zones (1 core, 12 surface), many neighbours in common; z = 12."""
    return growth.sphere(lattice.named("fcc"), (3.9,), ("core",), 0.0)


def row():
    """3 sites in a row along x: the two at the ends are exposed, the other is core; z = 2."""
    return growth.sphere(lattice.named("chain"), (3.9,), ("core",), 0.0)


def filled(room, configuration, immobile=()):
    """A particle with chosen occupants; its recipe means nothing."""
    codes = np.array([SPECIES[s].code for s in configuration], dtype=np.uint8)
    return Particle(room, codes, Box("sc", (3, 3, 3), "Gd"), 0, immobile)


def shuffled(rng, **numbers):
    """A random configuration with these numbers of each species."""
    symbols = [s for s, n in numbers.items() for _ in range(n)]
    return tuple(str(s) for s in rng.permutation(symbols))


def configuration(simulation):
    """The configuration that a simulation is in now."""
    return tuple(SYMBOLS[c] for c in simulation.state.species[simulation.crystal.sites].tolist())


def rewind(simulation, before):
    """Put crystal, bath and clock back; random words already used stay used, so that each run is independent."""
    for name in vars(before):
        if name != "tally":
            getattr(simulation.state, name)[:] = getattr(before, name)
    candidates = simulation.state.candidates
    simulation.state.tally[:] = before.tally
    simulation.state.tally[2] = candidates + 1  # the words of a pending candidate are known to be late


def engine_events(simulation):
    """All options of all sites of a simulation, with their rates: those of vacancies, and those of ions."""
    seen = {}, {}
    for n in range(simulation.crystal.n_sites):
        for move in simulation.options(n):
            of, event = simulation.occupant(n) != "vacancy", (move.verb, move.species, move.site, move.to)
            seen[of][event] = seen[of].get(event, 0.0) + move.rate
    return seen


def with_energies(mechanism, sites=None, pairs=None, **parameters):
    """A copy of a mechanism with energies of its own (copies share their dictionaries)."""
    changed = mechanism.with_parameters(**parameters)
    changed.site_energies, changed.pair_energies = {}, {}
    changed.site_energy(sites or {})
    changed.pair_energy(pairs or {})
    return changed


# --- the physics ---


class System:
    """A finite crystal, a mechanism and a furnace temperature / K; everything is enumerated.

    `start` is the configuration with which the bath was full; finite reservoirs need it. `levels` are those of the
    drives, full by default.
    """

    def __init__(self, room, mechanism, temperature, immobile=(), *, start=None, levels=None):
        assert not room.periodic
        self.mechanism = mechanism
        self.immobile = immobile
        self.start = start
        self.levels = dict(zip(mechanism.drives, levels or [1.0] * len(mechanism.drives), strict=True))
        rises = [level * amount(drive, drive.warming) for drive, level in self.levels.items()]
        self.kt = KB * (temperature + sum(rises))
        self.zones = [room.zones[z] for z in room.site_zone]
        self.z = room.lattice.coordination
        distance = np.linalg.norm(room.points[:, None] - room.points[None], axis=2)
        self.bond = {
            (i, j): name
            for name, length in room.lattice.bonds
            for i, j in np.argwhere(abs(distance - length) < 0.01).tolist()
        }
        self.around = [[j for j in range(room.n_sites) if (i, j) in self.bond] for i in range(room.n_sites)]
        self.exposed = [len(a) < self.z for a in self.around]
        self.level = levels_of(room, mechanism.division)
        self._energies = {}

    def energy(self, c):
        """Total energy / eV of a configuration: its sites, and each pair of neighbours once."""
        if c not in self._energies:
            site, pair = self._declared(self.mechanism.site_energies), self._declared(self.mechanism.pair_energies)
            total = sum(site.get((s, zone), 0.0) for s, zone in zip(c, self.zones, strict=True))
            total += sum(site.get((s, level), 0.0) for s, level in zip(c, self.level, strict=True))
            for i, j in self.bond:
                if i < j:
                    total += pair.get((c[i], c[j]), pair.get((c[j], c[i]), 0.0))
            self._energies[c] = total
        return self._energies[c]

    def _declared(self, energies):
        return {key: amount(self.mechanism, value) for key, value in energies.items()}

    def bath(self, symbol):
        """a0 and N_0 (None: infinite) of a species."""
        a0, size = self.mechanism.baths.get(symbol, (1.0, None))
        return amount(self.mechanism, a0), amount(self.mechanism, size)

    def left(self, c, symbol):
        """Ions in a finite reservoir: what is in the crystal now and was not at the start came from there."""
        return self.bath(symbol)[1] - (c.count(symbol) - self.start.count(symbol))

    def activity(self, c, symbol):
        """a = a0 N_left / N_0 of a species, a0 if its reservoir is infinite."""
        a0, size = self.bath(symbol)
        return a0 if size is None else a0 * self.left(c, symbol) / size

    def possible(self):
        """The site rules that can begin: a swap needs its species in the crystal before it can be undone."""
        rules = holding(self.mechanism, self.mechanism.site_rules)
        seen = {"vacancy", *(self.start or [rule.before for rule in rules])}
        for _ in rules:
            seen |= {rule.after for rule in rules if rule.before in seen}
        return [rule for rule in rules if rule.before in seen]

    def driven(self, verb):
        """By what the drives multiply a verb."""
        drives = [(drive, level) for drive, level in self.levels.items() if verb in drive.factors]
        return math.prod(1 + level * (amount(drive, drive.factors[verb]) - 1) for drive, level in drives)

    def events(self, c):
        """All events from a configuration: {(verb, species, site, to): (rate / s⁻¹, configuration after)}."""
        found = {}

        def add(verb, symbol, i, j, rate, after):
            if rate > 0:
                found[verb, symbol, i, j] = rate + found.get((verb, symbol, i, j), (0.0, None))[0], after

        for rule in holding(self.mechanism, self.mechanism.hops):
            for i, j in self.bond:
                if c[i] == "vacancy" and c[j] in rule.movers and c[j] not in self.immobile:
                    after = _swapped(c, i, j)
                    add("hop", c[j], i, j, self._hop(rule, c, after, i, j), after)
        bare = [i for i, exposed in enumerate(self.exposed) if exposed]
        for rule in self.possible():
            placed = rule.after if rule.verb in ("dock", "swap") else rule.before
            for i in bare:
                before, after = _put(c, i, rule.before), _put(c, i, rule.after)
                there, back = self._change(rule, i, before, after)
                if c == before:
                    source = self.activity(c, rule.after) if rule.verb in ("dock", "swap") else 1.0
                    add(rule.verb, placed, i, i, source * self.driven(rule.verb) * there, after)
                if c == after and back > 0:
                    source = self.activity(c, rule.before) if rule.verb == "swap" else 1.0
                    freed = rule.before if rule.verb == "swap" else rule.after
                    add("un" + rule.verb, freed, i, i, source * self.driven("un" + rule.verb) * back, before)
        for drive, level in self.levels.items():
            for rule in holding(drive, drive.site_rules):
                for i in bare:
                    if c[i] == rule.before:
                        after = _put(c, i, rule.after)
                        add(rule.verb, rule.before, i, i, level * self._change(rule, i, c, after, drive)[0], after)
        return found

    def _hop(self, rule, c, after, i, j):
        ends = [c[k] for k in self.around[i] if k != j] + [c[k] for k in self.around[j] if k != i]
        env = SimpleNamespace(
            mover=c[j],
            bond=self.bond[i, j],
            zones=tuple(sorted((self.zones[i], self.zones[j]))),
            levels=tuple(sorted((self.level[i], self.level[j]))),
            n=Around(ends),
            p=SimpleNamespace(**self.mechanism.values),
        )
        if rule.irreversible:
            env.start, env.end = self.zones[j], self.zones[i]
            env.start_level, env.end_level = self.level[j], self.level[i]
        barrier = rule.law(env)
        if barrier is None:
            return 0.0
        step = self.energy(after) - self.energy(c)
        height = barrier if rule.irreversible else max(barrier + step / 2, step, 0.0)
        rate = amount(self.mechanism, rule.attempt) * math.exp(-height / self.kt)
        for drive, level in self.levels.items():
            if drive.assistance and self.zones[i] == "surface":
                lent = amount(drive, drive.assistance.relief)
                rate += level * amount(drive, drive.assistance.rate) * math.exp(-max(height - lent, 0.0) / self.kt)
        return rate

    def _change(self, rule, i, before, after, owner=None):
        """Rates / s⁻¹ at site i from `before` to `after` and back, for unit activities and without drives."""
        owner = owner or self.mechanism
        around = [before[k] for k in self.around[i]]
        site = SimpleNamespace(zone=self.zones[i], coordination=len(around), level=self.level[i], n=Around(around))
        barrier = rule.law(SimpleNamespace(site=site, p=SimpleNamespace(**owner.values)))
        if barrier is None:
            return 0.0, 0.0
        attempt, potential = amount(owner, rule.attempt), amount(owner, rule.potential)
        if potential is None:
            return attempt * math.exp(-barrier / self.kt), 0.0
        rise = self.energy(after) - self.energy(before) - potential
        height = max(barrier, rise, 0.0)
        return attempt * math.exp(-height / self.kt), attempt * math.exp(-(height - rise) / self.kt)

    # --- the whole chain ---

    def reachable(self, start):
        """All configurations that can follow from `start`, breadth first."""
        seen, new = {start: None}, [start]
        while new:
            new = [after for c in new for _, after in self.events(c).values()]
            new = [c for c in dict.fromkeys(new) if c not in seen]
            seen.update(dict.fromkeys(new))
        return list(seen)

    def generator(self, states):
        """G[a, b] = rate / s⁻¹ from state a to state b, rows summing to zero (scipy.sparse)."""
        number = {c: n for n, c in enumerate(states)}
        rows, columns, values = [], [], []
        for c, a in number.items():
            for rate, after in self.events(c).values():
                rows += [a, a]
                columns += [number[after], a]
                values += [rate, -rate]
        return scipy.sparse.csr_array((values, (rows, columns)), shape=(len(states), len(states)))

    def log_weight(self, c):
        """Logarithm of the Boltzmann weight of a configuration in contact with the declared bath, drives left out.

        w = exp(-(H - sum_s mu0_s n_s) / kT) prod_s f_s(m_s) over the species s that the bath gives and takes back.
        m_s = n_s - n_s(start) ions came out of the reservoir. The m-th came at activity a0 (N_0 - m + 1) / N_0, so

            f(m) = prod_{i < m} a0 (N_0 - i) / N_0 = a0^m N_0! / ((N_0 - m)! N_0^m),    f(m) = a0^m for N_0 = infinity,

        which holds for m < 0 too: f(m + 1) / f(m) = a(m) always. A swap s -> t then has the ratio
        f_t(m_t + 1) f_s(m_s - 1) / f_t(m_t) f_s(m_s) = a_t / a_s, a_s being the activity once the ion s is back.
        Only differences of mu0 have a meaning: a rule from s to t says mu0_t - mu0_s, and a vacancy has mu0 = 0.
        """
        mu = self._potentials()
        log = -(self.energy(c) - sum(m * c.count(s) for s, m in mu.items())) / self.kt
        for symbol in mu.keys() - {"vacancy"}:
            a0, size = self.bath(symbol)
            if size is None:
                log += c.count(symbol) * math.log(a0)
            else:
                m = size - self.left(c, symbol)
                log += m * math.log(a0 / size) + math.lgamma(size + 1) - math.lgamma(size - m + 1)
        return log

    def _potentials(self):
        """mu0 / eV of all species that the bath gives and takes back, followed from rule to rule."""
        rules = [r for r in holding(self.mechanism, self.mechanism.site_rules) if self._potential(r) is not None]
        mu = {"vacancy": 0.0} if any(r.before == "vacancy" for r in rules) else {r.after: 0.0 for r in rules[:1]}
        for _ in rules:
            for r in rules:
                for known, other, sign in ((r.before, r.after, 1), (r.after, r.before, -1)):
                    if known in mu:
                        there = mu[known] + sign * self._potential(r)
                        assert abs(mu.setdefault(other, there) - there) < 1e-12, "these rules contradict each other"
        assert all(r.before in mu for r in rules)
        return mu

    def _potential(self, rule):
        return amount(self.mechanism, rule.potential)

    def boltzmann(self, states):
        """Probabilities of states: see `log_weight`."""
        log = np.array([self.log_weight(c) for c in states])
        weight = np.exp(log - log.max())
        return weight / weight.sum()

    def imbalance(self, c):
        """Largest |ln(w_a k_ab / w_b k_ba)| of the events from a configuration; infinite if one has no way back.

        Zero everywhere if and only if the rates are in detailed balance with the declared energies and bath.
        """
        worst = 0.0
        ways = Counter()
        for rate, after in self.events(c).values():
            ways[after] += rate
        for after, there in ways.items():
            back = sum(rate for rate, end in self.events(after).values() if end == c)
            if back == 0.0:
                return math.inf
            worst = max(worst, abs(self.log_weight(c) - self.log_weight(after) + math.log(there / back)))
        return worst


def amount(owner, value):
    """A declared amount as a number, for the parameter values that its mechanism or drive has now."""
    if isinstance(value, Parameter):
        return owner.values[value.name]
    return value(SimpleNamespace(**owner.values)) if callable(value) else value


def holding(owner, rules):
    """The rules whose condition the chosen words meet."""
    return [rule for rule in rules if all(owner.values[name] in words for name, words in rule.when)]


def stationary(generator):
    """The vector p with p G = 0 and sum 1, by one dense solve; unique if one state can be reached from all."""
    a = generator.toarray().T / abs(generator).max()
    a[-1] = 1.0
    return np.linalg.solve(a, np.eye(len(a))[-1])


def relaxation_time(generator, weights):
    """Slowest time / s of a chain in detailed balance with `weights`: the inverse of its spectral gap."""
    root = np.sqrt(weights)
    symmetric = root[:, None] * generator.toarray() / root[None]
    np.testing.assert_allclose(symmetric, symmetric.T, atol=1e-9 * abs(symmetric).max())
    levels = np.linalg.eigvalsh(symmetric)
    return -1.0 / levels[-2]


def _swapped(c, i, j):
    changed = list(c)
    changed[i], changed[j] = changed[j], changed[i]
    return tuple(changed)


def _put(c, i, symbol):
    return (*c[:i], symbol, *c[i + 1 :])


class Around:
    """Neighbours, counted as a law may ask: of one species, of several together, or cut at a number."""

    def __init__(self, symbols):
        self.symbols = symbols

    def __getitem__(self, species):
        wanted = [species] if isinstance(species, str) else species
        return sum(symbol in wanted for symbol in self.symbols)

    def up_to(self, most, *species):
        return min(most, self[species])


def levels_of(room, division):
    """The level of each site, from its distance to the surface, to the centre, or along an axis; 0 if undivided."""
    if division is None:
        return [0] * room.n_sites
    axes = {name: room.points[:, n] for n, name in enumerate("xyz")}
    radius = np.sqrt((room.points**2).sum(axis=1))
    what = axes | {"radius": radius, "depth": -radius}  # these particles are spheres
    along = what[division.along]
    width = division.width or max(along.max() - along.min(), 1e-3) / division.levels
    return [min(int((value - along.min() + 1e-6) / width), division.levels - 1) for value in along.tolist()]


# --- statistics ---


def chi_square_p(observed, probabilities):
    """p-value of counts against probabilities; cells that expect fewer than 5 are pooled."""
    observed, expected = np.asarray(observed, dtype=float), np.asarray(probabilities) * np.sum(observed)
    assert abs(expected.sum() - observed.sum()) < 1e-6 * observed.sum()
    order = np.argsort(-expected)
    observed, expected = observed[order], expected[order]
    kept = int((expected >= 5).sum())
    if kept < expected.size and expected[kept:].sum() < 5:
        kept -= 1
    o, e = [*observed[:kept], observed[kept:].sum()], [*expected[:kept], expected[kept:].sum()]
    if expected[kept:].sum() < 1e-9:
        assert observed[kept:].sum() == 0, "a state of probability 0 was seen"
        o, e = o[:-1], e[:-1]
    assert len(e) > 1
    statistic = float(sum((x - y) ** 2 / y for x, y in zip(o, e, strict=True)))
    return float(scipy.stats.chi2.sf(statistic, len(e) - 1))
