"""One self-contained HTML page: the finding, what it rests on, figures, tables, provenance, how to reproduce it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from pathlib import Path
from urllib.parse import quote

LONG = 40
"""Rows up to which a table is shown whole; a longer one scrolls on screen and is unfolded in print."""
_PROSE = 36
"""Letters from which on a cell is written in lines."""
_STYLE = """
:root { color-scheme: light;
  --ink: #1d2330; --soft: #5a6473; --line: #d8dde6; --note: #eef4fc; --warn: #fdf6e3; --paper: #fff; --link: #0b5cad }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark;
  --ink: #e6e9ef; --soft: #a3adbb; --line: #3a4250; --note: #1d2736; --warn: #2c2718; --paper: #14171d;
  --link: #7db8f0 } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem;
  color: var(--ink); background: var(--paper); overflow-wrap: break-word }
h1 { font-size: 1.5rem; margin: 0 0 .8rem; line-height: 1.25 }
h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line) }
a { color: var(--link) }
.finding { background: var(--note); border-left: 4px solid #0072B2; padding: .7rem 1rem }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .7rem; margin: 1rem 0 }
.tiles div { border: 1px solid var(--line); border-radius: 4px; padding: .5rem .8rem; font-size: .87rem;
  color: var(--soft); line-height: 1.35 }
.tiles b { display: block; font-size: 1.15rem; color: var(--ink); font-variant-numeric: tabular-nums }
.notes { background: var(--warn); border-left: 4px solid #D98E04; padding: .6rem 1rem .6rem 2rem; margin: 1rem 0 }
.notes li + li { margin-top: .3rem }
figure { margin: 0 0 1.2rem }
img { width: 100%; background: #fff; border-radius: 4px }
figcaption, .caption { color: var(--soft); font-size: .87rem; text-align: left }
.caption { margin: 0 0 .4rem }
.wide { overflow-x: auto; margin: 0 0 1.4rem }
.long { max-height: 36rem; overflow-y: auto; border-bottom: 1px solid var(--line) }
.long th { position: sticky; top: 0; background: var(--paper); box-shadow: inset 0 -1px var(--line) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: bottom }
td, td span { white-space: nowrap }
.word, .prose { text-align: left }
.prose { white-space: normal; min-width: 14rem }
th:first-child, td:first-child { padding-left: 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; font-size: .87rem; margin: 0 }
dt { color: var(--soft) }
dd { margin: 0; min-width: 0 }
pre { background: var(--note); padding: .7rem 1rem; white-space: pre-wrap; margin: 0 }
code, pre { font-size: .87rem }
@media (max-width: 800px) { table { font-size: .8rem } th, td { padding: .25rem .35rem }
  dl { display: block } dd { margin-bottom: .4rem } }
@page { size: A4; margin: 16mm 15mm }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 10pt }
  h1, h2, .caption { break-after: avoid } figure, tr, li, .tiles, .finding, pre { break-inside: avoid }
  img { width: auto; max-width: 100%; max-height: 23cm } thead { display: table-header-group }
  .finding, .notes, pre { background: none; border: 1px solid #999; border-left-width: 4px }
  .wide { overflow: visible; max-height: none } .long th { position: static; box-shadow: none }
  table { font-size: 7.5pt } th, td { padding: .15rem .3rem; white-space: normal } .prose { min-width: 0 }
  p { orphans: 3; widows: 3 } a { color: inherit } }
"""


@dataclass(frozen=True)
class Section:
    """A part of the page under its heading: text, then figures, then tables at full width.

    Attributes
    ----------
    title : str
    figures : sequence of (PNG file, caption)
    tables : sequence of (caption, rows)
        The first row is the head.
    text : sequence of str
        Paragraphs.
    """

    title: str
    figures: Sequence[tuple[Path, str]] = ()
    tables: Sequence[tuple[str, Sequence[Sequence[str]]]] = ()
    text: Sequence[str] = ()


def write_page(
    path: Path,
    *,
    title: str,
    finding: str,
    notes: Sequence[tuple[str, str]],
    provenance: Sequence[tuple[str, str]],
    command: str,
    figures: Sequence[tuple[Path, str]] = (),
    tables: Sequence[tuple[str, Sequence[Sequence[str]]]] = (),
    sections: Sequence[Section] = (),
    tiles: Sequence[tuple[str, str]] = (),
    methods: Sequence[str] = (),
    files: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (),
) -> None:
    """Write the page; figures are embedded, so that the one file is all.

    Parameters
    ----------
    path : Path
    title, finding : str
    notes : sequence of (subject, text)
        Warnings, assumptions and limits; they stand before the figures.
    provenance : sequence of (what, text)
    command : str
        What reproduces the page.
    figures, tables
        As in `Section`: a section 'Figures' and a section 'Numbers', before the others.
    sections : sequence of Section
    tiles : sequence of (number, what)
        Of the runs at a glance, such as ('384 / 384', 'runs finished').
    methods : sequence of str
        Paragraphs for a paper.
    files : sequence of (what, (text, name) pairs)
        Links to files beside the page.

    A cell 'nan' is shown as –.
    """
    first = [Section("Figures", figures=figures)] if figures else []
    first += [Section("Numbers", tables=tables)] if tables else []
    ends = [Section("Methods", text=methods)] if methods else []
    pictures, numbered = count(1), count(1)
    listed = "".join(f"<li><b>{escape(subject)}</b>: {escape(text)}</li>" for subject, text in notes)
    parts = [("What this rests on", f'<ul class="notes">{listed}</ul>')] if notes else []
    parts += [(each.title, _section(each, pictures, numbered)) for each in (*first, *sections, *ends)]
    origin = "".join(f"<dt>{escape(what)}</dt><dd>{escape(text)}</dd>" for what, text in provenance)
    parts += [("Provenance", f"<dl>{origin}</dl>"), ("Reproduce", f"<pre>{escape(command)}</pre>")]
    parts += [("Files", _files(files))] if files else []
    body = "\n".join(f"<h2>{n} · {escape(head)}</h2>\n{content}" for n, (head, content) in enumerate(parts, 1))
    glance = "".join(f"<div><b>{escape(number)}</b>{escape(what)}</div>" for number, what in tiles)
    path.write_text(
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p class="finding">{escape(finding)}</p>
{f'<div class="tiles">{glance}</div>' if tiles else ""}
{body}
</body></html>
""",
        encoding="utf-8",
    )


def _section(section: Section, pictures: Iterable[int], numbered: Iterable[int]) -> str:
    parts = [f"<p>{escape(paragraph)}</p>" for paragraph in section.text]
    parts += [_figure(*each, n) for each, n in zip(section.figures, pictures, strict=False)]
    parts += [_table(*each, n) for each, n in zip(section.tables, numbered, strict=False)]
    return "\n".join(parts)


def _figure(file: Path, caption: str, number: int) -> str:
    encoded = base64.b64encode(file.read_bytes()).decode()
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{encoded}">'
        f"<figcaption><b>Figure {number}.</b> {escape(caption)}</figcaption></figure>"
    )


