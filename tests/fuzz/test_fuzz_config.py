"""Configurations near valid ones: each is run, or refused with one sentence for each problem."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from fuzz.fuzzing import ODD, always, examples, mutated, one_sentence
from hypothesis import strategies as st

from ucnp_abm import Simulation, mechanism
from ucnp_abm.cli.run import _plan
from ucnp_abm.config.files import check, load
from ucnp_abm.config.sections import Config
from ucnp_abm.crystal.particle import describe, recipe_from
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.registry import find_observables
from ucnp_abm.runs.provenance import provenance

GROWN = {"core": "NaGdF4: 49% Yb", "diameter": "2.4 nm"}
CUBE = {"name": "cube", "cell": [[3.5, 0, 0], [0, 3.5, 0], [0, 0, 3.5]], "basis": [[0, 0, 0]], "bonds": [["nn", 3.5]]}
VALID: list[dict[str, Any]] = [
    {
        "particle": GROWN | {"shell": "NaYF4", "thickness": "0.8 nm", "lattice": "alpha", "offset": [0.0, "0.1 nm", 0]},
        "mechanism": {"name": "y-complex", "parameters": {"barrier": "1.6 eV", "reservoir": 30}},
        "anneal": {"protocol": "300 °C for 1 s, 250 °C", "steps": 5},
        "run": {"seed": 3, "scheduler": "auto", "samples": 4, "snapshots": 2, "observables": ["T_K"], "events": True},
    },
    {
        "particle": GROWN | {"shells": [["NaYF4", "0.8 nm"]], "order": "ordered", "counts": "random"},
        "mechanism": {"name": "no-complex+laser-thermal", "parameters": {"laser-thermal.rise": "50 K"}},
        "anneal": {"protocol": "300 °C", "duration": "1 s"},
    },
    {
        "population": {"parts": [GROWN | {"share": "40 %"}, GROWN | {"share": 0.6}], "diameter_spread": "5 %"},
        "mechanism": {"name": "no-complex"},
    },
    {
        "box": {"lattice": CUBE, "cells": [4, 4, 4], "composition": "Y: 20% Gd", "vacancies": 3, "seed": 1},
        "mechanism": {"name": "no-complex"},
        "run": {"samples": 2},
    },
]
TEXT = """# a run
[particle]
core = "Gd: 49% Yb"
diameter = "2.4 nm"

[particle.lattice]
name = "cube"
cell = [[3.5, 0, 0], [0, 3.5, 0], [0, 0, 3.5]]
basis = [[0, 0, 0]]
bonds = [["nn", 3.5]]

[mechanism]
name = 'no-complex+laser-thermal'
parameters = { barrier = 1.6, "laser-thermal.rise" = "50 K" }

