"""Pictures of a study's report for the docs: the sensitivity study, as its page looks on a screen and on paper.

cd docs/figures && python report.py   (needs Chromium and the extra 'browser'; a minute or two)
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

from common import IMAGES, LARGEST, ROOT
from PIL import Image
from playwright.sync_api import sync_playwright

from ucnp_abm import load_study

STUDY = ROOT / "examples" / "studies" / "sensitivity.toml"
LOOKS = {"report_top": ("light", 0, 1120), "report_verdict": ("light", None, 760), "report_dark": ("dark", 0, 760)}
"""Colour scheme, where the picture begins (None: at the section on assumptions), and its height / px."""


def main() -> None:
    """Run the study, and photograph its page."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page = load_study(STUDY, settings=["study.replicates=8"], command="ucnp-abm compare sensitivity.toml").run(
            Path(folder) / "sensitivity"
        )
        page.keep_report()
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, (scheme, top, height) in LOOKS.items():
            tab = browser.new_page(viewport={"width": 1100, "height": height}, color_scheme=scheme)
            tab.goto((Path(folder) / "sensitivity" / "index.html").as_uri())
            at = top if top is not None else _top_of(tab, "Which assumption carries the verdict")
            tab.evaluate("y => window.scrollTo(0, y)", at)
            _save(name, tab.screenshot())
        browser.close()


def _top_of(tab: Any, heading: str) -> float:
    found: float = tab.evaluate(
        "text => [...document.querySelectorAll('h2')].find(h => h.textContent.includes(text)).offsetTop - 20", heading
    )
    return found


def _save(name: str, content: bytes) -> None:
    """As few colours as it takes to be small."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    path = IMAGES / f"{name}.png"
    for colours in (128, 64, 32):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            break
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
