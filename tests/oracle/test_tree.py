"""The sum tree: a pure function of the crystal, and it draws events as often as their rates say."""

from __future__ import annotations

import math
from collections import Counter

import naive
import numpy as np
import pytest
import scipy.stats
from histories import CASES, boxed, grown, reading
from naive import filled, shuffled
from oracle.test_small_system import CHAINS, HOT, assert_visited, shipped
from oracle.test_twins import reversible, small

from ucnp_abm import Mechanism, Particle, Simulation
from ucnp_abm.crystal import growth, lattice
from ucnp_abm.engine.pack import pack_sums
from ucnp_abm.engine.simulation import CROSSOVER
from ucnp_abm.kernels import layout
from ucnp_abm.kernels.rates import channel_factor, event_rate
from ucnp_abm.kernels.tree import build, draw_by_tree, tree_total

QUICK = (
    "etch",
    "finite",
    "stripped and docked",
    "energies",
    "cation-exchange",
    "counting",
    "crowded box",
    "reading box",
)
each_case = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in QUICK else pytest.mark.slow) for case in CASES]
)


def built(run: Simulation) -> layout.Sums:
    """The tree of the present crystal, by the plain text and from nothing."""
    sums = pack_sums(run.crystal, run._loop.state, run._loop.rates, layout.SUM_TREE)
    build(run._loop.lattice, run._loop.state, run._loop.rates, sums, run._condition_now())
    return sums


def same_trees(run: Simulation) -> None:
    """Bit for bit: all nodes, the parts of all vacancies, and where they stand."""
    kept, fresh, n = run._loop.sums, built(run), run.state.n_vacancies
    assert kept.condition[0] == fresh.condition[0]
    assert kept.node.tobytes() == fresh.node.tobytes()
    assert kept.part[:n].tobytes() == fresh.part[:n].tobytes()
    assert kept.position[run.state.vacancies[:n]].tolist() == list(range(n))


# --- history leaves no trace ---


@each_case
def test_the_tree_after_any_history_is_the_tree_built_afresh(case: str) -> None:
    run = CASES[case].simulation("sum-tree")
    for n in (1, 1, 1, 7, 50, 200, 400):
        if run.run(events=n) == "count reached":
            run.total_rate()
            same_trees(run)
    for _ in range(2):
        run.back(min(30, run.state.events))
        run.run(events=20)
        same_trees(run)
    run.set_temperature(600.0)
    run.run(events=20)
    same_trees(run)
    for branch in (run.branch(), run.branch(seed=3)):
        branch.run(events=20)
        same_trees(branch)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_tree_after_a_long_history_is_the_tree_built_afresh(case: str) -> None:
    run = CASES[case].simulation("sum-tree")
    for _ in range(20):
        if run.run(events=10_000) == "count reached":
            same_trees(run)


def rebuild(run: Simulation) -> None:
    """Let the loop build its tree afresh."""
    run._loop.sums.condition[0] = -1
    run.run_to(time=run.time)


@pytest.mark.parametrize("case", [*QUICK, "energies in a small particle"])
def test_the_tree_is_the_tree_built_afresh_by_the_loop_after_each_of_many_events(case: str) -> None:
    """Near a surface a site of the second shell may be missed by the path that was chosen for it in the bulk."""
    if case in CASES:
        run = CASES[case].simulation("sum-tree")
    else:
        run = Simulation(small(0.3), reversible("0.15 eV"), 573.15, seed=3, scheduler="sum-tree")
    for n in range(800):
        run.run(events=1)
        sums, vacant = run._loop.sums, run.state.n_vacancies
        node, part = sums.node.tobytes(), sums.part[:vacant].tobytes()
        rebuild(run)
        if run._loop.sums is sums:  # the lists have not grown
            assert (sums.node.tobytes(), sums.part[:vacant].tobytes()) == (node, part), n