[run]
seed = 0x10
observables = [
    "T_K",
]
"""
PROBLEM = re.compile(r"  ((line \d+: )?[^\s:].*?: \S.*|expected one of \[particle\], .*)")
MOST_SITES = 20_000


def refused(error: BadInput, source: str) -> None:
    """One heading and one line for each problem, each of which begins with a key; or one sentence."""
    first, *problems = str(error).split("\n")
    assert first.startswith((source, "--set "))
    if problems:
        assert first == f"{source}: {len(problems)} problem{'s' * (len(problems) > 1)}"
        for problem in problems:
            assert PROBLEM.fullmatch(problem), problem
    else:
        assert not re.search(r"\d problems?$", first)


def may_be_refused(error: UcnpError, refuse: bool) -> None:
    assert refuse, error


def built(config: Config, refuse: bool = True) -> None:
    """A valid configuration gives a simulation that can be run, or is refused in one sentence."""
    section = config.crystal
    if config.box is not None and all(n > 0 for n in config.box.cells):
        x, y, z = config.box.cells
        if 1000 < x * y * z < 10**9:
            return
    try:
        chosen = mechanism(config.mechanism.name, **config.mechanism.parameters)
        find_observables(config.run.observables)
        protocol = Protocol.parse(config.anneal.protocol)
        particle = section.recipe().build(section.seed)
        assert particle.crystal.n_sites <= MOST_SITES
        simulation = Simulation(particle, chosen, protocol, seed=config.run.seed, scheduler=config.run.scheduler)
        plan = _plan(config, protocol)
    except UcnpError as error:
        one_sentence(error)
        may_be_refused(error, refuse)
        return
    assert plan.marks[0] == 0.0
    assert len(plan.marks) > config.run.samples / 2 or plan.end < 1e-300
    given, whole = (config.model_dump(mode="json", **{left: True}) for left in ("exclude_unset", "exclude_none"))
    assert json.loads(json.dumps(provenance(simulation, given, whole, plan)))["seed"] == config.run.seed
    told = json.loads(json.dumps(describe(particle)))
    assert recipe_from(told).build(told["seed"]).occupants.tolist() == particle.occupants.tolist()
    simulation.run(candidates=20)


@examples(80, 800)
def test_any_data_is_a_configuration_that_can_be_built_or_is_refused(n: int) -> None:
    def holds(data: Any) -> None:
        try:
            config = check(data, "trial")
        except BadInput as error:
            refused(error, "trial")
        else:
            built(config)

    always(n, holds, mutated(st.sampled_from(VALID)))


@pytest.mark.parametrize("number", range(len(VALID)))
def test_what_the_mutations_begin_with_is_valid(number: int) -> None:
    built(check(copy.deepcopy(VALID[number]), "trial"), refuse=False)


@examples(50, 600)
def test_any_setting_is_a_value_or_is_refused(n: int) -> None:
    sections = (
        "mechanism particle.0 mechanism.parameters mechanism.parameters.a.b population.parts . run. .seed Run.seed"
    )
    fields = "particle.diameter particle.lattice mechanism.name mechanism.barrier mechanism.laser-thermal.rise run.seed"
    keys = st.sampled_from(
        [*sections.split(), *fields.split(), "run.seed.x", "box.cells", "anneal.x", "anneal.protocol", ""]
    )
    values = ODD.map(str) | st.text(max_size=20) | st.sampled_from(["[" * 500, "9" * 4400, "0x" + "f" * 3600, "{a=1}"])
    one = st.tuples(keys, st.sampled_from(["=", "==", " = ", ""]), values).map("".join)

    def holds(settings: list[str]) -> None:
        data = copy.deepcopy(VALID[0])
        try:
            config = check(data, "trial", settings)
        except BadInput:  # by a line for each problem, or a sentence about the setting
            return
        built(config)

    always(n, holds, st.lists(one, min_size=1, max_size=3))


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """The bytes of a file near a valid one."""
    lines = TEXT.split("\n")
    for _ in range(draw(st.integers(0, 3))):
        where = draw(st.integers(0, len(lines) - 1))
        change = draw(st.integers(0, 5))
        if change == 0:
            lines.insert(where, lines[draw(st.integers(0, len(lines) - 1))])
        elif change == 1:
            lines[where] = lines[where][: draw(st.integers(0, len(lines[where])))]
        elif change == 2:
            lines[where] = draw(st.text(max_size=30))
        elif change == 3:
            odd = ["9" * 4400, "0x" + "f" * 3600, "[" * 2000, "1979-05-27", "nan", "-inf", "'''a", '"\\ud800"', "{a=1}"]
            lines[where] = f"{lines[where].partition('=')[0]}= {draw(st.sampled_from(odd))}"
        elif change == 4:
            key = draw(st.sampled_from(["0", '"²"', "'a b'"]))
            lines[where] = f"{key} = {lines[where].partition('=')[2]}"
        else:
            lines[where] = ".".join("a" * draw(st.sampled_from([1, 50, 3000]))) + " = 1"
    content = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines).encode("utf-8", "surrogatepass")
    head = draw(st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00"]))
    end = draw(st.none() | st.integers(0, len(content)))
    return head + content[:end] + draw(st.just(b"") | st.binary(max_size=10))


@examples(50, 600)
def test_any_file_is_a_configuration_or_is_refused(n: int, tmp_path: Path) -> None:
    path = tmp_path / "trial.toml"

    def holds(content: bytes) -> None:
        path.write_bytes(content)
        try:
            config = load(path)
        except BadInput as error:
            refused(error, str(path))
        else:
            built(config)

    always(n, holds, texts() | st.binary(max_size=60))


def test_the_text_that_the_files_begin_with_is_valid_and_a_seed_has_few_digits() -> None:
    built(check(tomllib.loads(TEXT), "trial"), refuse=False)
    with pytest.raises(BadInput, match="seed: expected"):
        Simulation(
            check(tomllib.loads(TEXT), "trial").crystal.recipe().build(0), mechanism("no-complex"), seed=16**3600
        )


@pytest.mark.parametrize("change", [{"diameter": "400 nm"}, {"shell": "NaYF4", "thickness": "1e6 nm"}])
def test_a_crystal_that_is_too_large_is_refused_before_it_is_built(change: dict[str, str]) -> None:
    config = check({"particle": GROWN | change, "mechanism": {"name": "no-complex"}}, "trial")
    with pytest.raises(BadInput, match="make it smaller"):
        config.crystal.recipe().build(0)
