"""The page of a report: what stands where, and that nothing given to it becomes markup."""

import base64
import html
import re
from html.parser import HTMLParser

import pytest

from ucnp_abm.study.report.page import LONG, Section, write_page

PNG = b"\x89PNG\r\n\x1a\n and the rest of a picture"
HOSTILE = "<script>alert('x')</script>\"&amp;"


class Seen(HTMLParser):
    """Tags and their attributes, and what a reader sees."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.hidden = [], "", False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.hidden = tag == "style"

    def handle_endtag(self, tag):
        self.hidden = False

    def handle_data(self, data):
        if not self.hidden:
            self.text += data


@pytest.fixture
def page(tmp_path):
    picture = tmp_path / "one.png"
    picture.write_bytes(PNG)

    def written(**options):
        given = {
            "title": "Does docking keep Yb in the core?",
            "finding": "It does.",
            "notes": [("precision", "2 points are short of it")],
            "provenance": [("engine", "3")],
            "command": "ucnp-abm compare study.toml",
            "sections": [Section("Series", figures=[(picture, "a series")], tables=[("numbers", [["a", "b"]])])],
        }
        write_page(tmp_path / "index.html", **given | options)
        return (tmp_path / "index.html").read_text(encoding="utf-8")

    written.picture = picture
    return written


def rows(n):
    return [["mechanism", "Yb / %", "settled"], *([f"m{k}", f"{k}.5 [1, 2]", "yes"] for k in range(n))]


def test_sections_are_numbered_and_stand_in_order(page):
    found = page(
        figures=[(page.picture, "first")],
        tables=[("table", rows(2))],
        sections=[Section("Series", text=["Why."]), Section("Effects", figures=[(page.picture, "second")])],
        methods=["We annealed."],
        files=[("Data", [("runs.csv", "runs.csv")])],
        tiles=[("384 / 384", "runs finished")],
    )
    assert re.findall("<h2>(.*?)</h2>", found) == [
        f"{n} · {head}"
        for n, head in enumerate(
            ["What this rests on", "Figures", "Numbers", "Series", "Effects", "Methods", "Provenance", "Reproduce"], 1
        )
    ] + ["9 · Files"]
    said = ["Does docking", "It does.", "384 / 384", "2 points", "Figure 1.", "Table 1.", "Why.", "Figure 2."]
    said += ["We annealed.", "engine", "ucnp-abm compare", "runs.csv"]
    text = Seen(found).text.partition("core?")[2]  # of the window
    assert [text.index(each) for each in said] == sorted(text.index(each) for each in said)


def test_warnings_stand_before_any_figure_and_not_at_all_without_one(page):
    found = page()
    assert 0 < found.index("2 points are short of it") < found.index("<img")
    assert 'class="notes"' not in page(notes=[])
    assert 'class="tiles"' not in found


def test_nothing_given_becomes_markup(page):
    kinds = [Section(HOSTILE, [(page.picture, HOSTILE)], [(HOSTILE, [[HOSTILE, "b"], [HOSTILE, HOSTILE]])], [HOSTILE])]
    found = page(
        title=HOSTILE,
        finding=HOSTILE,
        notes=[(HOSTILE, HOSTILE)],
        provenance=[(HOSTILE, HOSTILE)],
        command=HOSTILE,
        sections=kinds,
        tiles=[(HOSTILE, HOSTILE)],
        methods=[HOSTILE],
        files=[(HOSTILE, [(HOSTILE, "javascript:alert(1)"), ("b", f'a b"{HOSTILE}.csv')])],
    )
    seen = Seen(found)
    allowed = "html head meta title style body h1 h2 p div b ul li figure img figcaption table thead tbody tr th"
    assert {tag for tag, _ in seen.tags} <= {*allowed.split(), "td", "dl", "dt", "dd", "pre", "a"}
    assert seen.text.count(HOSTILE) == 20
    known = [
        "class",
        "alt",
        "src",
        "lang",
        "charset",
        "name",
        "content",
        "scope",
        "tabindex",
        "role",
        "aria-labelledby",
        "id",
        "href",
    ]
    assert {name for _, attributes in seen.tags for name in attributes} <= set(known)
    links = [attributes["href"] for tag, attributes in seen.tags if tag == "a"]
    assert links[0] == "javascript%3Aalert%281%29"  # a file of that name
    assert html.escape(HOSTILE) in found


def test_images_are_in_the_page_and_the_page_needs_nothing_else(page):
    found = page(sections=[Section("a", figures=[(page.picture, "one"), (page.picture, "two")])])
    images = re.findall('src="([^"]*)"', found)
    assert len(images) == 2
    assert all(base64.b64decode(each.removeprefix("data:image/png;base64,")) == PNG for each in images)
    assert "http" not in found
    assert "@import" not in found
    assert "url(" not in found


def test_tables_stand_below_the_figures_at_full_width(page):
    found = page(sections=[Section("a", [(page.picture, "one")], [("numbers", rows(3))], ["Why."])])
    assert found.index("Why.") < found.index("<img") < found.index("<table>")
    assert '</figure>\n<p class="caption"' in found


def test_long_table_is_whole_and_scrolls(page):
    for n, kind in ((LONG, "wide"), (LONG + 1, "wide long")):
        found = page(tables=[("numbers", rows(n))], sections=[])
        assert [a["class"] for tag, a in Seen(found).tags if tag == "div"] == [kind]
        assert found.count("<tr>") == 1 + n
    printed = found.partition("@media print")[2].partition("</style>")[0]
    assert ".wide { overflow: visible; max-height: none }" in printed
    assert "thead { display: table-header-group }" in printed


def test_numbers_stand_right_and_words_left(page):
    given = [
        ["mechanism", "Yb / %", "settled", "Δ", "why"],
        ["1", "5.4 [4.7, 6.1]", "yes", "−3", "because " * 9],
        ["b", "–", "1", "nan", ""],
    ]
    cells = [a.get("class") for tag, a in Seen(page(tables=[("n", given)], sections=[])).tags if tag in ("th", "td")]
    assert cells == ["word", None, "word", None, "prose"] * 3


def test_no_cell_is_nan(page):
    seen = Seen(page(tables=[("numbers", [["a", "b"], ["nan", " NaN "], ["nanometre", "1"]])], sections=[]))
    assert not re.search(r"\bnan\b", seen.text, re.IGNORECASE)
    assert "nanometre" in seen.text


def test_table_without_rows_has_its_head(page):
    assert "<th" in page(tables=[("numbers", [["a", "b"]])], sections=[])


def test_dark_is_for_screens_only(page):
    style = page().partition("<style>")[2].partition("</style>")[0]
    assert re.findall(r"@media ([^{]*prefers-color-scheme[^{]*) {", style) == [
        "screen and (prefers-color-scheme: dark)"
    ]
