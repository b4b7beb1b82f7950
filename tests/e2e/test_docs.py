"""The documentation's Python and TOML run as they stand, page by page, from top to bottom."""

import re
import tomllib
from pathlib import Path

import pytest

from ucnp_abm.config.files import check, paper
from ucnp_abm.config.studies import load_study

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {page.name: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}


def blocks(language):
    return {name: re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL) for name, text in PAGES.items()}


@pytest.mark.parametrize("page", [name for name, found in blocks("python").items() if found])
def test_python_on_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = {}
    for block in blocks("python")[page]:
        exec(compile(block, page, "exec"), space)


@pytest.mark.parametrize("page", [name for name, found in blocks("toml").items() if found])
def test_configurations_on_a_page_are_valid(page):
    for block in blocks("toml")[page]:
        data = tomllib.loads(block)
        if "study" in data:
            assert load_study(data).n_cells > 1
            continue
        if "mechanism" not in data:  # an excerpt: complete it with the paper's particle, without sodium sites
            whole = paper()
            whole["particle"] |= {"core": "Gd: 49% Yb", "shell": "Y", **data["particle"]}
            data = whole
        config = check(data, page)
        assert config.crystal.recipe().build(1).crystal.n_sites > 100


def test_every_image_of_a_page_exists():
    for name, text in PAGES.items():
        for image in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
            assert (DOCS / image).exists(), f"{name}: {image}"
