"""One self-contained HTML page of a comparison: the finding, figures, table, assumptions, how to reproduce it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

_STYLE = """
:root { color-scheme: light dark;
  --ink: #1d2330; --soft: #5a6473; --line: #d8dde6; --note: #eef4fc; --paper: #fff }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6e9ef; --soft: #a3adbb; --line: #3a4250; --note: #1d2736; --paper: #14171d } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem;
  color: var(--ink); background: var(--paper) }
h1 { font-size: 1.5rem; margin: 0 0 .8rem }
h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line) }
.finding { background: var(--note); border-left: 4px solid #0072B2; padding: .7rem 1rem }
figure { margin: 0 0 1rem }
img { width: 100%; background: #fff; border-radius: 4px }
figcaption, .soft { color: var(--soft); font-size: .87rem }
table { border-collapse: collapse; width: 100% }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left }
code { font-size: .9em }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } figure { break-inside: avoid } }
"""


def write_page(
    path: Path,
    *,
    title: str,
    finding: str,
    figures: Sequence[tuple[Path, str]],
    table: Sequence[Sequence[str]],
    notes: Sequence[str],
    command: str,
) -> None:
    """Write the page; figures are embedded, so that the one file is all.

    Parameters
    ----------
    path : Path
    title, finding : str
    figures : sequence of (PNG file, caption)
    table : sequence of rows
        The first row is the head.
    notes : sequence of str
        Assumptions and limits.
    command : str
        What reproduces the page.
    """
    shown = "\n".join(
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{_encoded(file)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for file, caption in figures
    )
    head, *rows = table
    cells = "".join(f"<th>{escape(c)}</th>" for c in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    path.write_text(
        f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style>
<h1>{escape(title)}</h1>
<p class="finding">{escape(finding)}</p>
<h2>Crystals and time courses</h2>
{shown}
<h2>Numbers</h2>
<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>
<p class="soft">Mean ± standard error over the particles.</p>
<h2>What this rests on</h2>
<ul>{listed}</ul>
<h2>Reproduce</h2>
<p><code>{escape(command)}</code></p>
</html>
""",
        encoding="utf-8",
    )


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
