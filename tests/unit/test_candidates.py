"""Every event that could happen now, as an array: complete, exact, and leaving everything as it was."""

from __future__ import annotations

import numpy as np
import pytest
from histories import CASES
from oracle.test_reach import whole

from ucnp_abm import Simulation
from ucnp_abm.errors import BadInput

SHOWN = ("y-complex", "etch", "cation-exchange", "energies", "athermal", "box", "crowded box", "reading box")


@pytest.fixture
def on_the_way(monkeypatch: pytest.MonkeyPatch, small_particle) -> Simulation:
    monkeypatch.setattr("ucnp_abm.rules.asking.MAX_ROWS", 120)
    return Simulation(small_particle, whole(), seed=6)


def is_exact(run: Simulation) -> None:
    digest = run.digest()
    found = run.candidates()
    assert run.digest() == digest
    assert found.size > 10
    assert (found["rate"] > 0).all()
    assert np.cumsum(found["rate"])[-1] == run.total_rate()
    listed = sorted(zip(*(found[name].tolist() for name in ("site", "to", "row", "rate")), strict=True))
    vacant = np.flatnonzero(run.state.species[run.crystal.sites] == 0)
    hops = {(m.site, m.to, m.row, m.rate) for site in vacant.tolist() for m in run.options(site) if m.verb == "hop"}
    others = [
        (m.site, m.to, m.row, m.rate)
        for site in run.crystal.numbers(run.crystal.exposed_sites).tolist()
        for m in run.options(site)
        if m.verb != "hop"
    ]
    assert listed == sorted([*hops, *others])
    for one in found[:: max(1, found.size // 60)]:
        move = run.look_at(int(one["channel"]), int(one["site"]), int(one["direction"]))
        assert (move.site, move.to, move.row, move.rate) == tuple(one[["site", "to", "row", "rate"]].tolist())
        assert run.rule_of(int(one["row"])) is move.rule
        assert move.rule is not None
        assert (
            move.source == f"{move.rule.where.name}, {move.rule.where.path.split('/')[-1]} line {move.rule.where.line}"
        )


@pytest.mark.parametrize("case", SHOWN)
def test_candidates_are_the_options_of_all_sites_and_add_up_to_the_total(case: str) -> None:
    run = CASES[case].simulation()
    run.run(events=100)
    is_exact(run)


def test_candidates_with_rows_on_the_way_are_worked_out_first(on_the_way: Simulation) -> None:
    on_the_way.run(events=20)
    before = len(on_the_way.memo)
    on_the_way.candidates()
    assert len(on_the_way.memo) > before
    is_exact(on_the_way)


@pytest.mark.parametrize("case", ["etch", "crowded box"])
def test_interpreted_candidates_are_the_same(case: str) -> None:
    plain, compiled = CASES[case].simulation(interpreted=True), CASES[case].simulation()
    assert plain.candidates().tolist() == compiled.candidates().tolist()


def test_they_stand_in_the_order_of_the_linear_scan() -> None:
    run = CASES["etch"].simulation()
    found = run.candidates()
    assert (np.diff(found["channel"].astype(int)) >= 0).all()
    assert len(set(found["channel"].tolist())) > 2
    hops = found[found["channel"] == 0]
    members = run.crystal.numbers(run.state.vacancies[: run.state.n_vacancies]).tolist()
    assert list(dict.fromkeys(hops["site"].tolist())) == [m for m in members if m in set(hops["site"].tolist())]


def test_what_does_not_exist_cannot_be_looked_at() -> None:
    run = CASES["y-complex"].simulation()
    vacant = run.crystal.number_of(run.state.vacancies[0])
    ion = next(site for site in range(run.crystal.n_sites) if run.occupant(site) != "vacancy")
    for channel, site, direction, said in (
        (len(run.table.channels) + 1, vacant, 0, "channel: expected a number from 0"),
        (0, vacant, run.crystal.z, "direction: expected a number from 0"),
        (0, run.crystal.n_sites, 0, "site: expected"),
        (0, ion, 0, "only a vacancy hops"),
    ):
        with pytest.raises(BadInput, match=said):
            run.look_at(channel, site, direction)
    with pytest.raises(BadInput, match="row: expected"):
        run.rule_of(run.table.n_rows)
    assert run.rule_of(0) is None
