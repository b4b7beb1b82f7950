"""`plugins check` finds what is wrong with a mechanism, and nothing where nothing is wrong."""

import functools
import sys

import pytest

from ucnp_abm import IONS, Mechanism, Particle, UcnpError, mechanism
from ucnp_abm.kernels import events
from ucnp_abm.registry import installed
from ucnp_abm.workbench.checking import balance, check_mechanism, particle_for
from ucnp_abm.workbench.checking.checks import CHECKS
from ucnp_abm.workbench.checking.trial import on_trial


def trial(hop, dock=None, **declared):
    made = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    made.hop(IONS)(hop)
    if dock:
        made.dock("Y", **(declared or {"irreversible": True}))(dock)
    return made


def flat(env):
    return 1.65


def messages(found, check=None):
    return [one.message for one in found.findings if check in (None, one.check)]


SHIPPED = ["cation-exchange", "gd-complex", "mixed-complex", "no-complex", "y-complex"]
VARIANTS = [
    *((name, {}) for name in SHIPPED),
    ("y-complex", {"chemical_potential": "0.1 eV"}),
    ("gd-complex", {"why": "weaker-binding"}),
    ("y-complex+laser-strip+laser-dock", {}),
    ("no-complex+laser-athermal", {}),
    ("no-complex+laser-thermal", {"laser-thermal.shape": "pulses"}),
]


def test_every_shipped_mechanism_is_among_those_that_are_checked():
    installed().load_all()
    assert sorted(set(installed().mechanisms) & set(SHIPPED)) == SHIPPED


@pytest.mark.parametrize(("name", "values"), VARIANTS)
def test_nothing_is_found_in_what_ships(name, values):
    report = check_mechanism(mechanism(name, **values))
    assert report.findings == ()
    assert report.checks == CHECKS
    assert report.environments > 100


def test_a_parameter_that_a_broken_law_would_have_read_is_not_called_unused():
    made = trial(flat, lambda env: env.p.dock_barrier if env.site.n["yb"] else None)
    made.parameter("dock_barrier", "1.2 eV", doc="Barrier of docking.")
    (found,) = check_mechanism(made, events=50).findings
    assert "did you mean 'Yb'?" in found.message


def test_the_worst_comes_first_and_other_checks_go_on():
    def hop(env):
        print("here")
        return -1.0

    made = trial(hop, flat)
    made.source = "none"
    report = check_mechanism(made)
    assert [one.check for one in report.findings] == ["source and summary", "barriers", "output"]
    assert not report.ok


def test_a_law_that_is_left_out_of_the_table_leaves_the_others_to_be_checked():
    def hop(env):
        return sum(env.n[symbol] for symbol in IONS)

    report = check_mechanism(trial(hop, lambda env: -1.0))
    assert [one.check for one in report.findings] == ["table", "barriers"]


def test_a_law_that_changes_later_parts_from_its_table():
    calls = []

    def hop(env):
        calls.append(1)
        return 1.65 if len(calls) < 800 else 1.60

    report = check_mechanism(trial(hop), events=400)
    assert [one.check for one in report.findings] == ["globals", "compiled = interpreted = live"]
    later = report.findings[1]
    assert "the law 'hop' says 1.6 eV at event" in later.message
    assert later.place.startswith("test_checking.py, line ")
    assert later.environment.startswith("hop of ")


def test_an_interpreted_run_that_is_another_one_is_found(monkeypatch):
    compiled = events.advance

    def advance(*given):
        status = compiled(*given)
        given[5].time[7] *= 1 + 1e-15
        return status

    monkeypatch.setattr(events, "advance_plain", advance)
    report = check_mechanism(trial(flat), events=300)
    assert messages(report) == ["the interpreted run parts from the compiled one at event 7"]


class Stiff:
    """A law with numbers of its own; it grows tired."""

    def __init__(self):
        self.base, self.tired, self.nothing = 1.65, 0, float("nan")

    def __call__(self, env):
        return self.base

    def tiring(self, env):
        self.tired += 1
        return self.base


def test_a_law_may_be_an_object_or_a_method_or_made_of_parts():
    assert check_mechanism(trial(Stiff()), events=20).findings == ()
    assert check_mechanism(trial(functools.partial(lambda base, env: base, 1.65)), events=20).findings == ()
    assert messages(check_mechanism(trial(Stiff().tiring), events=20)) == [
        "its own attribute 'tired' changes while laws are called; a barrier follows from env alone, so make it a "
        "parameter or a constant"
    ]


