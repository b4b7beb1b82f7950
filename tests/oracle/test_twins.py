"""One trajectory, told four ways: compiled in one go, compiled in pieces, interpreted, fired with the laws called live.

All must agree in every event, every float64 and every bit of the state, for each mechanism and each scheduler.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ucnp_abm import IONS, Mechanism, Particle, Simulation, mechanism
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.engine.moves import Event
from ucnp_abm.errors import LiveMismatch
from ucnp_abm.kernels import events

N_EVENTS = 3000
PROTOCOL = "300 °C for 2 min, 330 °C for 30 s, 290 °C"


def small(share: float) -> Particle:
    """77 sites in three zones."""
    return Particle.core_shell(
        core="NaGdF4: 20% Yb",
        diameter="1.2 nm",
        shell="NaYF4",
        thickness="0.4 nm",
        surface_vacancies=share,
        interface_width="0.1 nm",
        seed=4,
    )


def reversible(potential: str) -> Mechanism:
    """Y-complex with a chemical potential at which some surface sites are vacant, and energies between all partners."""
    found = mechanism("y-complex", dock_barrier="1.72 eV", chemical_potential=potential)
    found.site_energies, found.pair_energies = {}, {}
    found.site_energy(
        {("vacancy", "surface"): -0.02, ("Gd", "core"): -0.015, ("Na", "interface"): 0.01, ("Y", "surface"): 0.005}
    )
    found.pair_energy(
        {("vacancy", "vacancy"): 0.012, ("Y", "vacancy"): -0.004, ("Gd", "Yb"): 0.006, ("Na", "Y"): -0.005}
    )
    return found


def counting() -> Mechanism:
    """Laws that read bonds, zones and neighbours, so that rows are found by counting."""
    kind = Mechanism("counting", summary="Crowded hops are slow.", source="Assumption: a test")

    @kind.hop([s for s in IONS if s != "Na"])
    def hop(env) -> float:  # type: ignore[no-untyped-def]
        return 1.6 + 0.004 * env.n["Y"] + 0.006 * env.n["vacancy"] + (0.02 if env.bond == "c" else 0.0)

    @kind.hop("Na", irreversible=True)
    def sodium(env) -> float | None:  # type: ignore[no-untyped-def]
        return None if (env.start, env.end) == ("core", "interface") else 1.63

    @kind.dock("Lu", irreversible=True)
    def dock(env) -> float:  # type: ignore[no-untyped-def]
        return 1.72 + 0.01 * env.site.n["Y"] + 0.01 * env.site.coordination

    @kind.etch("Y", irreversible=True)
    def leave(env) -> float | None:  # type: ignore[no-untyped-def]
        return 1.85 if env.site.coordination < 6 else None

    return kind


CASES = {
    "no-complex": lambda: (mechanism("no-complex"), small(0.2)),
    "y-complex": lambda: (mechanism("y-complex", dock_barrier="1.88 eV"), small(0.25)),
    "y-complex, reversible": lambda: (reversible("0.15 eV"), small(0.05)),
    "counting": lambda: (counting(), small(0.05)),
}
SCHEDULERS = ("rejection", "sum-tree", "linear-scan")
each_case = pytest.mark.parametrize("case", CASES)
each_scheduler = pytest.mark.parametrize("scheduler", SCHEDULERS)


def simulation(case: str, scheduler: str, **options: bool) -> Simulation:
    kind, particle = CASES[case]()
    return Simulation(particle, kind, PROTOCOL, seed=17, scheduler=scheduler, **options)


Moment = tuple[float, int, int, str]


def moment(run: Simulation) -> Moment:
    return run.time, run.state.events, run.state.candidates, run.digest()


def told_by_running(run: Simulation, n_events: int) -> list[Moment]:
    """The state after each event."""
    seen = []
    for _ in range(n_events):
        assert run.run(events=1) == "count reached"
        seen.append(moment(run))
    return seen


def told_by_firing(run: Simulation, n_events: int) -> tuple[list[Moment], list[Event]]:
    seen, fired = [], []
    for _ in range(n_events):
        event = run.fire(live=True)
        assert event is not None
        seen.append(moment(run))
        fired.append(event)
    return seen, fired


SLOW = ("y-complex, reversible", "counting")
LENGTHS = [
    *itertools.product(("no-complex", "y-complex"), ("rejection", "sum-tree"), [N_EVENTS]),
    *itertools.product(("no-complex", "y-complex"), ["linear-scan"], [1000]),
    *itertools.product(SLOW, SCHEDULERS, [1000]),
    *(pytest.param(case, s, N_EVENTS, marks=pytest.mark.slow) for case, s in itertools.product(SLOW, SCHEDULERS)),
]


@pytest.mark.parametrize(("case", "scheduler", "n_events"), LENGTHS)
def test_compiled_interpreted_and_fired_runs_are_the_same_to_the_last_bit(
    case: str, scheduler: str, n_events: int
) -> None:
    compiled = told_by_running(simulation(case, scheduler), n_events)
    assert told_by_running(simulation(case, scheduler, interpreted=True), n_events) == compiled
    run = simulation(case, scheduler)
    told, fired = told_by_firing(run, n_events)
    assert told == compiled
    assert [(e.time, e.number, e.candidate) for e in fired] == [m[:3] for m in compiled]
    whole = simulation(case, scheduler)
    whole.run(events=n_events)
    assert moment(whole) == compiled[-1]
    # The runs were worth comparing: both changes of temperature, every channel, null candidates where they can be.
    assert run.protocol.edges[-1] < run.time
    assert (run.state.counts() > 0).all()
    assert (run.state.candidates > run.state.events) == (scheduler == "rejection")


def test_lists_of_vacancies_grow_alike_in_all_runs() -> None:
    runs = [
        Simulation(small(0.0), reversible("-0.02 eV"), PROTOCOL, seed=5, interpreted=plain)
        for plain in (False, True, False)
    ]
    room = runs[0].state.vacancies.size
    for run in runs[:2]:
        run.run(events=1000)
    for _ in range(1000):
        assert runs[2].fire(live=True)
    assert {run.state.vacancies.size for run in runs} == {2 * room}
    assert len({run.digest() for run in runs}) == 1
    lists_are_right(runs[0])


@each_scheduler
@each_case
def test_fired_events_tell_what_happens_to_the_crystal(case: str, scheduler: str) -> None:
    """Replayed from the events alone, with neither loop nor state arrays, the crystal ends the same."""
    run = simulation(case, scheduler)
    sites = run.crystal.sites
    occupants = list(run.state.species[sites])
    identities = list(range(run.crystal.n_sites))
    for _ in range(400):
        event = run.fire()
        assert event is not None
        a, b = event.move.site, event.move.to
        ion = SPECIES[event.species].code
        if event.verb == "hop":
            assert (occupants[a], occupants[b]) == (0, ion)
            assert b in run.crystal.neighbours(a)
            assert event.slot == identities[b]
            occupants[a], occupants[b] = occupants[b], occupants[a]
            identities[a], identities[b] = identities[b], identities[a]
        else:
            before, after = (0, ion) if event.verb == "dock" else (ion, 0)
            assert (a, occupants[a]) == (b, before)
            assert event.slot == identities[a]
            assert -1 in run.crystal.neighbours(a)
            occupants[a] = after
        assert 0 < event.probability <= 1
    assert occupants == run.state.species[sites].tolist()
    assert identities == run.state.slot[sites].tolist()


def lists_are_right(run: Simulation) -> None:
    """The lists of vacancies are what the occupants say; only their order is free."""
    state, crystal = run.state, run.crystal
    n, m = state.n_vacancies, state.n_exposed_vacancies
    vacant = crystal.sites[state.species[crystal.sites] == 0]
    assert sorted(state.vacancies[:n]) == sorted(vacant)
    exposed = crystal.exposed[crystal.place[state.vacancies[:n]]] == 1
    assert sorted(state.exposed_vacancies[:m]) == np.flatnonzero(exposed).tolist()
    for rank, k in enumerate(state.exposed_vacancies[:m]):
        assert state.exposed_rank[k] == rank
    assert (state.exposed_rank[:n][~exposed] == -1).all()
    assert sorted(state.slot[crystal.sites]) == list(range(crystal.n_sites))


@each_scheduler
@each_case
def test_vacancy_lists_match_the_occupants_after_every_stretch(case: str, scheduler: str) -> None:
    run = simulation(case, scheduler)
    for _ in range(300):
        lists_are_right(run)
        run.run(events=10)
    assert run.state.events == N_EVENTS


@each_scheduler
@each_case
def test_total_rate_is_the_sum_over_the_options_of_all_vacancies_and_ions(case: str, scheduler: str) -> None:
    run = simulation(case, scheduler)
    for _ in range(5):
        run.run(events=150)
        total = 0.0
        for site in range(run.crystal.n_sites):
            moves = run.options(site)
            if run.occupant(site) != "vacancy":
                moves = [m for m in moves if m.verb != "hop"]  # counted at the vacancy
            total += sum(m.rate for m in moves)
        assert run.total_rate() == pytest.approx(total, rel=1e-12)
        plain = events.rate_total(*run._loop[:3], run._condition_now())
        assert plain == run.total_rate()


@each_scheduler
@each_case
def test_a_run_in_23_pieces_is_the_run_in_one(case: str, scheduler: str) -> None:
    whole, pieces = simulation(case, scheduler), simulation(case, scheduler)
    end = 900.0
    whole.run_to(time=end)
    assert whole.state.events > 300
    rng = np.random.default_rng(23)
    cuts = [*np.sort(rng.uniform(0.0, end, 15)), end]
    # By time (edges of the schedule among them), events, candidates and steps, in turns.
    kinds = itertools.cycle(["time", "events", "time", "candidates", "time", "steps"])
    done = 0
    while done < 22:
        kind = next(kinds)
        if kind == "time":
            later = [c for c in [120.0, 150.0, *cuts[:-1]] if c > pieces.time]
            pieces.run_to(time=min(later, default=end))
        elif kind == "steps":
            pieces.run_to(steps=pieces.steps + 0.5, time=end)
        else:
            pieces.run_to(time=end, **{kind: getattr(pieces.state, kind) + 7})
        done += 1
    assert pieces.time < end
    pieces.run_to(time=end)
    assert pieces.digest() == whole.digest()
    assert pieces.time == whole.time == end


def rows_of_candidates(particle: Particle, n: int) -> list[int]:
    """Table row that each of the first n candidates of no-complex reads, from its random words as documented."""
    run = Simulation(particle, mechanism("no-complex"), PROTOCOL, seed=17)
    low, high = run.key
    words = np.random.Philox(key=low + (high << 64), counter=0).random_raw(4 * n).reshape(-1, 4).tolist()
    crystal, rows = particle.crystal, []
    for k in range(n):
        high_word, rest = divmod(words[k][1] * run.state.n_vacancies, 1 << 64)
        site = int(crystal.number[run.state.vacancies[high_word]])
        there = crystal.neighbours(site)[rest * crystal.z >> 64]
        row = 0
        if there >= 0:
            bond = crystal.lattice.bonds[crystal.bond[crystal.place[crystal.sites[site]], rest * crystal.z >> 64]][0]
            zones = tuple(crystal.zones[crystal.site_zone[s]] for s in (site, there))
            fits = [b.start for b in run.table.blocks if b.where == (run.occupant(there), bond, *zones)]
            row = fits[0] if fits else 0
        rows.append(row)
        run.run(candidates=1)
    return rows


@pytest.mark.parametrize("later_than", [5, 50, 200])
def test_altered_row_is_noticed_at_the_first_candidate_that_reads_it_and_not_before(later_than: int) -> None:
    """The row is raised by one unit in the last place, too little to change any event on the way."""
    rows = rows_of_candidates(small(0.2), 400)
    first = {row: k for k, row in reversed(list(enumerate(rows, 1))) if row}
    row, when = min(((r, k) for r, k in first.items() if k > later_than), key=lambda found: found[1])
    run, twin = (Simulation(small(0.2), mechanism("no-complex"), PROTOCOL, seed=17) for _ in range(2))
    run.table.barrier[row] = np.nextafter(run.table.barrier[row], 9.0)
    run._loop = run._packed()
    before = sum(1 for r in rows[: when - 1] if r)
    assert [run.fire(live=True) is not None for _ in range(before)] == [True] * before
    assert run.state.candidates < when
    with pytest.raises(LiveMismatch, match=f"row {row} of the table holds 1.65"):
        run.fire(live=True)
    assert run.state.candidates < when  # nothing was consumed in vain
    twin.run(candidates=when - 1)
    assert run.state.events == twin.state.events
    assert (run.state.species == twin.state.species).all()


@each_scheduler
def test_altered_row_goes_unnoticed_where_no_law_is_called(scheduler: str) -> None:
    run = Simulation(small(0.2), mechanism("no-complex"), PROTOCOL, seed=17, scheduler=scheduler)
    run.table.barrier[1:] += 1e-9
    run._loop = run._packed()
    assert all(run.fire() for _ in range(20))
    with pytest.raises(LiveMismatch, match=r"no-complex: hop_barrier, common.py line \d+ says 1.65 eV"):
        run.fire(live=True)
