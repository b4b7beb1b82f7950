"""A recording: one file without a network and without Python, told both ways as the engine would."""

import json

import numpy as np
import pytest

from ucnp_abm import Simulation, show
from ucnp_abm.engine.chronicle import Chronicle


@pytest.fixture(scope="module")
def recorded(docks):
    model = docks()
    model.run(events=400)
    simulation = model.simulation
    other = Simulation(simulation.particle, simulation.mechanism, simulation.protocol, seed=simulation.seed)
    chronicle = Chronicle(other)
    chronicle.tell(event=400)
    return show(model), other, (1 + np.flatnonzero(chronicle.told(0)["channel"] > 0)).tolist()


def codes_at(simulation, event):
    simulation.goto(event=event)
    return simulation.state.species[simulation.crystal.sites].tolist()


def test_file_opens_offline_and_tells_every_event_both_ways(opened, recorded, tmp_path):
    movie, other, docked = recorded
    path = movie.save(tmp_path / "run.html")
    screen = opened(None, go=False, offline=True)
    screen.open(path.as_uri())
    assert screen.text("#badge") == "movie"
    assert screen.codes() == codes_at(other, 0)
    for _ in range(3):
        screen.click("#step")
    assert (screen.event, screen.codes()) == (3, codes_at(other, 3))
    screen.key("ArrowLeft")
    assert (screen.event, screen.codes()) == (2, codes_at(other, 2))
    slider = screen.find("#timeline input")
    for event in (251, 17, 400):
        slider.evaluate("(it, to) => { it.value = to; it.dispatchEvent(new Event('input')); }", event)
        screen.settle()
        assert (screen.event, screen.codes()) == (event, codes_at(other, event))
    assert screen.number("#fact-vacancies dd") == other.state.n_vacancies
    screen.key("ArrowRight")
    assert "The recording ends here." in screen.text("#saying")
    screen.key("Home")
    screen.click("#tab-next")
    for event in docked[:3]:
        screen.click("#find-next")
        assert screen.event == event
        assert f"#{event}: dock Y" in screen.text("#saying")
    screen.key("Home")
    seen = {screen.pixels()}
    for kind in ("zone", "age", "visits"):
        screen.goto(300)
        screen.choose("#colour", kind)
        seen.add(screen.pixels())
    assert len(seen) == 4
    screen.choose("#colour", "species")

    site = next(k for k in screen.in_front() if other.occupant(k) == "vacancy")
    codes_at(other, 300)
    site = next(k for k in screen.in_front() if other.occupant(k) != "vacancy")
    screen.find(".pane canvas").click(position=screen.at(site))
    screen.settle()
    slot = int(other.state.slot[other.crystal.sites][site])
    assert screen.text("#panel-inspector h2") == f"{other.occupant(site)} {slot}"
    screen.press(" ")
    screen.page.wait_for_selector("#play[aria-pressed=true]")
    screen.press(" ")
    screen.settle()
    assert screen.find("#failure").is_hidden()
    assert [url for url in screen.requests if url != path.as_uri() and not url.startswith("data:")] == []


def test_notebooks_frame_plays_it_without_any_right(opened, recorded):
    movie, other, _ = recorded
    screen = opened(None, go=False, offline=True)
    screen.page.set_content(f"<!doctype html><title>notebook</title><body>{movie._repr_html_()}</body>")
    frame = screen.page.frame_locator("iframe")
    frame.locator("body[data-ready=yes]").wait_for(state="attached")
    inside = screen.page.frames[1]
    assert inside.evaluate("origin") == "null"
    for _ in range(2):
        frame.locator("#step").click()
    inside.evaluate("ucnp.turn")
    assert frame.locator("#fact-event dd").text_content() == "2"
    assert screen.codes(inside=inside) == codes_at(other, 2)
    frame.locator("#back").click()
    inside.evaluate("ucnp.turn")
    assert screen.codes(inside=inside) == codes_at(other, 1)
    width = json.loads(inside.evaluate("JSON.stringify([document.documentElement.scrollWidth, innerWidth])"))
    assert width[0] <= width[1]
    assert [url for url in screen.requests if not url.startswith(("data:", "about:"))] == []