def test_what_was_traced_before_is_traced_afterwards():
    def tracer(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        check_mechanism(trial(flat), events=5)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_rows_that_break_detailed_balance_are_found_without_the_engine(small_particle):
    made = trial(flat, lambda env: 1.2, chemical_potential=0.1)
    made.site_energy({("Y", "surface"): -0.1, ("vacancy", "surface"): 0.03})
    assert not list(balance.balance(on_trial(made, small_particle, {})))
    for verb in ("hop", "dock", "undock"):
        tried = on_trial(made, small_particle, {})
        at = next(n for n, one in enumerate(tried.answers) if one.rate.verb == verb)
        rate = tried.answers[at].rate
        object.__setattr__(rate, "activation", rate.activation + 1e-6)
        (finding,) = balance.balance(tried)
        assert "with declared energies that differ by" in finding.message


@pytest.mark.parametrize("barrier", [0.0, 0.01, 1.65, 5.0])
@pytest.mark.parametrize("energy", [-0.4, 0.0, 2.0])
def test_balance_holds_also_where_a_barrier_clips(barrier, energy):
    made = trial(lambda env: barrier, lambda env: barrier, chemical_potential=energy)
    made.site_energy({("Y", "surface"): energy, ("vacancy", "core"): 0.3})
    assert not messages(check_mechanism(made, events=20), "detailed balance")


def test_species_that_rules_and_laws_name_are_there():
    def hop(env):
        return 1.6 if env.mover == "Er" and env.n["Ho"] else 1.65

    made = trial(hop)
    made.dock("Lu", irreversible=True)(flat)
    made.pair_energy({("Ce", "Nd"): 0.01})
    assert {"Er", "Ho", "Lu", "Ce", "Nd", "Yb", "Gd", "Tm", "Y", "Na", "vacancy"} == set(particle_for(made).counts)
    assert check_mechanism(made, events=20).findings == ()


def test_on_a_given_particle_what_cannot_be_there_is_said(small_particle):
    made = trial(lambda env: 1.6 if env.mover == "Er" else 1.65)
    made.etch("Lu", irreversible=True)(flat)
    report = check_mechanism(made, small_particle, events=20)
    assert messages(report, "rules that apply") == [
        "the rule of the law 'flat' never applies: no Lu is in this crystal, and no rule brings it there"
    ]
    assert "compares env.mover with 'Er'" in messages(report, "reach")[0]


def test_a_count_that_can_never_be_there_is_no_fault(small_particle):
    made = trial(lambda env: 1.65 + 0.01 * env.n["Lu"])
    assert check_mechanism(made, small_particle, events=20).findings == ()


def test_what_needs_other_values_or_another_crystal_is_not_in_vain():
    made = trial(flat)
    made.parameter("slope", 0.0, doc="What a neighbour adds.")
    made.parameter("bonus", None, doc="What the surface adds.")
    made.choice("surface", "smooth", ("smooth", "rough"), doc="What the surface is like.")

    @made.dock("Y", irreversible=True)
    def dock(env):
        if env.p.surface == "rough":
            return 1.3 + 0.01 * env.site.n["Gd"]
        if env.p.bonus is not None:
            return 1.2 + env.p.bonus
        return 1.2 + env.p.slope * env.site.n["Yb"]

    @made.swap("Gd", "Lu", irreversible=True)
    def swap(env):
        if env.site.coordination > 10:  # on the cubic phase
            return 1.5
        return 1.6

    assert check_mechanism(made, events=20).findings == ()


def test_a_count_that_nothing_reads_is_tried_with_whole_numbers_only():
    made = trial(flat)
    made.parameter("layers", 3, kind="count", low=1, high=4, doc="How many.")
    assert messages(check_mechanism(made, events=20)) == [
        "nothing reads the parameter 'layers' of 'trial', so setting it changes nothing; read it in a law as "
        "env.p.layers, or leave it out"
    ]


def test_a_particle_without_a_surface_has_rules_that_never_apply():
    box = Particle.box(lattice="beta", cells=(4, 4, 4), composition="NaGdF4", vacancies=3)
    (message,) = messages(check_mechanism(trial(flat, flat), box, events=20))
    assert "no exposed site" in message


def test_only_what_is_no_mechanism_is_refused():
    with pytest.raises(UcnpError, match="expected a Mechanism"):
        check_mechanism("y-complex")
    empty = Mechanism("empty", summary="Nothing.", source="Assumption: nothing")
    assert messages(check_mechanism(empty)) == ["a mechanism needs at least one rule (hop or dock)"]
