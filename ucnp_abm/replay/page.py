"""The files of the page, and all of them joined into one."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from importlib import resources

FIRST = "app.js"
"""The module that begins; all others are imported from it."""
_KINDS = {"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) )", re.MULTILINE)


@cache
def texts() -> dict[str, str]:
    """The files of the page by name."""
    folder = resources.files("ucnp_abm.replay") / "web"
    return {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.rsplit(".")[-1] in _KINDS}


def served() -> dict[str, tuple[bytes, str]]:
    """Paths ('/', '/app.js', …) to content and content type, for a server."""
    found = {f"/{name}": (text.encode(), _KINDS[name.rsplit(".")[-1]]) for name, text in texts().items()}
    found["/"] = found.pop("/index.html")
    return found


def modules() -> list[str]:
    """The page's modules, each after those that it imports."""
    files, order = texts(), list[str]()

    def visit(name: str) -> None:
        for imported in _IMPORT.findall(files[name]):
            if imported not in order:
                visit(imported)
        if name not in order:
            order.append(name)

    visit(FIRST)
    return order


def joined() -> str:
    """All modules as one. They share one scope, so their top-level names must differ (a test holds them to it)."""
    files = texts()
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", files[name])) for name in modules())


def one_file(tape: bytes, title: str) -> str:
    """The page with a tape in it: opens from disk, asks the network for nothing.

    Parameters
    ----------
    tape : bytes
        As `tape.record` gives it.
    title : str
        Of the window.
    """
    files, script = texts(), joined()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    replaced = {
        '<meta charset="utf-8">': '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        "<title>ucnp-abm</title>": f"<title>{html.escape(title)}</title>",
        '<link rel="stylesheet" href="style.css">': f"<style>\n{files['style.css']}</style>",
        f'<script type="module" src="{FIRST}"></script>\n': "",
        "</body>": f'<script type="text/plain" id="tape">{base64.b64encode(tape).decode()}</script>\n'
        f'<script type="module">{script}</script>\n</body>',
    }
    page = files["index.html"]
    for old, new in replaced.items():
        if page.count(old) != 1:
            raise AssertionError(f"page: index.html holds {old!r} {page.count(old)} times")
        page = page.replace(old, new)
    return page
