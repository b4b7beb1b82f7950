"""Steps, both ways: whatever the page shows is what the engine has, and what another engine has."""

import numpy as np

from ucnp_abm import Simulation
from ucnp_abm.crystal.species import SYMBOLS
from ucnp_abm.engine.chronicle import Chronicle


def independent(screen, seed=5):
    simulation = screen.simulation
    return Simulation(simulation.particle, simulation.mechanism, simulation.protocol, seed=seed)


def dockings(screen, upto=400):
    chronicle = Chronicle(independent(screen))
    chronicle.tell(event=upto)
    return (1 + np.flatnonzero(chronicle.told(0)["channel"] > 0)).tolist()


def test_open_page_shows_what_the_model_holds(docking):
    simulation = docking.simulation
    assert docking.page.title().startswith("debug · y-complex · seed 5")
    assert docking.text("#title") == "y-complex · seed 5 · 573.15 K"
    assert docking.digest == simulation.digest() == independent(docking).digest()
    assert docking.text("#digest") == docking.digest[:8]
    held = simulation.state.species[simulation.crystal.sites]
    rows = docking.find(".legend label").all()
    shown = {row.locator("input").get_attribute("aria-label"): row.locator(".count").text_content() for row in rows}
    counts = {f"show {SYMBOLS[code]}": str(np.count_nonzero(held == code)) for code in np.unique(held).tolist()}
    assert {name: number.replace("\u202f", "") for name, number in shown.items()} == counts
    assert docking.codes() == held.tolist()
    assert docking.number("#fact-vacancies dd") == simulation.state.n_vacancies
    assert f"{simulation.candidates().size} events" in docking.text("#panel-events").replace("\u202f", "")
    assert docking.find("#status").text_content() == "ready"
    assert "token" not in docking.page.url


def test_five_hundred_events_forth_and_back_are_the_engines(docking):
    other = independent(docking)
    expected = [other.digest()]
    for _ in range(500):
        other.fire()
        expected.append(other.digest())
    pressed = """async ([id, n]) => {
      const seen = [];
      for (let k = 0; k < n; k++) {
        document.getElementById(id).click();
        await ucnp.turn;
        seen.push(document.getElementById("digest").dataset.digest);
      }
      return seen;
    }"""
    light = """([hidden, verb]) => {
      document.getElementById("stage").hidden = hidden;
      return ucnp.ask("filter", { verb, species: null });
    }"""
    docking.page.evaluate(light, [True, "etch"])  # nothing to draw, no rows in the table
    assert docking.page.evaluate(pressed, ["step", 500]) == expected[1:]
    assert docking.simulation.digest() == docking.digest == expected[-1]
    held = other.state.species[other.crystal.sites]
    assert docking.codes() == held.tolist()
    assert docking.page.evaluate(pressed, ["back", 500]) == expected[-2::-1]
    assert docking.simulation.digest() == docking.digest == expected[0]
    docking.page.evaluate(light, [False, None])
    docking.click("#step")
    docking.click("#step")
    docking.click("#back")
    assert (docking.event, docking.digest, docking.simulation.digest()) == (1, expected[1], expected[1])
    assert docking.text("#saying").startswith("#1: ")


def test_slider_goes_to_the_past_and_to_the_future(docking):
    other = independent(docking)
    docking.page.fill("#amount", "300")
    docking.click("#run button")
    docking.goto(120)
    slider = docking.find("#timeline input")
    assert int(slider.get_attribute("max")) >= 300
    assert slider.input_value() == "120"
    for event in (40, 260):
        slider.evaluate("(it, to) => { it.value = to; it.dispatchEvent(new Event('input')); }", event)
        docking.settle()
        other.goto(event=event)
        assert (docking.event, docking.digest) == (event, other.digest())
    slider.focus()
    docking.key("ArrowLeft", "ArrowLeft")
    other.goto(event=258)
    assert (docking.event, docking.digest) == (258, other.digest())
    assert slider.get_attribute("aria-valuetext").startswith("event 258")
    docking.page.select_option("#unit", "event")
    docking.page.fill("#amount", "3.5")
    docking.click("#run button")
    assert "events are whole numbers" in docking.text("#failure")
    docking.page.fill("#amount", "7")
    docking.press("Enter")
    docking.settle()
    assert docking.event == 7
    assert docking.find("#failure").is_hidden()
    docking.page.select_option("#unit", "time")
    docking.page.fill("#amount", repr(other.time))
    docking.click("#run button")
    assert docking.event == 258
    docking.page.select_option("#unit", "n")


