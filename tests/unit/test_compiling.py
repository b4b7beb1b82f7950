"""A compiled loop notices a change in any kernel file, though numba's cache looks at the file of the loop alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ucnp_abm.kernels
from ucnp_abm.kernels import compiling, events

SOURCE = Path(ucnp_abm.kernels.__file__).parent
LOOPS = """
import json
import numpy as np
from copied.compiling import compiled, text_of_all
from copied.random_words import unit

def make(text):
    @compiled
    def knowing(word):
        text
        return unit(word)
    return knowing

@compiled
def unknowing(word):
    return unit(word)

knowing, word = make(text_of_all()), np.uint64(1 << 63)
found = {"knowing": knowing(word), "unknowing": unknowing(word)}
found["compiled anew"] = [name for name in ("knowing", "unknowing") if globals()[name].stats.cache_misses]
print(json.dumps(found))
"""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The kernels under another name, and two small loops of theirs."""
    target = tmp_path / "copied"
    shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns("__pycache__"))
    for file in target.glob("*.py"):
        file.write_text(file.read_text(encoding="utf-8").replace("ucnp_abm.kernels", "copied"), encoding="utf-8")
    (target / "loops.py").write_text(LOOPS, encoding="utf-8")
    return target


def run(copied: Path) -> dict[str, object]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "PYTHONPATH"))}
    done = subprocess.run(
        [sys.executable, "-c", "import copied.loops"],
        cwd=copied.parent,
        env={**environment, "PYTHONPATH": str(copied.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1
    file.write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.slow
def test_a_changed_helper_in_another_file_changes_the_compiled_loop(copied: Path) -> None:
    first = run(copied)
    assert first == {"knowing": 0.5, "unknowing": 0.5, "compiled anew": ["knowing", "unknowing"]}
    assert run(copied) == {**first, "compiled anew": []}
    change(copied / "random_words.py", "1.1102230246251565e-16", "2.220446049250313e-16")
    assert run(copied) == {"knowing": 1.0, "unknowing": 0.5, "compiled anew": ["knowing"]}  # the other has gone stale


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted(file.name for file in SOURCE.glob("*.py")))
def test_a_change_in_any_kernel_file_compiles_anew(copied: Path, file: str) -> None:
    run(copied)
    with (copied / file).open("a", encoding="utf-8") as text:
        text.write("\n# another line\n")
    anew = run(copied)["compiled anew"]
    assert isinstance(anew, list)
    assert "knowing" in anew


def test_the_hash_knows_every_kernel_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in SOURCE.glob("*.py"):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(compiling, "__file__", str(tmp_path / "compiling.py"))
    hashes = {compiling.text_of_all()}
    for n, file in enumerate(sorted(tmp_path.glob("*.py")), 1):
        file.write_bytes(file.read_bytes() + b"#")
        hashes.add(compiling.text_of_all())
        assert len(hashes) == 1 + n


def test_all_loops_of_the_engine_close_over_one_hash_of_all_files() -> None:
    plain = [getattr(loop, "py_func", loop) for loop in (events.advance, events.retreat, events.total_rate)]
    held = [[cell.cell_contents for cell in loop.__closure__] for loop in plain]
    assert len({hashes for [hashes] in held}) == 1
    assert len(held[0][0]) == len(compiling.text_of_all()) == 64


def test_a_product_of_two_words_is_exact_in_the_plain_text() -> None:
    for a, b in ((0, 0), (2**64 - 1, 2**64 - 1), (2**63, 2), (0xD2E7470EE14C6C93, 12345678901234567)):
        high, low = compiling.multiply(np.uint64(a), np.uint64(b))
        assert (int(high) << 64) + int(low) == a * b
