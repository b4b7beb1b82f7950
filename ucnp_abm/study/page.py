"""One self-contained HTML page: the finding, what it rests on, figures, tables, provenance, how to reproduce it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

_STYLE = """
:root { color-scheme: light dark;
  --ink: #1d2330; --soft: #5a6473; --line: #d8dde6; --note: #eef4fc; --warn: #fdf6e3; --paper: #fff }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6e9ef; --soft: #a3adbb; --line: #3a4250; --note: #1d2736; --warn: #2c2718; --paper: #14171d } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem;
  color: var(--ink); background: var(--paper); overflow-wrap: break-word }
h1 { font-size: 1.5rem; margin: 0 0 .8rem; line-height: 1.25 }
h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line) }
.finding { background: var(--note); border-left: 4px solid #0072B2; padding: .7rem 1rem }
.notes { background: var(--warn); border-left: 4px solid #D98E04; padding: .6rem 1rem .6rem 2rem; margin: 1rem 0 }
.notes li + li { margin-top: .3rem }
figure { margin: 0 0 1.2rem }
img { width: 100%; background: #fff; border-radius: 4px }
figcaption, caption { color: var(--soft); font-size: .87rem; text-align: left }
caption { padding-bottom: .4rem }
.wide { overflow-x: auto; margin: 0 0 1.4rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: bottom }
td { white-space: nowrap }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; min-width: 9rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; font-size: .87rem; margin: 0 }
dt { color: var(--soft) }
dd { margin: 0; min-width: 0 }
pre { background: var(--note); padding: .7rem 1rem; white-space: pre-wrap; margin: 0 }
code, pre { font-size: .87rem }
@media (max-width: 800px) { table { font-size: .8rem } th, td { padding: .25rem .35rem }
  dl { display: block } dd { margin-bottom: .4rem } }
@media print { body { margin: 0; max-width: none; font-size: 10pt } h2, caption { break-after: avoid }
  figure, tr, li { break-inside: avoid } .wide { overflow: visible } table { font-size: 7.5pt }
  th, td { padding: .15rem .3rem; white-space: normal } }
"""


def write_page(
    path: Path,
    *,
    title: str,
    finding: str,
    notes: Sequence[tuple[str, str]],
    figures: Sequence[tuple[Path, str]],
    tables: Sequence[tuple[str, Sequence[Sequence[str]]]],
    provenance: Sequence[tuple[str, str]],
    command: str,
) -> None:
    """Write the page; figures are embedded, so that the one file is all.

    Parameters
    ----------
    path : Path
    title, finding : str
    notes : sequence of (subject, text)
        Warnings, assumptions and limits; they stand before the figures.
    figures : sequence of (PNG file, caption)
    tables : sequence of (caption, rows)
        The first row is the head.
    provenance : sequence of (what, text)
    command : str
        What reproduces the page.
    """
    shown = "\n".join(
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{_encoded(file)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for file, caption in figures
    )
    listed = "".join(f"<li><b>{escape(subject)}</b>: {escape(text)}</li>" for subject, text in notes)
    origin = "".join(f"<dt>{escape(what)}</dt><dd>{escape(text)}</dd>" for what, text in provenance)
    path.write_text(
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p class="finding">{escape(finding)}</p>
<h2>What this rests on</h2>
<ul class="notes">{listed}</ul>
<h2>Figures</h2>
{shown}
<h2>Numbers</h2>
{"".join(_table(caption, rows) for caption, rows in tables)}
<h2>Provenance</h2>
<dl>{origin}</dl>
<h2>Reproduce</h2>
<pre>{escape(command)}</pre>
</body></html>
""",
        encoding="utf-8",
    )


def _table(caption: str, rows: Sequence[Sequence[str]]) -> str:
    head, *others = rows
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in others)
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