def test_run_and_play_stop_at_breakpoints(docking):
    first, second, third, fourth = dockings(docking)[:4]
    docking.click("#tab-breakpoints")
    field = docking.find("#condition")
    field.fill("event.verb = 'dock'")
    docking.press("Enter")
    docking.settle()
    docking.page.wait_for_selector("#condition[aria-invalid=true]")
    error = docking.text("#condition-error")
    assert error
    assert "__" not in error
    assert docking.find("#failure").is_hidden()
    docking.forgive("status of 422")
    field.fill("event.verb == 'dock'")
    docking.press("Enter")
    docking.page.wait_for_selector("#condition[aria-invalid=false]")
    assert docking.text("#condition-error") == ""
    row = docking.find(".break", has_text="event.verb == 'dock'")
    assert "0 hits" in row.text_content()

    docking.click("#until")
    assert docking.event == first > 1
    assert docking.text("#saying").startswith(f"Breakpoint: event.verb == 'dock' · #{first}: dock Y at site")
    assert "1 hit" in row.text_content()
    assert "hit" in row.get_attribute("class").split()
    docking.page.fill("#amount", "350")
    docking.click("#run button")
    assert docking.event == second
    docking.page.evaluate("""() => {
      document.getElementById("speed").value = 7;
      document.getElementById("speed").dispatchEvent(new Event("input"));
    }""")
    docking.page.click("#play")
    docking.page.wait_for_selector("#play[aria-pressed=false]")
    docking.settle()
    assert docking.event == third
    assert "3 hits" in row.text_content()

    row.locator("input").uncheck()
    docking.settle()
    docking.click("#until")
    assert "there is none that is on" in docking.text("#failure")
    docking.forgive("status of 422")
    row.locator("input").check()
    docking.settle()
    docking.click("#step")
    docking.key("b")
    assert docking.event == fourth
    row.locator("button").click()
    docking.settle()
    assert docking.find(".break").count() == 2


def test_keys_alone_are_enough(docking):
    other = independent(docking)
    docking.page.evaluate("document.activeElement.blur()")
    docking.key("ArrowRight", "ArrowRight", "ArrowLeft", "Shift+ArrowRight")
    assert docking.event == 101
    docking.key("Home")
    assert docking.event == 0
    docking.key("End")
    assert docking.event == int(docking.find("#timeline input").get_attribute("max")) >= 101
    docking.goto(101)
    other.goto(event=101)
    assert docking.digest == other.digest()
    docking.key("Shift+ArrowLeft")
    assert docking.event == 1
    docking.key("Shift+ArrowLeft")  # fewer than a hundred are left
    assert docking.event == 0

    docking.press(" ")
    docking.page.wait_for_selector("#play[aria-pressed=true]")
    docking.page.wait_for_selector("#fact-event dd:not(:text-is('0'))")
    docking.press(" ")
    docking.page.wait_for_selector("#play[aria-pressed=false]")
    docking.settle()
    stopped = docking.event
    docking.page.wait_for_timeout(250)
    assert docking.event == stopped > 0

    views = []
    for key in "1234":
        docking.key(key)
        views.append(docking.page.evaluate("() => JSON.stringify(ucnp.camera.turn)"))
    assert len(set(views)) == 4
    docking.find(".pane canvas").focus()
    docking.key("Alt+ArrowLeft")
    assert docking.page.evaluate("() => JSON.stringify(ucnp.camera.turn)") != views[-1]
    docking.key("+", "+", "-")
    assert abs(docking.page.evaluate("() => ucnp.camera.zoom") - 1.2) < 1e-9
    docking.key("-", "x")
    assert docking.find("#xray").is_checked()
    docking.key("x", "2")

    docking.find("#tab-inspector").focus()
    docking.key("ArrowRight")
    assert docking.page.evaluate("document.activeElement.id") == "tab-breakpoints"
    assert docking.find("#panel-breakpoints").is_visible()
    docking.key("ArrowLeft", "ArrowLeft")
    assert docking.page.evaluate("document.activeElement.id") == "tab-draw"
    assert docking.find("#tab-draw").get_attribute("aria-selected") == "true"
    docking.find("#panel-events tbody tr").nth(3).focus()
    docking.press("Enter")
    docking.page.wait_for_selector("#why fieldset")
    assert docking.find("#panel-inspector").is_visible()
    assert docking.event == stopped


def test_search_in_vain_is_stopped_and_all_of_its_past_can_be_gone_to(wandering):
    """A million events are kept in full: the search must not forget where the run is, nor be lost far back."""
    start = wandering.digest
    wandering.page.evaluate("() => ucnp.ask('breakpoint', { add: \"event.verb == 'dock'\" })")
    wandering.press("b")
    for _ in range(200):
        wandering.page.wait_for_timeout(50)
        if wandering.event > 1_200_000:
            break
    assert "busy" in wandering.find("#status").get_attribute("class")
    wandering.press("Escape")
    wandering.settle()
    stopped = wandering.event
    assert stopped > 1_200_000
    wandering.click("#back")
    assert (wandering.event, wandering.digest) == (stopped - 1, wandering.simulation.digest())
    wandering.key("Home")
    assert (wandering.event, wandering.digest) == (0, start)
    wandering.click("#step")
    assert wandering.event == 1
    wandering.page.evaluate(
        "(site) => ucnp.ask('select', { site })", wandering.simulation.timeline.last_event().move.site
    )
    wandering.key("n")
    assert wandering.event > 1
    assert wandering.find("#failure").is_hidden()