@pytest.mark.parametrize("case", ["stripped and docked", "counting", "crowded box", "energies"])
def test_the_tree_is_right_after_each_single_event(case: str) -> None:
    """Interpreted: the plain text of both."""
    run = CASES[case].simulation("sum-tree", interpreted=case == "counting")
    for _ in range(25):
        run.run(events=1)
        same_trees(run)


@pytest.mark.parametrize(
    ("name", "cells"),
    [("fcc", (3, 3, 3)), ("beta", (3, 3, 3)), ("chain", (3, 1, 1)), ("chain", (4, 1, 1)), ("sc", (3, 3, 3))],
)
def test_the_tree_is_right_in_the_smallest_boxes(name: str, cells: tuple[int, int, int]) -> None:
    """Where the second shell of a site meets itself around the box."""
    if name == "chain":
        particle = Particle.of(boxed_chain(cells), ["Gd", "vacancy", "Y", "Gd"][: cells[0]])
    elif name == "sc":
        particle = Particle.box(lattice="sc", cells=cells, composition="Gd: 30% Yb, 20% Y", vacancies=0.2, seed=1)
    else:
        particle = boxed(name, cells, 0.15)
    for rules in (reading(), CASES["crowded box"].rules()):
        run = Simulation(particle, rules, "300 °C", seed=1, scheduler="sum-tree")
        for _ in range(15):
            run.run(events=1)
            same_trees(run)


def boxed_chain(cells):  # type: ignore[no-untyped-def]
    return growth.box(lattice.named("chain"), cells)


@each_case
def test_the_root_is_the_sum_of_all_rates(case: str) -> None:
    run = CASES[case].simulation("sum-tree")
    run.run(events=200)
    total = tree_total(run._loop.state, run._loop.rates, built(run), run._condition_now())
    assert total == pytest.approx(run.total_rate(), rel=1e-12)


# --- which event ---


def exact() -> Mechanism:
    """Rates that are powers of two, so that no sum is rounded."""
    kind = Mechanism("exact", summary="Whole numbers.", source="Assumption: a test")
    kind.hop("Gd", attempt=1.0)(lambda env: 0.0)
    kind.hop("Yb", attempt=0.125)(lambda env: 0.0)
    kind.hop("Y", attempt=4.0)(lambda env: 0.0)
    kind.dock("Lu", irreversible=True, attempt=0.25)(lambda env: 0.0)
    kind.etch(("Y", "Gd"), irreversible=True, attempt=0.03125)(lambda env: 0.0)
    kind.sink(irreversible=True, attempt=2.0**-9)(lambda env: 0.0)
    return kind


def test_tree_and_scan_choose_the_same_events_from_the_same_words_where_nothing_is_rounded() -> None:
    """The tree lists exposed vacancies by their position, the scan by their rank: hops and etching are compared."""
    rules = exact()
    rules.site_rules[:] = [rule for rule in rules.site_rules if rule.verb == "etch"]
    tree, scan = (Simulation(small(0.2), rules, "300 °C", seed=5, scheduler=s) for s in ("sum-tree", "linear-scan"))
    verbs = set()
    for _ in range(300):
        one, other = tree.fire(), scan.fire()
        assert one is not None
        assert other is not None
        assert (one.move.verb, one.move.site, one.move.to, one.time, one.words, one.total_rate) == (
            *(other.move.verb, other.move.site, other.move.to),
            *(other.time, other.words, other.total_rate),
        )
        verbs.add(one.verb)
    assert tree.digest() == scan.digest()
    assert verbs == {"hop", "etch"}


def events_of(run: Simulation) -> dict[tuple[int, int, int], float]:
    """Rate / s⁻¹ of every event, by channel, grid point and direction."""
    lattice, state, rates, c = *run._loop[:3], run._condition_now()
    hops = [(layout.HOPS, int(i), d) for i in state.vacancies[: run.state.n_vacancies] for d in range(run.crystal.z)]
    others = [(n, int(i), 0) for n in range(1, rates.bound.shape[1]) for i in lattice.exposed_sites]
    found = {e: float(event_rate(lattice, state, rates, c, e[0], np.uint32(e[1]), e[2])) for e in hops + others}
    return {event: rate for event, rate in found.items() if rate > 0}


