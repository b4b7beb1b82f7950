"""What the crystal and its panels show: who is where, why a rate is what it is, colours, small windows, dark rooms."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.engine.chronicle import Chronicle

SMALL = {"width": 1180, "height": 680}
BUTTONS = "#start, #back, #step, #play, #until, #run button, #amount, #unit, #why-last, #colour, #slice, #xray"


def shown_rates(screen, rows):
    return [float(row.locator("td.number").nth(1).text_content()) for row in screen.find(rows).all()]


def test_click_on_the_crystal_shows_what_the_engine_knows_of_the_site(docking):
    simulation = docking.simulation
    seen = docking.in_front()
    slots = simulation.state.slot[simulation.crystal.sites]
    for vacancy in (True, False):
        site = next(k for k in seen if (simulation.occupant(k) == "vacancy") == vacancy and simulation.options(k))
        docking.find(".pane canvas").click(position=docking.at(site))
        docking.settle()
        inspector = docking.find("#panel-inspector")
        assert inspector.locator("h2").text_content() == f"{simulation.occupant(site)} {slots[site]}"
        names, texts = (inspector.locator(f"dl:first-of-type > {tag}").all_text_contents() for tag in ("dt", "dd"))
        told = dict(zip(names, texts, strict=True))
        assert told["site"].startswith(f"{site}, {simulation.crystal.zone_of(site)}")
        around = [n for n in simulation.crystal.neighbours(site) if n >= 0]
        words = Counter(simulation.occupant(n) for n in around)
        told_neighbours = {text for text in told["neighbours"].split(", ") if "missing" not in text}
        assert told_neighbours == {f"{n} {symbol}" for symbol, n in words.items()}
        options = simulation.options(site)
        assert shown_rates(docking, "#panel-inspector tbody tr") == pytest.approx(
            [move.rate for move in options[:24]], rel=5e-3
        )
        count = "One event" if len(options) == 1 else f"{len(options)} events"
        assert f"{count} it could take part in" in inspector.text_content()
        docking.pixels()  # it is drawn
        circle = docking.find(".over .picked")
        where = docking.at(site)
        assert float(circle.get_attribute("cx")) == pytest.approx(where["x"], abs=0.5)
        assert float(circle.get_attribute("cy")) == pytest.approx(where["y"], abs=0.5)
        docking.click("#its-next")
        assert docking.event == Chronicle(simulation).next_of(int(slots[site]), 0)
        assert docking.find("#panel-inspector li").count() == 1
        docking.find("#panel-inspector li button").click()
        docking.goto(0)
    canvas = docking.find(".pane canvas").bounding_box()
    docking.find(".pane canvas").click(position={"x": canvas["width"] - 20, "y": canvas["height"] / 2})
    docking.settle()
    assert "Click an ion or a vacancy" in docking.text("#panel-inspector")
    docking.pixels()
    assert docking.find(".over .picked").count() == 0


def test_ions_are_drawn_where_clicks_and_arrows_take_them_to_be(docking):
    simulation, image = docking.simulation, docking.image()
    tells = {  # (r, g, b) of an ion's middle, whatever the light and the depth
        "Yb": lambda r, g, b: r > g > b + 30,
        "Gd": lambda r, g, b: b > r + 10 > g,
        "Y": lambda r, g, b: b > g > r + 20,
        "vacancy": lambda r, g, b: r == g == b == 255,
    }
    seen = {symbol: [k for k in docking.in_front() if simulation.occupant(k) == symbol] for symbol in tells}
    for symbol, sites in seen.items():
        assert len(sites) > 5, symbol
        for site in sites:
            at = docking.at(site)
            assert tells[symbol](*image[round(at["y"]), round(at["x"])].tolist()), (symbol, site)


def test_row_of_an_event_shows_its_arrow_and_why_it_has_its_rate(docking):
    simulation = docking.simulation
    every = simulation.candidates()
    fastest = np.sort(every["rate"])[::-1][:40]
    assert shown_rates(docking, "#panel-events tbody tr") == pytest.approx(fastest.tolist(), rel=5e-3)
    docking.choose("#table-filter", "hop Yb")
    rows = docking.find("#panel-events tbody tr")
    assert set(rows.locator("td").first.all_text_contents()) == {"hop Yb"}
    movers = simulation.state.species[simulation.crystal.sites[every["to"]]]
    ytterbium = int(np.count_nonzero((every["channel"] == 0) & (movers == SPECIES["Yb"].code)))
    assert rows.count() == min(40, ytterbium)
    assert f"of {ytterbium}, fastest first" in docking.text("#panel-events")

    row = rows.nth(5)
    move = simulation.look_at(**json.loads(row.get_attribute("data-key")))
    row.click()
    docking.page.wait_for_selector("#why fieldset")
    assert "picked" in docking.find("#panel-events tbody tr").nth(5).get_attribute("class")
    docking.pixels()
    here = docking.at(move.site)
    ring = docking.find("circle.arrow")
    assert float(ring.get_attribute("cx")) == pytest.approx(here["x"], abs=0.5)
    assert float(ring.get_attribute("cy")) == pytest.approx(here["y"], abs=0.5)
    start, line = docking.at(move.to), docking.find("line.arrow")
    if line.count():
        assert float(line.get_attribute("x1")) == pytest.approx(start["x"], abs=0.5)
    told = docking.text("#why")
    where = move.rule.where
    assert f"from site {move.to} into the vacancy on site {move.site}" in told
    assert f"{where.name}, {Path(where.path).name} line {where.line}" in told
    assert f"{move.rate:.6g} /s" in told
    assert docking.text("#why pre").startswith(Path(where.path).read_text("utf-8").splitlines()[where.line - 1])
    docking.choose("#table-filter", "")

    docking.click("#step")
    event = simulation.timeline.last_event()
    docking.key("w")
    docking.page.wait_for_selector("#why legend:text-is('Why event #1')")
    assert f"{event.move.rate:.6g} /s" in docking.text("#why")
    docking.click("#tab-draw")
    docking.page.wait_for_selector("#panel-draw tr.picked")
    assert docking.find("#panel-draw tr.picked").count() == 1
    assert f"{event.move.verb} {event.move.species}" in docking.text("#panel-draw tr.picked")
    assert "as the table" in docking.text("#panel-draw")
    assert " ".join(f"{word:016x}" for word in event.words) in docking.text("#panel-draw")
    docking.click("#tab-inspector")


def test_colours_slices_and_toggles_change_what_is_drawn(docking):
    docking.goto(300)
    plain = docking.pixels()
    assert docking.pixels() == plain  # drawn twice, it is the same to the last pixel
    seen = {plain}
    for kind in ("zone", "age", "visits", "barrier", "energy"):
        docking.choose("#colour", kind)
        docking.page.wait_for_selector(".legend .zone" if kind == "zone" else ".legend .ramp", state="attached")
        if kind not in ("zone", "species"):
            assert any(unit in docking.text(".legend") for unit in ("s", "visits", "eV", "% of all"))
        seen.add(docking.pixels())
    assert len(seen) == 6
    docking.choose("#colour", "species")
    assert docking.find(".legend .ramp, .legend .zone").count() == 0
    assert docking.pixels() == plain

    for label in ("show Yb", "show vacancy"):
        docking.find(f"[aria-label='{label}']").uncheck()
        assert docking.pixels() != plain
        docking.find(f"[aria-label='{label}']").check()
        assert docking.pixels() == plain
    docking.find("#slab").uncheck()
    half = docking.pixels()
    assert half != plain
    docking.find("#slab").check()
    docking.find("#slice").focus()
    docking.key(*["ArrowRight"] * 4)
    assert docking.text("#slice-at") == "0.04 nm"
    docking.find("#slice").fill("80")
    assert docking.pixels() not in (half, plain)
    docking.page.select_option("#axis", "")
    assert docking.find("#slice").is_disabled()
    whole = docking.pixels()
    docking.find("#xray").check()
    assert docking.pixels() != whole
    docking.find("#xray").uncheck()
    assert docking.pixels() == whole
    views = {whole}
    for view in "023":
        docking.click(f"[data-view='{view}']")
        views.add(docking.pixels())
    assert len(views) == 4
    box = docking.find(".pane canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    docking.page.mouse.move(x, y)
    docking.page.mouse.down()
    docking.page.mouse.move(x + 60, y + 30, steps=3)
    docking.page.mouse.up()
    docking.page.mouse.wheel(0, -200)
    docking.settle()
    assert docking.pixels() not in views
    assert "Click an ion" in docking.text("#panel-inspector")  # a turn is no click
    docking.click("[data-view='1']")
    docking.page.select_option("#axis", "1")
    docking.find("#slice").fill("0")
    docking.page.evaluate("ucnp.camera.zoom = 1")
    assert docking.pixels() == plain


def test_small_window_holds_everything(docking):
    docking.page.set_viewport_size(SMALL)
    docking.page.wait_for_selector("body.narrow")
    try:
        tabs = docking.find("[role=tab]")
        assert tabs.count() == 5
        for tab in tabs.all():
            tab.click()
            docking.settle()
            panels = docking.find("[role=tabpanel]:visible")
            assert panels.count() == 1
            assert panels.get_attribute("id") == tab.get_attribute("aria-controls")
            assert docking.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert docking.page.evaluate("document.documentElement.scrollHeight <= innerHeight")
            box = tab.bounding_box()
            assert box["x"] + box["width"] <= SMALL["width"]
        assert docking.find(".pane canvas").bounding_box()["height"] >= 250
        for control in docking.find(BUTTONS).all():
            box = control.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= SMALL["width"]
            assert box["y"] + box["height"] <= SMALL["height"]
        docking.click("#tab-events")
        docking.find("#panel-events tbody tr").first.click()
        docking.page.wait_for_selector("#panel-inspector #why fieldset")
        docking.click("#step")
        assert docking.event == 1
    finally:
        docking.page.set_viewport_size({"width": 1300, "height": 800})
        docking.page.wait_for_selector("body:not(.narrow)")


def test_dark_rooms_and_stillness_are_respected(docking):
    def paper():
        return docking.page.evaluate("getComputedStyle(document.body).backgroundColor")

    seen = {}
    for scheme in ("light", "dark"):
        docking.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        docking.choose("#colour", "visits")
        seen[scheme] = paper(), docking.pixels(), docking.find(".ramp").get_attribute("style")
    assert all(a != b for a, b in zip(seen["light"], seen["dark"], strict=True))
    docking.click("#step")
    assert docking.page.evaluate("document.getAnimations().length") == 0
    docking.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    docking.choose("#colour", "species")


def test_every_control_has_a_name_and_is_reached_by_tab(docking):
    session = docking.context.new_cdp_session(docking.page)
    roles = {"button", "checkbox", "combobox", "slider", "textbox", "tab"}
    named = 0
    for tab in ("inspector", "breakpoints", "lines", "draw"):
        docking.click(f"#tab-{tab}")
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        controls = [node for node in nodes if node.get("role", {}).get("value") in roles and not node["ignored"]]
        nameless = [node for node in controls if not node["name"]["value"].strip()]
        assert not nameless
        named += len(controls)
    assert named > 100
    docking.click("#tab-lines")
    listed = """() => {
      const all = [...document.querySelectorAll("button, input, select")];
      const seen = all.filter((one) => one.offsetParent && !one.disabled && one.tabIndex >= 0);
      return [seen.length, seen.indexOf(document.activeElement)];
    }"""
    wanted, walk = docking.page.evaluate(listed)[0], []
    while walk.count(0) < 2 and len(walk) < 300:
        docking.press("Tab")
        walk.append(docking.page.evaluate(listed)[1])
    first = walk.index(0)
    found = [one for one in walk[first:-1] if one >= 0]
    assert found == list(range(wanted))  # each of them, in the order in which they are read


def test_answers_take_away_neither_focus_nor_what_was_typed(docking):
    focused = "document.activeElement.id"
    docking.find("#table-filter").focus()
    docking.key("ArrowDown", "ArrowDown")
    assert docking.page.evaluate(focused) == "table-filter"
    docking.choose("#table-filter", "")
    docking.click("#panel-events tbody tr:first-child")
    docking.click("#tab-lines")
    docking.find("#branch-seed").fill("77")
    docking.page.select_option("#beside-mechanism", "no-complex")
    docking.click("#step")
    docking.click("#tab-draw")
    docking.click("#back")
    docking.click("#tab-lines")
    assert docking.find("#branch-seed").input_value() == "77"
    assert docking.find("#beside-mechanism").input_value() == "no-complex"
    docking.page.evaluate("(site) => ucnp.ask('select', { site })", docking.in_front()[0])
    docking.settle()
    docking.find("#its-next").focus()
    docking.key("Enter", "Enter")
    assert docking.event > 1
    assert docking.page.evaluate(focused) == "its-next"
