"""Mechanisms, drives and engines that are wrong, each in one way; `test_contract` runs this file.

Some are sound, on boxes and under pulses, and must pass.
"""

import itertools
import sys
import types
from dataclasses import replace

import pytest

from ucnp_abm import IONS, Drive, Mechanism, Particle, Simulation
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.crystal.state import State
from ucnp_abm.engine import simulation as engine
from ucnp_abm.engine.inspection import Inspection
from ucnp_abm.engine.timeline import Timeline
from ucnp_abm.kernels import events
from ucnp_abm.rules.table import RateTable
from ucnp_abm.runs import checkpoint
from ucnp_abm.testing import DriveContract, MechanismContract


def named(name, summary="It hops.", source="Assumption: a test", law=lambda env: 1.6, **options):
    kind = Mechanism(name, summary=summary, source=source)
    kind.hop(IONS, **options)(law)
    return kind


def breaks(owner, name, wrong):
    """A fixture that puts `wrong(right, *arguments)` in the place of a function while a test runs."""

    @pytest.fixture(autouse=True)
    def broken(self, monkeypatch):
        right = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *arguments, **words: wrong(right, *arguments, **words))

    return broken


# --- nothing wrong ---


class TestSound(MechanismContract):
    mechanism = named("sound")


class TestSoundBox(MechanismContract):
    """Pair energies, laws that read neighbours, a periodic box, and edges within the run."""

    mechanism = named("crowded", law=lambda env: 1.6 + 0.03 * env.n["vacancy"])
    mechanism.pair_energy({("Gd", "vacancy"): 0.01, ("Yb", "Y"): -0.008})
    particle = Particle.box(lattice="fcc", cells=(3, 3, 3), composition="Gd: 30% Yb, 20% Y", vacancies=0.03, seed=2)
    protocol = "300 °C for 1 s, 330 °C for 1 s, 290 °C"


class TestSoundPulses(MechanismContract):
    """The mechanism is a fixture with two values; pulses begin and end within the run."""

    parameters = {  # noqa: RUF012
        "shape": "pulses",
        "pulse_time": "0.1 s",
        "period": "0.3 s",
        "pulses": 2000,
        "chemical_potential": "50 meV",
    }

    @pytest.fixture(params=["y-complex+laser-dock", "gd-complex+laser-dock"])
    def mechanism(self, request):
        return request.param


# --- laws and words ---


class TestLawCounts(MechanismContract):
    counter = itertools.count()
    mechanism = named("counting", law=lambda env: 1.6 + 1e-4 * next(TestLawCounts.counter))


class TestNoSource(MechanismContract):
    mechanism = named("hearsay", source="a friend")


class TestNothingHappens(MechanismContract):
    mechanism = Mechanism("dock-only", summary="It docks.", source="Assumption: a test")
    mechanism.dock("Y", irreversible=True)(lambda env: 1.0)
    particle = Particle.core_shell(
        core="NaGdF4", diameter="1.6 nm", shell="NaYF4", thickness="0.6 nm", surface_vacancies=0.0, seed=1
    )


class TestChoiceForbidsAll(MechanismContract):
    mechanism = named("choosy", law=lambda env: None if env.p.mode == "still" else 1.6)
    mechanism.choice("mode", "moving", ("moving", "still"), doc="What it does.")


# --- an engine that is wrong in one way ---


def altered(right, *arguments):
    table = right(*arguments)
    table.barrier[1:] += 1e-9
    return table


class TestTableAltered(MechanismContract):
    mechanism = named("altered")
    broken = breaks(engine, "tabulate", altered)


def losing(right, lattice, state, *rest):
    status = right(lattice, state, *rest)
    ion = (state.species == SPECIES["Gd"].code).argmax()
    state.species[ion] = SPECIES["Y"].code
    return status


class TestExchangeLosesAnIon(MechanismContract):
    mechanism = named("losing")
    broken = breaks(events, "advance", losing)


def late(right, lattice, state, *rest):
    status = right(lattice, state, *rest)
    state.clock[:] *= 1 + 1e-9
    return status


class TestPausesTakeTime(MechanismContract):
    mechanism = named("pausing")
    broken = breaks(events, "advance", late)


class TestPlainPythonIsLate(MechanismContract):
    mechanism = named("late")
    broken = breaks(events, "advance_plain", late)


def timeless(right, state):
    blind = state.copy()
    blind.clock[:], blind.tally[2] = 0.0, 0
    return right(blind)


class TestDigestIgnoresTime(MechanismContract):
    mechanism = named("timeless")
    broken = breaks(State, "digest", timeless)


class TestDigestIgnoresAll(MechanismContract):
    mechanism = named("blind")
    broken = breaks(State, "digest", lambda right, state: "0" * 64)


def forgetful(right, timeline, n=1):
    right(timeline, n)
    timeline.simulation.state.tally[4] += 1


class TestUndoForgetsACounter(MechanismContract):
    mechanism = named("forgetful")
    broken = breaks(Timeline, "back", forgetful)


class TestLoadedRunHasAnotherSeed(MechanismContract):
    mechanism = named("reseeded")
    broken = breaks(checkpoint, "load", lambda right, path, mechanism: right(path, mechanism).branch(seed=5))


class TestFiringTakesTwo(MechanismContract):
    mechanism = named("hasty")
    broken = breaks(Simulation, "fire", lambda right, run, **words: right(run) and right(run, **words))


class TestOptionsHaveOtherRates(MechanismContract):
    mechanism = named("doubled")
    broken = breaks(
        Inspection, "options", lambda right, run, site: [replace(m, rate=2 * m.rate) for m in right(run, site)]
    )


class TestTableHasNoFingerprint(MechanismContract):
    mechanism = named("unmarked")
    numbers = itertools.count()
    broken = breaks(RateTable, "fingerprint", lambda right, table: str(next(TestTableHasNoFingerprint.numbers)))


class TestIrreversibleInSilence(MechanismContract):
    mechanism = named("silent", irreversible=True)

    @pytest.fixture(autouse=True)
    def broken(self, monkeypatch):
        monkeypatch.setattr(Mechanism, "irreversible_verbs", [])


class TestFindings(MechanismContract):
    mechanism = named("found")

    @pytest.fixture(autouse=True)
    def broken(self, monkeypatch):
        finding = types.SimpleNamespace(
            check="balance", severity="error", message="it drives itself", place="a.py:3", environment="core"
        )
        checking = types.ModuleType("checking")
        checking.check_mechanism = lambda mechanism, particle, events: types.SimpleNamespace(
            ok=False, findings=[finding]
        )
        monkeypatch.setitem(sys.modules, "ucnp_abm.workbench.checking", checking)


def stopping(right, kind, *drives):
    driven = right(kind, *drives)
    driven.hops = []
    return driven


class TestDrivesStopEverything(MechanismContract):
    mechanism = named("stopped")
    broken = breaks(Mechanism, "driven_by", stopping)


# --- drives ---


def lamp(**effects):
    made = Drive("lamp", summary="A lamp.", source="Assumption: a test")
    made.warm(effects.get("warm", "20 K"))
    return made


class TestSoundDrive(DriveContract):
    drive = lamp()


class TestDriveDoesNothing(DriveContract):
    drive = lamp(warm="0 K")


class TestDriveIsAlwaysOn(DriveContract):
    drive = lamp()
    broken = breaks(Drive, "profile", lambda right, drive: [(0.0, 1.0)])


class TestDriveOvershoots(DriveContract):
    drive = lamp()
    broken = breaks(Drive, "profile", lambda right, drive: [(0.0, 1.0), (1.0, 1.5)])
