"""The independent oracle: slow, readable, and written from the physics alone.

It knows a crystal (points, zones) and a mechanism's declarations, and imports nothing from engine, kernels or
rules.table. Energies are total energies of whole configurations; neighbours are found from distances; the generator
of the Markov chain is written down state by state.

A configuration is a tuple of species symbols, one for each site. An event is (verb, species, site, to): for a hop
the vacancy's site and the ion's, for docking and undocking the same site twice.
"""

import math
from types import SimpleNamespace

import numpy as np
import scipy.sparse
import scipy.stats

from ucnp_abm.crystal import crystal, lattice
from ucnp_abm.crystal.particle import Box, Particle
from ucnp_abm.crystal.species import SPECIES, SYMBOLS

KB = 8.617333262e-5  # eV/K


# --- tiny crystals ---


def rectangle():
    """13 sites of a plane: 2 bond classes, 3 zones (1 core, 4 shell, 8 surface), no common neighbours; z = 4."""
    cell = ((3.5, 0.0, 0.0), (0.0, 3.9, 0.0), (0.0, 0.0, 20.0))
    plane = lattice.Lattice("rectangle", cell, ((0.0, 0.0, 0.0),), (("short", 3.5), ("long", 3.9)))
    return crystal.sphere(plane, (1.0, 7.85), ("core", "shell"), 0.0)


def beta():
    """9 sites of β-NaREF4: 2 bond classes, 2 zones (1 core, 8 surface), neighbours in common; z = 8."""
    return crystal.sphere(lattice.named("beta"), (3.9,), ("core",), 0.0)


def fcc():
    """13 sites of fcc: 2 zones (1 core, 12 surface), many neighbours in common; z = 12."""
    return crystal.sphere(lattice.named("fcc"), (3.9,), ("core",), 0.0)


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


def with_energies(mechanism, sites=None, pairs=None, **parameters):
    """A copy of a mechanism with energies of its own (copies share their dictionaries)."""
    changed = mechanism.with_parameters(**parameters)
    changed.site_energies, changed.pair_energies = {}, {}
    changed.site_energy(sites or {})
    changed.pair_energy(pairs or {})
    return changed


# --- the physics ---


class System:
    """A finite crystal, a mechanism and a temperature / K; everything is enumerated."""

    def __init__(self, room, mechanism, temperature, immobile=()):
        assert not room.periodic
        self.mechanism = mechanism
        self.kt = KB * temperature
        self.immobile = immobile
        self.zones = [room.zones[z] for z in room.site_zone]
        self.z = room.lattice.coordination
        self.p = SimpleNamespace(**mechanism.values)
        distance = np.linalg.norm(room.points[:, None] - room.points[None], axis=2)
        self.bond = {
            (i, j): name
            for name, length in room.lattice.bonds
            for i, j in np.argwhere(abs(distance - length) < 0.01).tolist()
        }
        self.around = [[j for j in range(room.n_sites) if (i, j) in self.bond] for i in range(room.n_sites)]
        self.exposed = [len(a) < self.z for a in self.around]
        self._energies = {}

    def energy(self, c):
        """Total energy / eV of a configuration: its sites, and each pair of neighbours once."""
        if c not in self._energies:
            site, pair = self.mechanism.site_energies, self.mechanism.pair_energies
            total = sum(site.get((s, zone), 0.0) for s, zone in zip(c, self.zones, strict=True))
            for i, j in self.bond:
                if i < j:
                    total += pair.get((c[i], c[j]), pair.get((c[j], c[i]), 0.0))
            self._energies[c] = total
        return self._energies[c]

    def potential(self, rule):
        """mu0 / eV of a dock rule, None if it is irreversible."""
        name = getattr(rule.potential, "name", None)
        return rule.potential if name is None else self.mechanism.values[name]

    def events(self, c):
        """All events from a configuration: {(verb, species, site, to): (rate / s⁻¹, configuration after)}."""
        found = {}
        for rule in self.mechanism.hops:
            for i, j in self.bond:
                if c[i] == "vacancy" and c[j] in rule.movers and c[j] not in self.immobile:
                    after = _swapped(c, i, j)
                    rate = self._hop(rule, c, after, i, j)
                    if rate > 0:
                        found["hop", c[j], i, j] = rate, after
        for rule in self.mechanism.site_rules:
            ion = rule.after if rule.verb == "dock" else rule.before
            for i in (i for i, bare in enumerate(self.exposed) if bare):
                empty, full = _put(c, i, "vacancy"), _put(c, i, ion)
                docking, undocking = self._exchange(rule, i, empty, full)
                if c == empty and docking > 0:
                    found["dock", ion, i, i] = docking, full
                if c == full and undocking > 0:
                    found["undock", ion, i, i] = undocking, empty
        return found

    def _hop(self, rule, c, after, i, j):
        ends = [c[k] for k in self.around[i] if k != j] + [c[k] for k in self.around[j] if k != i]
        env = SimpleNamespace(
            mover=c[j],
            bond=self.bond[i, j],
            zones=tuple(sorted((self.zones[i], self.zones[j]))),
            n=_counts(ends),
            p=self.p,
        )
        if rule.irreversible:
            env.start, env.end = self.zones[j], self.zones[i]
        barrier = rule.law(env)
        if barrier is None:
            return 0.0
        step = self.energy(after) - self.energy(c)
        height = barrier if rule.irreversible else max(barrier + step / 2, step, 0.0)
        return rule.attempt * math.exp(-height / self.kt)

    def _exchange(self, rule, i, empty, full):
        """Rates / s⁻¹ of docking and of undocking at site i."""
        around = [empty[k] for k in self.around[i]]
        site = SimpleNamespace(zone=self.zones[i], coordination=len(around), n=_counts(around))
        barrier = rule.law(SimpleNamespace(site=site, p=self.p))
        if barrier is None:
            return 0.0, 0.0
        mu0 = self.potential(rule)
        if mu0 is None:
            rate = rule.attempt * math.exp(-barrier / self.kt)
            return (rule.activity * rate, 0.0) if rule.verb == "dock" else (0.0, rate)
        g = self.energy(full) - self.energy(empty)
        height = max(barrier, g - mu0, 0.0)
        docking = rule.activity * rule.attempt * math.exp(-height / self.kt)
        return docking, rule.attempt * math.exp(-(height - g + mu0) / self.kt)

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

    def boltzmann(self, states):
        """Probabilities proportional to exp(-(H - sum mu n) / kT), mu = mu0 + kT ln a for what can dock and leave."""
        mu = {
            rule.after: self.potential(rule) + self.kt * math.log(rule.activity)
            for rule in self.mechanism.site_rules
            if self.potential(rule) is not None
        }
        omega = np.array([self.energy(c) - sum(m * c.count(s) for s, m in mu.items()) for c in states])
        weight = np.exp(-(omega - omega.min()) / self.kt)
        return weight / weight.sum()


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


def _counts(symbols):
    return {s: symbols.count(s) for s in SPECIES}


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
