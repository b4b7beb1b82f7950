"""Parameters, choices, reservoirs and rules with conditions: what they mean, and what is refused."""

import pytest

from ucnp_abm import IONS, Mechanism, Particle, Simulation, UcnpError, mechanism
from ucnp_abm.errors import BadInput, BadMechanism
from ucnp_abm.rules.tabulate import tabulate


def trial():
    made = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    made.choice("mode", "slow", ("slow", "fast", "still"), doc="How it hops.")
    return made


def table_of(made, particle):
    return tabulate(made, particle.crystal, particle.counts, particle.immobile)


def refused(message, call, error=BadInput):
    with pytest.raises(error) as caught:
        call()
    text = str(caught.value)
    assert isinstance(caught.value, UcnpError)
    assert all(word in text for word in message), text
    assert "\n" not in text


# --- what they mean ---


def test_the_rules_that_hold_follow_from_the_chosen_word(small_particle):
    made = trial()
    made.hop(IONS, when={"mode": "slow"})(lambda env: 1.7)
    made.hop(IONS, when={"mode": ["fast", "still"]})(lambda env: 1.5)
    made.sink(irreversible=True, when={"mode": "still"})(lambda env: 1.2)
    found = {}
    for word in ("slow", "fast", "still"):
        table = table_of(made.with_parameters(mode=word), small_particle)
        found[word] = sorted(set(table.barrier[1:])), [c.name for c in table.channels]
    assert found == {"slow": ([1.7], []), "fast": ([1.5], []), "still": ([1.2, 1.5], ["sink vacancy"])}
    assert made.irreversible_verbs == []
    assert made.with_parameters(mode="still").irreversible_verbs == ["sink vacancy"]


def test_amounts_may_be_numbers_texts_parameters_or_functions(small_particle):
    made = trial()
    attempt = made.parameter("attempt", "2 THz", kind="rate", doc="x")
    made.parameter("twice", 3.0, kind="number", doc="x")
    made.hop("Gd", attempt="4e12 1/s")(lambda env: 1.6)
    made.hop("Y", attempt=attempt)(lambda env: 1.6)
    made.hop("Yb", attempt=lambda p: p.twice * p.attempt)(lambda env: 1.6)
    rows = {b.where[0]: b.start for b in table_of(made, small_particle).blocks}
    table = table_of(made.with_parameters(twice=5), small_particle)
    assert {s: table.attempt[rows[s]] for s in rows} == {"Gd": 4e12, "Y": 2e12, "Yb": 1e13}


def test_the_lattice_gives_a_default_and_what_is_set_by_hand_wins():
    kind = mechanism("no-complex")
    assert (kind.on("alpha").values["barrier"], kind.on("beta").values["barrier"]) == (1.40, 1.65)
    assert kind.values["barrier"] == 1.65
    assert mechanism("no-complex", barrier="1.5 eV").on("alpha").values["barrier"] == 1.5
    assert mechanism("no-complex", barrier="1.65 eV").on("alpha").values["barrier"] == 1.65
    assert kind.on("alpha").with_parameters(surface="sink").values["barrier"] == 1.40
    grown = Particle.core_shell(core="NaGdF4", diameter="2 nm", lattice="alpha")
    assert set(Simulation(grown, kind).table.barrier[1:]) == {1.40}
    assert set(Simulation(grown, mechanism("no-complex", barrier="1.65 eV")).table.barrier[1:]) == {1.65}


def test_a_parameter_without_value_is_unset_again_by_name():
    kind = mechanism("y-complex", reservoir=5, chemical_potential="0.1 eV")
    assert kind.with_parameters(reservoir="unset", chemical_potential=None).values == mechanism("y-complex").values
    refused(["barrier", "a value is needed"], lambda: mechanism("y-complex", barrier=None))


def test_reservoirs_are_declared_or_follow_from_what_is_placed():
    assert [(r.species, r.activity, r.size) for r in mechanism("y-complex", reservoir=7).reservoirs()] == [
        ("Y", 1.0, 7)
    ]
    made = trial()
    made.dock("Lu", irreversible=True)(lambda env: 1.2)
    made.swap("Gd", "Yb", chemical_potential=0.1)(lambda env: 1.2)
    made.reservoir("Na", activity=0.3)
    found = [(r.species, r.activity, r.size) for r in made.reservoirs()]
    assert found == [("Na", 0.3, None), ("Lu", 1.0, None), ("Yb", 1.0, None), ("Gd", 1.0, None)]


# --- refusals ---


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reservoir": 0}, ["y-complex.reservoir", "at least 1"]),
        ({"reservoir": -3}, ["y-complex.reservoir", "at least 1"]),
        ({"reservoir": 1.5}, ["y-complex.reservoir", "whole number", "1.5"]),
        ({"reservoir": "many"}, ["y-complex.reservoir", "whole number"]),
        ({"reservoir": True}, ["y-complex.reservoir", "whole number"]),
        ({"activity": -0.1}, ["y-complex.activity", "at least 0"]),
        ({"activity": "50 %"}, ["y-complex.activity", "a plain number"]),
        ({"barrier": "11 eV"}, ["y-complex.barrier", "11 eV", "0 to 10 eV"]),
        ({"barrier": "-1 eV"}, ["y-complex.barrier", "0 to 10 eV"]),
        ({"barrier": "1.6 K"}, ["y-complex.barrier", "an energy such as", "1.6 K"]),
        ({"barrier": float("nan")}, ["y-complex.barrier", "finite"]),
        ({"barier": "1.6 eV"}, ["'barier'", "did you mean 'barrier'"]),
        ({"chemical_potential": "-11 eV"}, ["y-complex.chemical_potential", "-10 to 10 eV"]),
    ],
)
def test_a_value_that_does_not_fit_is_refused(values, message):
    refused(message, lambda: mechanism("y-complex", **values))