def _table(caption: str, rows: Sequence[Sequence[str]], number: int) -> str:
    head, *others = ([_cell(cell) for cell in row] for row in rows)
    columns = zip(*others, strict=True) if others else ((cell,) for cell in head)
    looks = [_look(column, n == 0) for n, column in enumerate(columns)]
    cells = "".join(f'<th scope="col"{look}>{escape(cell)}</th>' for cell, look in zip(head, looks, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td{look}>{_whole(cell)}</td>" for cell, look in zip(row, looks, strict=True)) + "</tr>"
        for row in others
    )
    kind = "wide long" if len(others) > LONG else "wide"
    return (
        f'<p class="caption"><b>Table {number}.</b> {escape(caption)}</p>'
        f'<div class="{kind}" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    return "–" if text.strip().lower() == "nan" else text


def _whole(cell: str) -> str:
    """A cell for HTML, of which no number is broken at a minus sign, nor a name at a hyphen, where lines are narrow."""
    return re.sub(r"\S*-\S*", lambda word: f"<span>{word[0]}</span>", escape(cell))


def _look(column: Sequence[str], first: bool) -> str:
    """Numbers stand right; words left, and in lines where they are many. The first column says what a row is."""
    if not first and all(re.match(r"[-+−±<>≤≥~(]?\s*\.?\d", cell) for cell in column if cell.strip("–- ")):
        return ""
    return ' class="prose"' if max(map(len, column)) > _PROSE else ' class="word"'


def _files(files: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> str:
    """Links; an address is quoted, so that it stays a file beside the page."""
    lines = []
    for what, targets in files:
        links = ", ".join(f'<a href="{escape(quote(name))}">{escape(text)}</a>' for text, name in targets)
        lines.append(f"<dt>{escape(what)}</dt><dd>{links}</dd>")
    return f"<dl>{''.join(lines)}</dl>"
