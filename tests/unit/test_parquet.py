"""Tables as Parquet hold what the CSV files hold, with types."""

import csv

import pytest

from ucnp_abm import load_study

parquet = pytest.importorskip("pyarrow.parquet")
STUDY = {
    "study": {"mechanisms": ["no-complex", "y-complex"], "replicates": 2},
    "particle": {"core": "NaGdF4: 49% Yb", "diameter": "2.4 nm", "shell": "NaYF4", "thickness": "0.8 nm"},
    "anneal": {"steps": 10},
    "vary": {"particle.thickness": ["0.8 nm", "1.2 nm"]},
}


@pytest.mark.parametrize("name", ["table", "runs"])
def test_parquet_holds_what_csv_holds(name, tmp_path, monkeypatch):
    monkeypatch.setattr("ucnp_abm.viz.figures.save", lambda figure, path: figure.savefig(f"{path}.png", dpi=20))
    out = load_study(STUDY).run(jobs=1, progress=False).report(tmp_path / "report")
    with (out / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    read = parquet.read_table(out / f"{name}.parquet").to_pylist()
    assert len(read) == len(written) > 0
    assert list(read[0]) == list(written[0])
    for typed, texts in zip(read, written, strict=True):
        for column, value in typed.items():
            text = texts[column]
            assert (
                text == ("" if value is None else value)
                if not isinstance(value, (int, float))
                else float(text) == value
            )
    numbers = [row["outside_core_pct"] for row in read]
    assert all(isinstance(number, float) for number in numbers)