def test_an_unknown_choice_is_refused_with_the_nearest_word():
    refused(["no-complex.surface", "did you mean 'reflecting'"], lambda: mechanism("no-complex", surface="reflective"))
    refused(["surface", "allowed: reflecting, sink, etch"], lambda: mechanism("no-complex", surface=None))
    refused(["why", "did you mean 'slower'"], lambda: mechanism("gd-complex", why="slow"))


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda m: m.reservoir("Y", size=0), ["reservoir of Y", "at least one complex"]),
        (lambda m: m.reservoir("Y", size=-1), ["reservoir of Y", "at least one complex"]),
        (lambda m: m.reservoir("Y", size=1.5), ["Y", "whole number"]),
        (lambda m: m.reservoir("Y", activity=-1.0), ["activity of Y", "at least 0"]),
        (lambda m: m.reservoir("Yy"), ["'Yy'", "did you mean"]),
        (lambda m: m.sink(), ["sink has no way back", "irreversible=True"]),
        (lambda m: m.etch("Y"), ["etch has no way back", "irreversible=True"]),
        (lambda m: m.swap("Y", "Y", irreversible=True), ["'Y' cannot become 'Y'"]),
        (lambda m: m.swap("Gd", "Y"), ["swap('Gd', 'Y')", "irreversible=True", "chemical_potential"]),
        (lambda m: m.swap("Gd", "Y", irreversible=True, chemical_potential=0.1), ["not both or none"]),
        (lambda m: m.swap("Gd", "vacancy", irreversible=True), ["unknown species 'vacancy'"]),
        (lambda m: m.hop("Y", when={"mod": "slow"}), ["'mod' is no declared choice", "did you mean 'mode'"]),
        (lambda m: m.hop("Y", when={"mode": "slwo"}), ["trial.mode", "did you mean 'slow'"]),
        (lambda m: m.choice("x", "a", ("b", "c"), doc="x"), ["trial.x", "'a'"]),
        (lambda m: m.choice("mode", "a", ("a",), doc="x"), ["'mode'", "twice"]),
        (lambda m: m.parameter("n", 5, kind="count", high=3, doc="x"), ["trial.n", "0 to 3"]),
        (lambda m: m.parameter("e", 1, by_lattice={"alpha": "20 eV"}, doc="x"), ["trial.e", "0 to 10 eV", "20"]),
        (lambda m: m.hop("Y", attempt=mechanism("y-complex").parameters["barrier"]), ["parameter of this mechanism"]),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(declare, message):
    refused(message, lambda: declare(trial()), UcnpError)


def test_two_rules_of_one_verb_that_hold_at_once_are_refused(small_particle):
    made = trial()
    made.sink(irreversible=True, when={"mode": "slow"})(lambda env: 1.2)
    made.sink(irreversible=True, when={"mode": "still"})(lambda env: 1.3)
    refused(
        ["two sink rules"],
        lambda: made.sink(irreversible=True, when={"mode": ["fast", "still"]})(lambda env: 1.4),
        BadMechanism,
    )
    refused(["two sink rules"], lambda: made.sink(irreversible=True)(lambda env: 1.4), BadMechanism)
    made.swap("Gd", "Y", irreversible=True)(lambda env: 1.2)
    refused(["two swap rules"], lambda: made.swap("Y", "Gd", irreversible=True)(lambda env: 1.2), BadMechanism)


def test_two_hop_rules_that_hold_at_once_are_refused_before_the_run(small_particle):
    made = trial()
    made.hop("Y", when={"mode": ["slow", "fast"]})(lambda env: 1.2)
    made.hop("Y", when={"mode": ["fast", "still"]})(lambda env: 1.3)
    table_of(made, small_particle)
    refused(["two hop rules for Y"], lambda: table_of(made.with_parameters(mode="fast"), small_particle), BadMechanism)
    refused(["two hop rules for Y"], lambda: made.hop("Y")(lambda env: 1.0), BadMechanism)


def test_a_function_that_gives_no_amount_is_refused(small_particle):
    for function in (lambda p: 1 / 0, lambda p: "fast", lambda p: p.moda, lambda p: -1.0, lambda p: float("nan")):
        made = trial()
        made.hop("Y", attempt=function)(lambda env: 1.2)
        with pytest.raises(UcnpError, match="trial: attempt"):
            table_of(made, small_particle)


def test_chemical_potentials_that_contradict_each_other_are_refused(small_particle):
    """Y for a vacancy, Gd for a vacancy and Y for Gd: 0.1 - 0.2 is not 0.3, so the three could drive a cycle."""
    made = trial()
    made.dock("Y", chemical_potential=0.1)(lambda env: 1.2)
    made.dock("Gd", chemical_potential=0.2)(lambda env: 1.2)
    made.swap("Gd", "Y", chemical_potential=0.3)(lambda env: 1.2)
    with pytest.raises(UcnpError, match="contradicts the other rules"):
        Simulation(small_particle, made)


def test_chemical_potentials_that_agree_around_a_cycle_are_accepted(small_particle):
    made = trial()
    made.swap("Gd", "Y", chemical_potential=-0.1)(lambda env: 1.2)
    made.swap("Yb", "Lu", chemical_potential=0.7)(lambda env: 1.2)
    made.dock("Y", chemical_potential=0.1)(lambda env: 1.2)
    made.dock("Gd", chemical_potential=0.2)(lambda env: 1.2)
    assert Simulation(small_particle, made).mechanism.irreversible_verbs == []
