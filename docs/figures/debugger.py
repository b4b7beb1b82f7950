"""Pictures of the debugger for the docs: one line with an inspector and a reason, and two mechanisms side by side.

cd docs/figures && python debugger.py   (needs Chromium and the extra 'browser')
"""

from __future__ import annotations

import io
import shutil
from typing import Any

from common import ROOT
from PIL import Image
from playwright.sync_api import sync_playwright

from ucnp_abm import Particle, Simulation, mechanism
from ucnp_abm.server.debug import debug

LEFT_CORE = "event.species == 'Yb' and site.zone == 'shell'"
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def idle(tab: Any) -> None:
    """Wait until the page has its answer, and its curves."""
    tab.wait_for_selector("#status:not(.busy)", state="attached", timeout=90_000)
    tab.wait_for_timeout(500)


def alone(tab: Any) -> None:
    """At the second Yb that enters the shell: who it is, and why."""
    tab.click("#until")
    idle(tab)
    tab.click("#until")
    idle(tab)
    tab.evaluate("() => ucnp.ask('select', { site: ucnp.answer.panes[0].last.site })")
    idle(tab)
    tab.click("#why-last")
    tab.select_option("#table-filter", "hop Yb")
    idle(tab)


def beside(tab: Any) -> None:
    """Without a complex beside it, cut open."""
    tab.fill("#amount", "20000")
    tab.click("#run button")
    idle(tab)
    tab.click("#tab-lines")
    tab.select_option("#beside-mechanism", "no-complex")
    tab.click("#beside button")
    idle(tab)
    tab.uncheck("#slab")
    tab.click("[data-view='1']")
    tab.evaluate("() => { ucnp.camera.rotate(0.35, 0.25); ucnp.draw(); }")
    tab.wait_for_timeout(1500)


PICTURES = {"debugger": (alone, "light", (LEFT_CORE,)), "debugger_beside": (beside, "dark", ())}


def main() -> None:
    """Write docs/images/debugger.png and debugger_beside.png."""
    particle = Particle.core_shell(
        core="NaGdF4: 49% Yb, 1% Tm", diameter="6.7 nm", shell="NaYF4", thickness="1.65 nm", seed=1
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for name, (act, scheme, breakpoints) in PICTURES.items():
            simulation = Simulation(particle, mechanism("y-complex"), "300 °C", seed=7)
            with debug(simulation, browser=False, wait=False, breakpoints=breakpoints) as serving:
                tab = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
                tab.goto(serving.link)
                tab.wait_for_selector("body[data-ready=yes]")
                idle(tab)
                act(tab)
                picture = Image.open(io.BytesIO(tab.screenshot()))
                target = ROOT / "docs" / "images" / f"{name}.png"
                picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
                    target, optimize=True
                )
                tab.close()
        browser.close()


if __name__ == "__main__":
    main()