@pytest.mark.parametrize("case", ["counting", "exact", "energies", "finite", "cation-exchange"])
def test_the_next_event_and_its_time_are_drawn_as_the_rates_say(case: str) -> None:
    """Chi-square over all events, and exponential waiting times with the total rate."""
    if case == "exact":
        run = Simulation(small(0.2), exact(), "300 °C", seed=5, scheduler="sum-tree")
    else:
        run = CASES[case].simulation("sum-tree")
    run.run(events=30)
    rates, total = events_of(run), run.total_rate()
    assert sum(rates.values()) == pytest.approx(total, rel=1e-12)
    before, seen, waits = run.state.copy(), Counter(), []
    run.remember(1)
    for _ in range(4000):
        naive.rewind(run, before)
        run._loop.sums.condition[0] = -1
        begin, number = before.clock[layout.LAST], run.state.events
        run.run(events=1)
        r = (number + 1) & (run._loop.records.time.size - 1)
        records = run._loop.records
        seen[int(records.channel[r]), int(records.site[r]), int(records.direction[r])] += 1
        waits.append((run.time - begin) * total)
    assert seen.keys() <= rates.keys()
    numbers = [seen[event] for event in rates]
    assert naive.chi_square_p(numbers, np.array(list(rates.values())) / total) > 1e-4
    assert scipy.stats.kstest(waits, "expon").pvalue > 1e-4


@pytest.mark.parametrize("case", ["counting", "finite", "stripped and docked", "crowded box"])
def test_shares_of_the_total_lead_to_the_event_that_covers_them(case: str) -> None:
    """Scanned over the whole range, each event is found over a stretch as long as its rate; nothing else is."""
    run = CASES[case].simulation("sum-tree")
    run.run(events=100)
    sums, (lattice, state, rates), c = built(run), run._loop[:3], run._condition_now()
    total = tree_total(state, rates, sums, c)
    n, found = 20_000, Counter()
    for x in (np.arange(n) + 0.5) / n * total:
        channel, _, i, d = draw_by_tree(lattice, state, rates, sums, c, x)
        found[int(channel), int(i), int(d)] += 1
    expected = events_of(run)
    assert found.keys() <= expected.keys()
    for event, rate in expected.items():
        assert abs(found[event] - n * rate / total) < 1.001, event


@each_case
def test_what_cannot_happen_is_not_drawn_from_the_extremes_of_a_word(case: str) -> None:
    run = CASES[case].simulation("sum-tree")
    for _ in range(6):
        run.run(events=40)
        sums, (lattice, state, rates), c = built(run), run._loop[:3], run._condition_now()
        total, possible = tree_total(state, rates, sums, c), events_of(run)
        if not possible:
            break
        edges = np.cumsum([sums.node[r] * channel_factor(state, rates, c, n) for n, r in enumerate(sums.root)])
        around = [
            f(e) for e in edges for f in (float, lambda e: math.nextafter(e, 0), lambda e: math.nextafter(e, 9e9))
        ]
        greatest = (2**53 - 1) / 2**53
        for x in (
            0.0,
            5e-324,
            total,
            math.nextafter(total, 0),
            math.nextafter(total, math.inf),
            greatest * total,
            *around,
        ):
            channel, k, i, d = draw_by_tree(lattice, state, rates, sums, c, x)
            assert (int(channel), int(i), int(d)) in possible
            if channel == layout.HOPS or rates.channel_from[channel] == layout.VACANCY:
                assert state.vacancies[k] == i


