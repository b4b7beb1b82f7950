"""Pages of the documentation as their reader works through them: from top to bottom, in a directory that was empty.

What a page's fenced blocks mean:

- ``console``: lines that begin with ``$ `` are commands for bash, and what stands below each is what it prints, stdout
  and stderr. ``ucnp-abm`` and ``python`` are those of the environment that runs the tests. Every command must succeed,
  unless its last expected line is ``[exit code N]``. ``$ cd …`` holds for all that follows.
- ``{code-block} LANGUAGE`` with ``:caption: FILE``: the reader writes that file.
- ``{code-block} diff`` with ``:caption: FILE``: the reader takes out the lines with ``-`` and puts in those with ``+``;
  lines that begin with a space say where, and everything must be found exactly once.
- ``pycon``: the reader's Python session, one for the page, which goes on from block to block.

Printed text is compared as by doctest with ELLIPSIS and NORMALIZE_WHITESPACE. Blocks of other languages are only read;
a plain ``python`` block is refused, because `test_docs.py` would run it too, elsewhere.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^```(?P<language>[^\n`]+)\n(?P<text>.*?)^```$", flags=re.DOTALL | re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
EXIT = re.compile(r"\[exit code (\d+)\]")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, caption, text and the line of the page on which its text begins."""

    language: str
    caption: str
    text: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """All fenced blocks of a page."""
    for found in FENCE.finditer(text):
        language = found["language"].removeprefix("{code-block} ").strip()
        caption, body = "", found["text"]
        if body.startswith(":caption:"):
            first, _, body = body.partition("\n")
            caption, body = first.removeprefix(":caption:").strip(), body.removeprefix("\n")
        yield Block(language, caption, body, text.count("\n", 0, found.start()) + 2)


def commands(block: Block) -> Iterator[tuple[str, str, int]]:
    """Each command of a console block, what it should print, and its line of the page."""
    lines = block.text.splitlines(keepends=True)
    assert lines[0].startswith("$ "), f"line {block.line}: a console block begins with a command"
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for begin, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield lines[begin][2:].strip(), "".join(lines[begin + 1 : end]), block.line + begin


def shown(page: Path, command: str) -> str:
    """What a page shows below a command."""
    consoles = [block for block in blocks(page.read_text(encoding="utf-8")) if block.language == "console"]
    (text,) = [expected for block in consoles for one, expected, _ in commands(block) if one == command]
    return text


def edited(text: str, diff: str) -> str:
    """A text with the changes of a diff block, whose context stands in it exactly once."""
    lines = [line if line.strip() else " \n" for line in diff.splitlines(keepends=True)]
    old, new = ("".join(line[1:] for line in lines if line[0] in which) for which in (" -", " +"))
    assert text.count(old) == 1, f"{text.count(old)} places for\n{diff}"
    return text.replace(old, new)


@dataclass
class Reader:
    """Who works through a page.

    Attributes
    ----------
    here : Path
        Where the reader is.
    environment : dict
        Variables of the commands besides those of this process.
    written : list of str
        Lines of Python that the reader wrote: those that a file did not have before, and those of the session.
    printed : list of str
        What the commands printed.
    """

    here: Path
    environment: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)

    def follow(self, page: Path) -> None:
        """Do what a page says; AssertionError with the page's line where something else comes out."""
        space: dict[str, object] = {}
        for block in blocks(page.read_text(encoding="utf-8")):
            assert block.language != "python" or block.caption, f"{page.name}, line {block.line}: see pages.py"
            if block.language == "console":
                for command, expected, line in commands(block):
                    self._command(command, expected, f"{page.name}, line {line}")
            elif block.language == "pycon":
                self._session(block, space, page.name)
            elif block.caption:
                self._write(block)

    def _command(self, command: str, expected: str, where: str) -> None:
        if command.startswith("cd "):
            self.here = self.here / shlex.split(command)[1]
            assert self.here.is_dir(), where
            return
        scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.here,
            env={**os.environ, "PATH": scripts, "COLUMNS": "80", **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        self.printed.append(done.stdout)
        code = EXIT.search(expected)
        assert done.returncode == (int(code[1]) if code else 0), f"{where}: $ {command}\n{done.stdout}"
        compare(EXIT.sub("", expected), done.stdout, f"{where}: $ {command}")

    def _session(self, block: Block, space: dict[str, object], page: str) -> None:
        test = doctest.DocTestParser().get_doctest(block.text, space, page, page, block.line - 1)
        self.written += [line for example in test.examples for line in example.source.splitlines()]
        said: list[str] = []
        runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
        before = Path.cwd()
        os.chdir(self.here)
        try:
            failed = runner.run(test, out=said.append, clear_globs=False).failed
        finally:
            os.chdir(before)
        space.update(test.globs)
        assert not failed, "".join(said)

    def _write(self, block: Block) -> None:
        file = self.here / block.caption
        old = file.read_text(encoding="utf-8") if file.exists() else ""
        new = edited(old, block.text) if block.language == "diff" else block.text
        if file.suffix == ".py":
            known = set(old.splitlines())
            self.written += [line for line in new.splitlines() if line.strip() and line not in known]
        file.write_text(new, encoding="utf-8")


def compare(expected: str, printed: str, where: str) -> None:
    """Printed text is what is expected, blank lines and `...` apart."""
    checker = doctest.OutputChecker()
    if not checker.check_output(expected, printed, FLAGS):
        example = doctest.Example("", expected)
        difference = checker.output_difference(example, printed, FLAGS)
        raise AssertionError(f"{where}\n{difference}")
