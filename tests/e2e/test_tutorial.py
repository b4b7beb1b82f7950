"""The tutorial and the page on publishing do what they say, from top to bottom, in a directory that was empty.

The convention of their fenced blocks stands in `pages.py`: what `$ ` begins in ``console`` blocks is run by bash and
what is printed is compared (`...` where it is long or depends on the machine), captioned blocks are written to the file
of their caption, ``pycon`` blocks are one Python session. Plain ``python`` blocks belong to pages of `test_docs.py`.
"""

import re
from pathlib import Path

import pytest
from pages import Reader

from ucnp_abm import registry

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL, PUBLISHING = DOCS / "tutorial.md", DOCS / "publishing.md"
OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip takes the variable for its opposite: 0 means no isolation
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_QUIET": "1",
}

PAGE = """
```console
$ mkdir in
$ cd in
```
```{code-block} python
:caption: law.py

x = 1
y = 2
```
```{code-block} diff
:caption: law.py

 x = 1
-y = 2
+y = 3
```
```pycon
>>> from pathlib import Path
>>> text = Path("law.py").read_text()
```
```console
$ python -c "import law; print(law.x, law.y, 5)"
1 ... 5
```
```pycon
>>> text.split()[-1]
'3'
```
"""
SESSION = ["from pathlib import Path", 'text = Path("law.py").read_text()', "text.split()[-1]"]


def test_the_tutorial_does_what_it_says_with_25_lines_of_python(tmp_path):
    reader = Reader(tmp_path)
    with registry.beside([]):
        reader.follow(TUTORIAL)
    assert 15 < len(reader.written) <= 25, "\n".join(reader.written)
    assert "numba" not in "".join(reader.printed).lower()


@pytest.mark.slow
def test_the_page_on_publishing_does_what_it_says(tmp_path):
    pytest.importorskip("pip")
    site = str(tmp_path / "site")
    Reader(tmp_path, {**OFFLINE, "PIP_TARGET": site, "PYTHONPATH": site}).follow(PUBLISHING)


@pytest.mark.parametrize(("page", "most"), [(TUTORIAL, 2500), (PUBLISHING, 700)])
def test_a_page_is_short_and_its_reader_never_meets_the_compiler(page, most):
    text = page.read_text(encoding="utf-8")
    assert len(text.split()) <= most
    assert "numba" not in text.lower()


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("```console\n$ echo one two\none three\n```\n", "page.md, line 2: $ echo one two"),
        ("```console\n$ echo one\none\n$ echo two\n```\n", "page.md, line 4"),
        ("```console\n$ echo one; exit 3\none\n```\n", "page.md, line 2"),
        ("```console\n$ echo one\none\n[exit code 3]\n```\n", "page.md, line 2"),
        ("```console\n$ cd nowhere\n```\n", "page.md, line 2"),
        ("```console\necho one\n```\n", "begins with a command"),
        ("```pycon\n>>> 1 + 1\n3\n```\n", "Expected:\n    3"),
        ("```pycon\n>>> 1 / 0\n```\n", "ZeroDivisionError"),
        ("```{code-block} diff\n:caption: law.py\n\n-absent\n+present\n```\n", "0 places"),
        ("```python\nprint(1)\n```\n", "see pages.py"),
    ],
)
def test_what_a_page_says_and_is_not_so_is_found(page, said, tmp_path):
    (tmp_path / "page.md").write_text(page, encoding="utf-8")
    with pytest.raises(AssertionError, match=re.escape(said)):
        Reader(tmp_path).follow(tmp_path / "page.md")


def test_blocks_of_a_page_go_on_from_one_to_the_next(tmp_path):
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    reader = Reader(tmp_path)
    reader.follow(tmp_path / "page.md")
    assert reader.here == tmp_path / "in"
    assert reader.written == ["x = 1", "y = 2", "y = 3", *SESSION]
