"""An independent ledger of a run: every recorded event is carried out again on arrays of its own, and all is compared.

It shares the crystal and the records with the engine and none of its primitives: occupants and identities trade places
here by a plain swap, counts are counted anew, and reservoirs are kept by what docks and undocks.
"""

import numpy as np
from numba import njit

from ucnp_abm.crystal.species import N_CODES, VACANCY
from ucnp_abm.kernels.layout import LAST

ORDER, VACANT, MOVER, CLOCK = range(4)
WRONG = (
    "candidate numbers that do not grow",
    "no vacancy where one acts",
    "no such occupant",
    "a clock that goes back",
)


@njit(nogil=True)
def _follow(records, first, last, place, offset, home, ledger, channels, moved, turned, wrong):
    species, slot, came_from, bath, before_last = ledger
    candidate, time, channel_of, direction, site_of = records
    channel_from, channel_to, takes, gives = channels
    room = time.size - 1
    last_candidate, last_time = np.int64(before_last[0]), before_last[1]
    reversals = 0
    for event in range(first + 1, last + 1):
        r = event & room
        if candidate[r] <= last_candidate:
            wrong[ORDER] += 1
        if time[r] < last_time:
            wrong[CLOCK] += 1
        last_candidate, last_time = candidate[r], time[r]
        i, channel = site_of[r], channel_of[r]
        if channel == 0:
            j = np.uint32(np.int64(i) + offset[place[i], direction[r]])
            if home.size > 0:
                j = home[j]
            mover, vacancy = species[j], slot[i]
            if species[i] != VACANCY:
                wrong[VACANT] += 1
            if mover == VACANCY or mover >= 29:
                wrong[MOVER] += 1
            species[i], species[j] = mover, VACANCY
            slot[i], slot[j] = slot[j], vacancy
            reversals += np.int64(came_from[vacancy] == j)
            came_from[vacancy] = i
            moved[mover] += 1
            turned[direction[r]] += 1
        else:
            here = slot[i]
            if species[i] != channel_from[channel]:
                wrong[MOVER] += 1
            species[i] = channel_to[channel]
            if channel_from[channel] == VACANCY:
                reversals += np.int64(came_from[here] == i)
            else:
                came_from[here] = i
            if takes[channel] >= 0:
                bath[takes[channel]] -= 1
            if gives[channel] >= 0:
                bath[gives[channel]] += 1
    before_last[0], before_last[1] = last_candidate, last_time
    return reversals


class Ledger:
    """Follows one simulation, whose records must reach back to the last call."""

    def __init__(self, simulation):
        state = simulation.state
        self.simulation, self.sites = simulation, simulation.crystal.sites
        self.event, self.reversals = state.events, state.reversals
        came_from = np.zeros(simulation.crystal.n_sites, dtype=np.uint32)
        n = state.n_vacancies
        came_from[state.slot[state.vacancies[:n]]] = state.came_from[:n]
        last = np.array([state.candidates - state.nulls, state.clock[LAST]], dtype=float)
        self.arrays = (state.species.copy(), state.slot.copy(), came_from, state.reservoir.copy(), last)
        self.fixed = np.bincount(state.species[self.sites], minlength=N_CODES), state.counts().copy()
        self.moved = np.zeros(N_CODES, dtype=np.int64)
        self.turned = np.zeros(simulation.crystal.z, dtype=np.int64)

    def follow(self):
        """Carry out the events since the last call; returns what was wrong with them, in words."""
        loop, crystal = self.simulation._loop, self.simulation.crystal
        records = tuple(getattr(loop.records, name) for name in ("candidate", "time", "channel", "direction", "site"))
        channels = (loop.rates.channel_from, loop.rates.channel_to, loop.rates.takes, loop.rates.gives)
        wrong, last = np.zeros(len(WRONG), dtype=np.int64), self.simulation.state.events
        self.reversals += _follow(
            records, self.event, last, crystal.place, crystal.offset, crystal.home, self.arrays, channels,
            self.moved, self.turned, wrong,
        )  # fmt: skip
        self.event = last
        return [f"{n} x {what}" for n, what in zip(wrong.tolist(), WRONG, strict=True) if n]

    def compare(self):
        """What differs between the state and this ledger, in words."""
        state, crystal = self.simulation.state, self.simulation.crystal
        species, slot, came_from, bath, _ = self.arrays
        n, m, k = state.n_vacancies, state.n_exposed_vacancies, np.arange(state.n_vacancies)
        listed, rank, vacant = state.vacancies[:n], state.exposed_rank[:n], self.sites[species[self.sites] == VACANCY]
        exposed = crystal.exposed[crystal.place[listed]] == 1 if crystal.exposed_sites.size else np.zeros(n, dtype=bool)
        counts = np.bincount(state.species[self.sites], minlength=N_CODES)
        expected = self.fixed[0].copy()
        happened = state.counts() - self.fixed[1]
        rates = self.simulation._loop.rates
        for channel in range(1, happened.size):
            expected[rates.channel_from[channel]] -= happened[channel]
            expected[rates.channel_to[channel]] += happened[channel]
        held = {
            "species": np.array_equal(state.species, species),
            "one occupant a site": counts.sum() == self.sites.size and not counts[29:].any(),
            "numbers of each species and the channels' counters": np.array_equal(counts, expected),
            "identities": np.array_equal(state.slot, slot),
            "slot as a permutation": bool((np.bincount(state.slot[self.sites], minlength=self.sites.size) == 1).all()),
            "list of vacancies": np.array_equal(np.sort(listed), vacant),
            "where vacancies came from": np.array_equal(state.came_from[:n], came_from[slot[listed]]),
            "exposed vacancies": np.array_equal(rank >= 0, exposed) and int(exposed.sum()) == m,
            "ranks of exposed vacancies": np.array_equal(state.exposed_vacancies[rank[exposed]], k[exposed]),
            "baths": np.array_equal(state.reservoir, bath),
            "reversals": state.reversals == self.reversals,
            "events": int(happened.sum()) == int(self.simulation.state.events) - self.begin_events,
        }
        return [what for what, yes in held.items() if not yes]

    @property
    def begin_events(self):
        """Events before the ledger was opened."""
        return int(self.fixed[1].sum())
