"""What every mechanism keeps, as tests that a plugin inherits: one class, so that its names are what pytest prints."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ucnp_abm import observables, registry
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.rules.check import check
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs import checkpoint
from ucnp_abm.testing.facts import are_the_same, it_runs, states_what_it_is, tiny, told, told_after

N_EVENTS = 200
"""Events of a run in the contract, if so many can happen."""
MOST_ROWS = 3000
"""Rows of a table that are compared with their law, evenly spread if there are more."""
_FIXTURE = type(pytest.fixture(lambda: None))


def as_fixture(held: Any, hand_on: Callable[[Any, Any], Any]) -> Any:
    """A fixture with a value that a class holds; where it holds a fixture itself, one that hands that on."""
    return pytest.fixture(hand_on if isinstance(held, _FIXTURE) else lambda self: held)


class MechanismContract:
    """What every mechanism keeps; a subclass whose name begins with 'Test' asks it of one.

    Attributes
    ----------
    mechanism : Mechanism or str
        Such as ``"y-complex+laser-thermal"``; or a pytest fixture, which may have several `params`.
    parameters : mapping
        Parameter values; empty: the defaults.
    particle : Particle or None
        None: the tiny particle. Give another if it has nothing for the mechanism to act on.
    protocol : str

    Notes
    -----
    Tests that you add may take the fixtures `simulation` and `again`: `again(seed=5)` is the same simulation from the
    start, with what you say changed.
    """

    mechanism: ClassVar[Any] = None
    parameters: ClassVar[Mapping[str, Any]] = {}
    particle: ClassVar[Any] = None
    protocol: ClassVar[Any] = "300 °C"
    _counted: ClassVar[dict[str, int]] = {}

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        cls._counted = {}
        cls.offered = as_fixture(cls.mechanism, lambda self, mechanism: mechanism)  # type: ignore[attr-defined]

    # --- fixtures ---

    @pytest.fixture
    def kind(self, offered: Any) -> Mechanism:
        """The mechanism with its parameter values."""
        if offered is None:
            raise BadInput(f"{type(self).__name__}: say which mechanism: mechanism = my_dock, or a name")
        return registry.mechanism(offered, **self.parameters)

    @pytest.fixture
    def again(self, kind: Mechanism) -> Callable[..., Simulation]:
        """Makes the same simulation from the start: `again(protocol=…, seed=…, interpreted=…, mechanism=…)`."""
        particle = tiny() if self.particle is None else self.particle

        def make(**words: Any) -> Simulation:
            given = {"mechanism": kind, "protocol": self.protocol, "seed": 4, **words}
            return Simulation(particle, **given)

        return make

    @pytest.fixture
    def simulation(self, again: Callable[..., Simulation]) -> Simulation:
        """A simulation that has not begun yet."""
        return again()

    @pytest.fixture
    def n_events(self, request: pytest.FixtureRequest, again: Callable[..., Simulation]) -> int:
        """How many events a run of the contract has: fewer than usual if nothing is left to happen."""
        variant = request.node.name.partition("[")[2]
        if variant not in self._counted:  # once for all tests: a table may take longer than a run
            run = again()
            run.run(events=N_EVENTS)
            self._counted[variant] = run.state.events
        if not self._counted[variant]:
            pytest.skip("nothing happens on this particle")
        return self._counted[variant]

    # --- what it says of itself ---

    def test_it_states_what_it_is_and_where_it_comes_from(self, kind: Mechanism) -> None:
        for part in (kind, *kind.drives):
            states_what_it_is(part)

    def test_the_workbench_finds_nothing_wrong(self, simulation: Simulation) -> None:
        from ucnp_abm.workbench.checking import check_mechanism

        report = check_mechanism(simulation.mechanism, simulation.particle, events=N_EVENTS)
        said = [f"{f.severity} {f.check}: {f.message} ({f.place}) {f.environment or ''}" for f in report.findings]
        assert report.ok, f"{simulation.mechanism.name}: `ucnp-abm plugins check` finds:\n" + "\n".join(said)

    def test_its_table_passes_the_checks_and_it_says_what_is_irreversible(self, simulation: Simulation) -> None:
        kind, table = simulation.mechanism, simulation.table
        check(table)
        broken = {getattr(block.rule, "verb", "hop") for block in table.blocks if block.rule.irreversible}
        told_of = " ".join(kind.irreversible_verbs)
        silent = [verb for verb in sorted(broken) if verb not in told_of]
        silent += [drive.name for drive in kind.drives if drive.irreversible and drive.name not in told_of]
        assert not silent, (
            f"{kind.name}: {', '.join(silent)}: no way back in balance, and `irreversible_verbs`, which every report "
            f"shows, has only: {told_of}"
        )

    # --- its laws ---

    def test_tabulating_again_gives_the_same_table(self, again: Callable[..., Simulation]) -> None:
        first, second = again().table, again().table
        assert first.fingerprint() == second.fingerprint(), (
            f"{first.mechanism.name}: a law gave another barrier when it was asked once more; a barrier may follow "
            "from env alone, not from a counter, a clock, a random number or an earlier call"
        )

    def test_fingerprint_does_not_depend_on_temperature(self, again: Callable[..., Simulation]) -> None:
        cold, hot = again(protocol="300 °C").table, again(protocol="400 °C").table
        assert cold.fingerprint() == hot.fingerprint(), (
            f"{cold.mechanism.name}: the table differs between 300 °C and 400 °C; laws give barriers in eV, and rates "
            "follow for each temperature"
        )

    def test_laws_say_what_the_table_holds(self, simulation: Simulation) -> None:
        simulation.run(events=N_EVENTS)  # what a law kept from earlier calls would show now
        table = simulation.table
        rows = table.rows()
        for row in rows[:: max(1, math.ceil(len(rows) / MOST_ROWS))]:
            rule, env = table.block_of(row).rule, table.environment(row)
            said, held = table.law_value(rule, env), float(table.barrier[row])
            assert said == held, (
                f"{simulation.mechanism.name}: for {env} the law says {said} eV, and the table holds {held} eV"
            )

    def test_laws_asked_during_a_run_say_what_the_table_holds(self, simulation: Simulation, n_events: int) -> None:
        for _ in range(min(n_events, 20)):
            assert simulation.fire(live=True) is not None, "the run ended before its last event"

    # --- its events ---

    def test_an_event_happens(self, simulation: Simulation) -> None:
        simulation.run(events=1)
        assert simulation.state.events == 1, (
            f"{simulation.mechanism.name}: nothing happens on {simulation.particle}; give the test a particle with "
            "ions and vacancies on which the mechanism acts"
        )

    def test_sites_are_conserved_and_the_bath_balances_what_comes_and_goes(
        self, simulation: Simulation, n_events: int
    ) -> None:
        name, table = simulation.mechanism.name, simulation.table
        start, bath = observables.composition(simulation), simulation.state.reservoir.tolist()
        simulation.run(events=n_events)
        after = observables.composition(simulation)
        expected = {s: start.get(s, 0) for s in {*start, *after}}
        for channel, n in zip(table.channels, simulation.state.counts()[1:].tolist(), strict=True):
            expected[channel.before] = expected.get(channel.before, 0) - n
            expected[channel.after] = expected.get(channel.after, 0) + n
        found = {s: after.get(s, 0) for s in expected}
        assert found == expected, f"{name}: sites by species are {found}, and the counted events say {expected}"
        assert found.get("vacancy", 0) == simulation.state.n_vacancies, f"{name}: the list of vacancies is wrong"
        assert sum(after.values()) == simulation.crystal.n_sites, f"{name}: sites appeared or disappeared"
        for held, old, new in zip(table.reservoirs, bath, simulation.state.reservoir.tolist(), strict=True):
            gained = after.get(held.species, 0) - start.get(held.species, 0)
            assert old - new == gained, (
                f"{name}: the crystal gained {gained} {held.species}, and the bath lost {old - new}"
            )

    def test_options_are_what_the_loop_may_choose(self, simulation: Simulation) -> None:
        listed = math.fsum(
            move.rate
            for site in range(simulation.crystal.n_sites)
            for move in simulation.options(site)
            if simulation.occupant(site) == "vacancy" or move.verb != "hop"
        )
        assert listed == pytest.approx(simulation.total_rate(), rel=1e-12), (
            f"{simulation.mechanism.name}: the rates of all options add up to {listed} /s, and the run goes on with "
            f"{simulation.total_rate()} /s"
        )

    def test_every_event_was_an_option(self, simulation: Simulation, n_events: int) -> None:
        for _ in range(min(n_events, 4)):
            condition = simulation.schedule.condition(simulation.time)
            options = {
                (m.verb, m.species, m.site, m.to): m.rate
                for site in range(simulation.crystal.n_sites)
                for m in simulation.options(site)
            }
            event = simulation.fire()
            assert event is not None, "the run ended before its last event"
            move = event.move
            assert 0 < event.probability <= 1, f"the probability of {move} is {event.probability}"
            if simulation.schedule.condition(simulation.time) == condition:
                rate = options.get((move.verb, move.species, move.site, move.to))
                assert rate == move.rate, f"{move} happened, and among the options its rate was {rate} /s"

    # --- one run, told in many ways ---

    def test_same_seed_gives_the_same_run_and_another_seed_another(
        self, again: Callable[..., Simulation], n_events: int
    ) -> None:
        told = [told_after(again(seed=seed), n_events) for seed in (9, 9, 10)]
        are_the_same(told[0], told[1], "the same seed gave two different runs")
        assert told[1]["digest"] != told[2]["digest"], "two seeds gave the same run"

    def test_no_two_moments_of_a_run_share_a_digest(self, again: Callable[..., Simulation], n_events: int) -> None:
        run, ahead = again(), again()
        seen = [run.digest()]
        ahead.run(events=1)
        run.run_to(time=ahead.time / 2)
        seen.append(run.digest())
        for _ in range(n_events):
            run.run(events=1)
            seen.append(run.digest())
        assert len(set(seen)) == len(seen), "the digest leaves something out: two different moments share one"

    def test_plain_python_gives_the_same_run(self, again: Callable[..., Simulation], n_events: int) -> None:
        fast, plain = told_after(again(), n_events), told_after(again(interpreted=True), n_events)
        are_the_same(fast, plain, "the fast loop and its plain Python text gave two different runs")

    def test_single_events_are_the_run(self, again: Callable[..., Simulation], n_events: int) -> None:
        single = again()
        for number in range(1, n_events + 1):
            event = single.fire()
            assert event is not None, f"event {number} of {n_events} did not happen when fired alone"
            assert event.number == number, f"event {number} calls itself event {event.number}"
        are_the_same(told_after(again(), n_events), told(single), "single events are not the run")

    def test_a_run_in_pieces_is_the_run_in_one(self, again: Callable[..., Simulation], n_events: int) -> None:
        whole, pieces = again(), again()
        whole.run(events=n_events)
        end = whole.time
        for share in (0.1, 0.35, 0.6, 0.9):
            pieces.run_to(time=max(pieces.time, share * end))
            pieces.run_to(time=end, events=pieces.state.events + 1)
            pieces.run_to(time=end, candidates=pieces.state.candidates + 3)
            pieces.run_to(time=end, steps=pieces.steps + 0.1)
        pieces.run_to(time=end)
        are_the_same(told(whole), told(pieces), "a run that paused on the way ended elsewhere")

    def test_undone_events_leave_no_trace(self, simulation: Simulation, n_events: int) -> None:
        before = [told(simulation)]
        pieces = [n_events - n_events // 2, n_events // 2]
        for n in pieces:
            simulation.run(events=n)
            before.append(told(simulation))
        for n, then in zip(reversed(pieces), reversed(before[:-1]), strict=True):
            simulation.back(events=n)
            are_the_same(then, told(simulation), f"{n} events were undone, and something of them is left")
        are_the_same(before[-1], told_after(simulation, n_events), "after the way back the run went on otherwise")

    def test_a_saved_run_goes_on_the_same(self, simulation: Simulation, n_events: int, tmp_path: Path) -> None:
        simulation.run(events=n_events - n_events // 2)
        checkpoint.save(simulation, tmp_path / "run.npz")
        loaded = checkpoint.load(tmp_path / "run.npz", mechanism=simulation.mechanism)
        are_the_same(told(simulation), told(loaded), "what was loaded is not what was saved")
        rest = n_events // 2
        are_the_same(told_after(simulation, rest), told_after(loaded, rest), "the loaded run went on otherwise")

    # --- with other words and under light ---

    def test_every_choice_can_be_run(self, again: Callable[..., Simulation], kind: Mechanism) -> None:
        owners = [("", kind.parameters), *((f"{drive.name}.", drive.parameters) for drive in kind.drives)]
        for owner, parameters in owners:
            for parameter in parameters.values():
                for word in parameter.choices:
                    chosen = kind.with_parameters(**{owner + parameter.name: word})
                    it_runs(again(mechanism=chosen), f"{owner}{parameter.name}={word}")

    def test_every_drive_that_fits_can_be_added(self, again: Callable[..., Simulation], kind: Mechanism) -> None:
        registry.installed().load_all()
        for name, drive in registry.installed().drives.items():
            try:
                driven = kind.driven_by(drive)
            except BadInput:
                continue  # it has nothing to act on here
            it_runs(again(mechanism=driven), f"under {name}")