def test_leaves_without_rate_around_one_with_are_never_entered() -> None:
    """One vacancy of many can hop, in one direction: whatever x, it is the one."""
    run = CASES["reflecting"].simulation("sum-tree")
    sums, (lattice, state, rates), c = built(run), run._loop[:3], run._condition_now()
    n = int(sums.leaves[0])
    for a in (0, 1, 31, run.state.n_vacancies - 1):
        for d in (0, 3, run.crystal.z - 1):
            sums.node[:] = 0.0
            sums.part[:] = 0.0
            sums.part[a, d] = 0.1
            m = n + a
            while m >= 1:
                sums.node[m - 1] = 0.1
                m //= 2
            for x in (0.0, 5e-324, 0.05, math.nextafter(0.1, 0), 0.1, math.nextafter(0.1, 1), 0.2):
                channel, k, i, found = draw_by_tree(lattice, state, rates, sums, c, x)
                assert (channel, int(k), int(i), int(found)) == (0, a, int(state.vacancies[a]), d)


def test_stiff_rates_are_drawn_as_they_are() -> None:
    """Barriers from 0.1 to 2 eV: the slow ones are as rare as they are, and nothing impossible comes."""
    kind = Mechanism("stiff", summary="Stiff.", source="Assumption: a test")
    kind.hop("Gd")(lambda env: 0.1)
    kind.hop("Y")(lambda env: 2.0)
    run = Simulation(grown(), kind, "300 °C", seed=2)
    assert run.scheduler == "sum-tree"
    fired = [run.fire() for _ in range(300)]
    assert {event.species for event in fired if event} == {"Gd"}
    assert all(event and event.move.rate > 1e11 for event in fired)
    same_trees(run)


# --- which scheduler ---


@pytest.mark.parametrize("rate", [1.0, 0.3, 0.15, 0.11, 0.1001, 0.0999, 0.09, 0.05, 1e-6])
def test_the_tree_is_taken_exactly_where_rejection_accepts_less_than_one_in_ten(rate: float) -> None:
    """In a ring, both hops of the vacancy have the rate that was given; gadolinium sets the bound to 1."""
    kind = Mechanism("two", summary="Two rates.", source="Assumption: a test")
    kind.hop("Y", attempt=rate)(lambda env: 0.0)
    kind.hop("Gd", attempt=1.0)(lambda env: 0.0)
    particle = Particle.of(boxed_chain((8, 1, 1)), ["vacancy", "Y", "Y", "Gd", "Gd", "Gd", "Y", "Y"])
    run = Simulation(particle, kind, "300 °C")
    assert run.acceptance == pytest.approx(rate, rel=1e-12)
    assert run.scheduler == ("sum-tree" if rate < CROSSOVER else "rejection")
    assert run._loop.plan.scheduler == (layout.SUM_TREE if rate < CROSSOVER else layout.REJECTION)
    for named in ("rejection", "sum-tree", "linear-scan"):
        assert Simulation(particle, kind, "300 °C", scheduler=named).scheduler == named


# --- equilibrium ---


@pytest.mark.slow
@pytest.mark.parametrize("name", ["y-complex, beta", "curious, beta", "no-complex, plane"])
def test_a_long_run_by_the_tree_visits_states_as_boltzmann_says(name: str) -> None:
    make, rules, numbers = CHAINS[name]
    visits(make(), rules(), shuffled(np.random.default_rng(8), **numbers), HOT)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gd-complex, weaker-binding"])
def test_a_finite_bath_settles_by_the_tree_as_boltzmann_says(name: str) -> None:
    visits(naive.beta(), shipped(name), shuffled(np.random.default_rng(14), Y=6, Gd=1, vacancy=2), HOT)


def visits(room, rules, start, kelvin):  # type: ignore[no-untyped-def]
    """Samples at equal times, five relaxation times apart."""
    system = naive.System(room, rules, kelvin, start=start)
    states = system.reachable(start)
    expected = system.boltzmann(states)
    assert expected.max() > 5 * expected.min()
    pause = 5 * naive.relaxation_time(system.generator(states), expected)
    run = Simulation(filled(room, start), rules, kelvin, seed=11, scheduler="sum-tree")
    number = {c: n for n, c in enumerate(states)}
    observed = np.zeros(len(states), dtype=int)
    for n in range(1, 2501):
        run.run_to(time=n * pause)
        observed[number[naive.configuration(run)]] += 1
    assert_visited(observed, expected, states)
