"""What the page is told about agents, candidates, draws and colours, against agents and naive counts; and bad input."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from histories import CASES, grown
from screen import Screen

from ucnp_abm import Model, Particle, Simulation, mechanism
from ucnp_abm.crystal.species import SPECIES, SYMBOLS
from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.photons.light import light
from ucnp_abm.server import telling
from ucnp_abm.server.session import COMMANDS, Session


def opened(case: str = "y-complex", events: int = 0) -> Screen:
    screen = Screen(Session(CASES[case].simulation()))
    screen.ask("goto", event=events)
    return screen


def run_of(screen: Screen) -> Simulation:
    return screen.session.line.simulation


# --- the inspector ---


@pytest.mark.parametrize("case", ["y-complex", "cation-exchange", "crowded box"])
def test_the_inspector_says_of_an_agent_what_the_model_does(case: str) -> None:
    run = CASES[case].simulation()
    model = Model(
        run.particle, run.mechanism, protocol=run.protocol, seed=run.seed, scheduler=run.scheduler, history=True
    )
    model.run(events=150)
    screen = opened(case, 150)
    assert run_of(screen).digest() == model.simulation.digest()
    busy = run_of(screen).crystal.numbers(run_of(screen).state.vacancies[:3]).tolist()
    for site in [*busy, 5, 77, 300]:
        who = screen.ask("select", site=site)["inspector"]
        agent = model.occupant(site)
        assert (who["site"], who["species"]) == (site, agent.species)
        assert who["age"] == agent.age
        history = model.history_of(who["slot"])
        assert who["of_history"] == len(history)
        assert [number for number, _ in who["history"]] == [event.number for event in history[-12:]]
        assert [text for _, text in who["history"]] == [
            f"{event.verb} {event.move.species}, site {event.move.to}"
            + ("" if event.move.site == event.move.to else f" → {event.move.site}")
            for event in history[-12:]
        ]
        assert who["moved"] == pytest.approx(np.linalg.norm(agent.displacement))
        around = [screen.session.line.simulation.occupant(n) for n in run.crystal.neighbours(site) if n >= 0]
        said = dict(reversed(part.split(" ", 1)) for part in who["neighbours"].split(", "))
        missing = {"missing": str(run.crystal.z - len(around))} if len(around) < run.crystal.z else {}
        assert said == {s: str(around.count(s)) for s in set(around)} | missing
        options = run_of(screen).options(site)
        assert who["of_options"] == len(options)
        assert [one["rate"] for one in who["options"]] == [move.rate for move in options[: telling.OPTIONS]]
        assert len(who["path"]) == min(who["of_history"], telling.PATH) + 1
    screen.ask("select")
    assert screen.ask("look")["inspector"] is None


def bare() -> Simulation:
    """No shell: two channels of the same name, as Gd and Yb are exchanged for Y."""
    particle = Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2 nm", seed=1)
    return Simulation(particle, mechanism("cation-exchange", swap_barrier="1.6 eV", reservoir=50), seed=1)


@pytest.mark.parametrize("case", ["y-complex", "etch", "bare", "driven docking", "stripped", "crowded box"])
def test_the_key_of_an_option_is_that_of_the_same_event(case: str) -> None:
    screen = Screen(Session(bare() if case == "bare" else CASES[case].simulation()))
    screen.ask("step", n=120)
    run, n = run_of(screen), 0
    surface = run.crystal.numbers(run.crystal.exposed_sites).tolist()[::9] if not run.crystal.periodic else []
    vacant = np.flatnonzero(run.state.species[run.crystal.sites] == 0).tolist()[:12]
    for site in [*surface, *vacant]:
        for option in screen.ask("select", site=site)["inspector"]["options"]:
            move = run.look_at(**option["key"])
            assert (move.rate, move.site, move.to, move.verb, move.species) == tuple(
                option[name] for name in ("rate", "site", "to", "verb", "species")
            )
            n += 1
    assert n > 30


def test_its_next_event_is_the_next_in_which_it_takes_part() -> None:
    screen, alone = opened("etch"), CASES["etch"].simulation()
    site = int(alone.crystal.numbers(alone.state.vacancies[:1])[0])
    slot = int(alone.state.slot[alone.crystal.sites[site]])
    screen.ask("select", site=site)
    for _ in range(4):
        while True:
            event = alone.fire()
            ends = alone.crystal.sites[[event.move.site, event.move.to]]
            if slot in alone.state.slot[ends]:
                break
        answer = screen.ask("until", what="its")
        assert answer["panes"][0]["event"] == event.number
        assert answer["inspector"]["site"] in (event.move.site, event.move.to)


def test_an_agent_of_the_bath_says_where_it_came_from() -> None:
    screen = opened("y-complex")
    screen.ask("breakpoint", add="event.verb == 'dock'")
    last = screen.ask("until", what="breakpoint")["panes"][0]["last"]
    who = screen.ask("select", site=last["site"])["inspector"]
    assert (who["origin"], who["age"], who["species"]) == ("the bath", 0, "Y")


# --- candidates ---


def test_channels_of_one_name_are_told_as_one() -> None:
    screen = Screen(Session(bare()))
    pane = screen.ask("step", n=40)["panes"][0]
    names = [(verb, species) for verb, species, *_ in pane["channels"]]
    assert ("swap", "Y") in names
    assert len(names) == len(set(names))
    n = next(n for verb, species, _, n in pane["channels"] if (verb, species) == ("swap", "Y"))
    assert screen.ask("filter", verb="swap", species="Y")["panes"][0]["table"]["of"] == n
    hops = sum(n for verb, _, _, n in pane["channels"] if verb == "hop")
    assert screen.ask("filter", verb="hop", species=None)["panes"][0]["table"]["of"] == hops
    both = sum(n for _, species, _, n in pane["channels"] if species == "Y")
    assert screen.ask("filter", verb=None, species="Y")["panes"][0]["table"]["of"] == both


@pytest.mark.parametrize("case", ["etch", "driven docking", "crowded box"])
def test_the_table_holds_the_fastest_candidates(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = opened(case, 60)
    run = run_of(screen)
    found, total = run.candidates(), run.total_rate()
    pane = screen.ask("look")["panes"][0]
    assert (pane["candidates"], pane["total"]) == (found.size, total)
    rows = pane["table"]["rows"]
    assert [row[4] for row in rows] == [float(f"{x:.4g}") for x in sorted(found["rate"], reverse=True)[: telling.ROWS]]
    for verb, species, site, to, rate, chance, rule, channel, direction in rows:
        move = run.look_at(channel, site, direction)
        assert (verb, species, site, to) == (move.verb, move.species, move.site, move.to)
        assert (rate, chance) == (float(f"{move.rate:.4g}"), float(f"{move.rate / total:.4g}"))
        assert pane["table"]["rules"][rule] == move.source
    assert sum(share for *_, share, _ in pane["channels"]) == pytest.approx(1)
    assert sum(n for *_, n in pane["channels"]) == found.size
    shares = [share for *_, share, _ in pane["channels"]]
    assert shares == sorted(shares, reverse=True)
    monkeypatch.setattr(telling, "ROWS", 10**6)
    for verb, species, share, n in pane["channels"]:
        table = screen.ask("filter", verb=verb, species=species)["panes"][0]["table"]
        assert (table["verb"], table["species"], table["of"], len(table["rows"])) == (verb, species, n, n)
        assert {(row[0], row[1]) for row in table["rows"]} == {(verb, species)}
        assert sum(row[4] for row in table["rows"]) / total == pytest.approx(share, rel=1e-3)
    assert screen.ask("filter", verb=None, species=None)["panes"][0]["table"]["of"] == found.size


def test_only_events_near_the_selection_are_listed_if_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "ROWS", 10**6)
    screen = opened("etch", 30)
    run = run_of(screen)
    site = int(run.crystal.numbers(run.state.vacancies[:1])[0])
    assert screen.ask("filter", near=True)["panes"][0]["table"]["of"] == run.candidates().size  # nobody is selected
    table = screen.ask("select", site=site)["panes"][0]["table"]
    near = {site, *run.crystal.neighbours(site)}
    own = [one for one in run.candidates() if {int(one["site"]), int(one["to"])} & near]
    assert table["near"] is True
    assert table["of"] == len(table["rows"]) == len(own) < run.candidates().size
    assert screen.ask("filter", near=False)["panes"][0]["table"]["of"] == run.candidates().size


@pytest.mark.parametrize("case", ["energies", "thermal pulses", "athermal", "driven docking", "crowded box"])
def test_why_a_rate_is_what_it_is_says_the_numbers_of_the_engine(case: str) -> None:
    screen = opened(case, 40)
    run = run_of(screen)
    for row in screen.ask("look")["panes"][0]["table"]["rows"][::6]:
        move = run.look_at(row[7], row[2], row[8])
        why = screen.ask("why", channel=row[7], site=row[2], direction=row[8])["why"]
        rows = dict(why["rows"])
        assert why["title"] == f"Why this rate: {move.verb} {move.species}"
        assert rows["rule"] == move.source
        assert rows["environment"] == repr(move.environment)
        assert rows["law says"] == f"{move.barrier:.6g} eV"
        assert rows["energy step"] == f"dE = {move.energy_step:.6g} eV"
        assert rows["activation"].startswith(f"{move.activation:.6g} eV = ")
        assert rows["rate"].startswith(f"{move.rate:.6g} /s = ")
        assert ("by the drive" in rows["rate"]) == (move.assisted > 0)
        assert rows["probability"] == f"{move.rate / run.total_rate():.4g} of {run.total_rate():.6g} /s"
        assert why["code"] is None or why["code"]["text"].lstrip().startswith(("@", "def ", "return", "kind.hop"))


@pytest.mark.parametrize("case", ["etch", "cation-exchange", "box"])
def test_any_event_of_the_crystal_can_be_asked_about_also_what_cannot_happen(case: str) -> None:
    screen = opened(case, 40)
    run, impossible = run_of(screen), 0
    for channel in range(1 + len(run.table.channels)):
        for site in range(0, run.crystal.n_sites, 40):
            for direction in range(run.crystal.z if channel == 0 else 1):
                if channel == 0 and run.occupant(site) != "vacancy":
                    continue
                why = screen.ask("why", channel=channel, site=site, direction=direction)["why"]
                impossible += dict(why["rows"])["rate"].startswith("0 /s")
    assert impossible or run.crystal.periodic


def test_draws_are_those_of_the_engine() -> None:
    from ucnp_abm.engine.draws import draws

    screen = opened("etch")
    assert screen.ask("draws") == {"told": None}
    seen = 0
    for _ in range(39):
        screen.ask("step", n=1)
        told = screen.ask("draws")["told"]
        n, newest = draws(run_of(screen))
        assert told["summary"].startswith(f"{n} candidates since the event before")
        assert [row["accepted"] for row in told["rows"]] == [False] * (len(newest) - 1) + [True]
        assert [row["rate"] for row in told["rows"]] == [one.move.rate for one in newest]
        assert [row["candidate"] for row in told["rows"]] == [one.candidate for one in newest]
        assert all(law.endswith("as the table") for law in told["laws"])
        last = screen.ask("look")["panes"][0]["last"]
        assert (told["rows"][-1]["site"], told["rows"][-1]["to"]) == (last["site"], last["to"])
        seen += n > 1
    assert seen


# --- the warning ---


def undone(run: Simulation, last: int, n: int = telling.RECENT) -> tuple[float, int]:
    """Share of the last events that take a vacancy straight back, and how many events there were, counted naively."""
    before: dict[int, tuple[int, int]] = {}
    twin = run.branch()
    twin.goto(event=max(0, last - n))
    back = 0
    for _ in range(min(n, last)):
        event = twin.fire()
        if event.verb != "hop":
            before.pop(int(twin.state.slot[twin.crystal.sites[event.move.site]]), None)
            continue
        hole = int(twin.state.slot[twin.crystal.sites[event.move.to]])
        back += before.get(hole) == (event.move.to, event.move.site)
        before[hole] = (event.move.site, event.move.to)
    return back / min(n, last), min(n, last)


@pytest.mark.parametrize("case", ["etch", "crowded box", "energies"])
def test_the_warning_counts_the_events_that_undo_another(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = opened(case)
    for event in (10, 300, 1500):
        monkeypatch.setattr(telling, "FLICKER", 0.0)
        warning = screen.ask("goto", event=event)["panes"][0]["warning"]
        share, n = undone(run_of(screen), event)
        if event < 20:
            assert warning is None
            continue
        assert 0.02 < share < 1
        assert warning["text"].startswith(f"{100 * share:.0f} % of the last {n} events took a vacancy straight back")
        screen.ask("breakpoint", add=warning["condition"])
        monkeypatch.setattr(telling, "FLICKER", share + 1e-9)
        assert screen.ask("look")["panes"][0]["warning"] is None
        monkeypatch.setattr(telling, "FLICKER", share)
        assert screen.ask("look")["panes"][0]["warning"] is not None


# --- colours ---


def values_of(tones: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(tones["values"]), dtype=np.uint8)


def scaled(amounts: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.rint(254 * (amounts - low) / ((high - low) or 1))


def in_logs(amounts: np.ndarray) -> np.ndarray:
    """Two decades below the most, from least to most."""
    shares = (amounts - amounts.min()) / (amounts.max() - amounts.min())
    return np.rint(254 * np.log(1 + 99 * shares) / np.log(100))


@pytest.mark.parametrize("case", ["etch", "y-complex", "crowded box"])
def test_visits_and_ages_are_those_of_events_fired_one_by_one(case: str) -> None:
    screen, alone = opened(case, 200), CASES[case].simulation()
    visits = np.zeros(alone.crystal.n_sites)
    for _ in range(200):
        move = alone.fire().move
        for site in {move.site, move.to}:
            visits[site] += 1
    tones = screen.ask("colour", kind="visits")
    assert (values_of(tones) == in_logs(visits)).all()
    assert (tones["low"], tones["high"], tones["some"]) == ("0", f"{visits.max():.4g}", True)
    model = Model(alone.particle, alone.mechanism, protocol=alone.protocol, seed=alone.seed, scheduler=alone.scheduler)
    model.run(events=200)
    ages = np.array([model.occupant(site).age for site in range(alone.crystal.n_sites)])
    tones = screen.ask("colour", kind="age")
    assert (values_of(tones) == scaled(ages, ages.min(), ages.max())).all()
    assert (tones["low"], tones["high"], tones["unit"]) == (f"{ages.min():.4g}", f"{ages.max():.4g}", "s")


@pytest.mark.parametrize("case", ["energies", "etch", "crowded box"])
def test_the_lowest_barrier_is_that_of_the_fastest_hop_of_an_ion(case: str) -> None:
    screen = opened(case, 50)
    run = run_of(screen)
    lowest = np.full(run.crystal.n_sites, np.nan)
    for site in range(run.crystal.n_sites):
        hops = [move for move in run.options(site) if move.verb == "hop" and move.to == site]
        if hops:
            lowest[site] = min(-8.617333262e-5 * run.temperature * np.log(move.rate / move.attempt) for move in hops)
    tones = screen.ask("colour", kind="barrier")
    values, known = values_of(tones), np.isfinite(lowest)
    assert ((values == 255) == ~known).all()
    low, high = np.nanmin(lowest), np.nanmax(lowest)
    assert np.abs(values[known] - scaled(lowest[known], low, high)).max() <= 1
    assert (tones["low"], tones["some"]) == (f"{low:.4g}", False)


def test_where_energy_dies_is_what_light_says() -> None:
    screen = opened("etch", 20)
    glow = light(run_of(screen)).glows[0]
    dies = 100 * glow.fate.dwell_s * glow.network.quenching
    tones = screen.ask("colour", kind="energy")
    values = values_of(tones)
    assert (values[glow.network.sites] == in_logs(dies)).all()
    assert (values != 255).sum() == glow.network.sites.size
    for kind in ("species", "zone"):
        assert screen.ask("colour", kind=kind) == {"kind": kind}


def test_each_pane_is_coloured_by_its_own_line() -> None:
    screen = opened("etch", 100)
    screen.ask("beside", mechanism="y-complex")
    left, right = (screen.ask("colour", kind="visits", pane=k)["values"] for k in (0, 1))
    assert left != right


# --- bad input: one sentence, and nothing has changed ---

BAD = [
    *[(name, {"wrong": 1}) for name in COMMANDS],
    *[(name, {"__class__": 1}) for name in ("step", "look", "reload")],
    *[(name, {}) for name in ("nothing", "", "do_open", "__class__", "answer", "Step", "lines", "has_time", "ste")],
    *[(name, {}) for name in ("step", "on", "goto", "until", "colour", "beside", "show", "why", "breakpoint")],
    *[
        ("step", {"n": n})
        for n in (-1, True, 1.0, "1", [], {}, 10**13, 10**400, float("nan"), float("inf"))
    ],
    *[("step", {"seconds": t}) for t in (-1, True, "1", [1], 10**400, float("nan"), float("inf"), -1e-300)],
    *[("step", {"steps": t}) for t in (-1, False, "x", 10**400, float("nan"), float("inf"))],
    ("step", {"n": 1, "steps": 1}),
    *[("on", {"event": e}) for e in (-1, True, "5", 1.5, 10**13)],
    *[("on", {"until": t}) for t in (-1, True, "5", float("nan"))],
    *[("on", {"event": 5, "hit": h}) for h in (-1, "x", True, 2.5)],
    *[("back", {"n": n}) for n in (-1, 31, True, None, "1", 10**400)],
    *[("goto", {"event": e}) for e in (-1, True, "1", 2.5, 10**400)],
    *[("goto", {"time": t}) for t in (-1, True, "1 h", float("nan"), 10**400)],
    ("goto", {"event": 3, "time": 1}),
    *[("until", {"what": w}) for w in (None, 1, "breakpoint", "its", "__class__", [])],
    *[
        ("breakpoint", {"add": text})
        for text in ("", "1", "event.verb = 1", "__import__('os')", 5, [], "a" * 600, "event.kind == 1")
    ],
    *[("breakpoint", {"number": n}) for n in (0, 7, -1, "1", True, 10**400)],
    *[("select", {"site": s}) for s in (-1, 611, True, "3", 1.0, 10**400)],
    *[("colour", {"kind": k}) for k in (None, 3, "colour", "__class__", [])],
    *[("colour", {"kind": "age", "pane": p}) for p in (-1, 1, "0", True, None)],
    *[("why", {"channel": c, "site": 3}) for c in (-1, 99, True, "0", 0)],
    *[("why", {"channel": 1, "site": 3, "direction": d}) for d in (-1, 12, True, "x")],
    *[("filter", given) for given in ({"verb": 3}, {"species": []}, {"near": "yes"}, {"near": None}, {"near": 1})],
    *[("branch", {"seed": s}) for s in (-1, True, 1.5, "x", "-3", "²", [], "9" * 19, 10**400, 10**5000)],
    *[("branch", {"mechanism": m}) for m in (0, [], "nothing", "no-complex+", "x" * 600, "../../etc")],
    *[("beside", {"mechanism": m}) for m in (None, "", 0, "nothing", "y-complex+nothing")],
    *[("show", {"line": n}) for n in (-1, 1, True, "0", 10**400)],
    *[("show", {"beside": n}) for n in (-1, 0, 1, True, "0")],
]  # fmt: skip


@pytest.fixture(scope="module")
def standing() -> Screen:
    screen = opened("y-complex", 30)
    screen.ask("select", site=7)
    screen.ask("select")
    return screen


@pytest.mark.parametrize(("command", "given"), BAD, ids=[f"{k}-{name}" for k, (name, _) in enumerate(BAD)])
def test_what_cannot_be_done_is_told_in_a_sentence_and_changes_nothing(standing: Screen, command: str, given) -> None:
    screen, before = standing, _all_of(standing)
    with pytest.raises(UcnpError) as told:
        screen.session.answer(command, given)
    text = str(told.value)
    assert "\n" not in text
    assert 10 < len(text) < 700
    assert not text.startswith(("'", "<"))
    assert _all_of(screen) == before


def _all_of(screen: Screen) -> str:
    answer = screen.ask("look")
    return json.dumps([{name: one for name, one in answer.items() if name != "stopped"}, screen.session.stops.events])


def test_bad_input_leaves_the_selection_and_the_filter() -> None:
    screen = opened("y-complex", 10)
    screen.ask("select", site=7)
    screen.ask("filter", verb="hop", species="Yb")
    for command, given in (("select", {"site": -1}), ("filter", {"verb": None, "near": 7})):
        with pytest.raises(BadInput):
            screen.ask(command, **given)
    answer = screen.ask("look")
    assert answer["inspector"]["site"] == 7
    assert answer["panes"][0]["table"]["verb"] == "hop"


def test_a_crystal_without_energy_carriers_says_so_and_keeps_its_colours() -> None:
    particle = Particle.core_shell(core="NaGdF4", diameter="2 nm", seed=1)
    screen = Screen(Session(Simulation(particle, mechanism("no-complex"), seed=1)))
    with pytest.raises(BadInput):
        screen.ask("colour", kind="energy")
    screen.ask("colour", kind="age")


def test_too_large_a_crystal_is_refused_before_a_page_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ucnp_abm.replay.crystal.MOST_SITES", 600)
    with pytest.raises(BadInput, match="611 sites are more than a page can draw"):
        Session(Simulation(grown(), mechanism("no-complex"), seed=1))


def test_species_of_the_page_are_all_that_can_come_to_be_there() -> None:
    for case in ("y-complex", "cation-exchange", "etch", "mixed-complex"):
        screen = opened(case)
        told = {one["code"] for one in screen.opened["crystal"]["species"]}
        for _ in range(3):
            assert {code for code, n in screen.ask("step", n=400)["panes"][0]["counts"] if n} <= told
        assert {SPECIES[one["symbol"]].code for one in screen.opened["crystal"]["species"]} == told
        assert all(SYMBOLS[code] for code in told)
