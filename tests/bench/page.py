"""The tables of docs/speed.md, from measurements made now. For a machine with nothing else to do; about 20 minutes.

python tests/bench/page.py                    everything
python tests/bench/page.py loop parts         some of it: loop, parts, crossover, waits, memory, soak, agents
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import crossover
import parts

from ucnp_abm.study import throughput

HERE = Path(__file__).parent
SIZES = ("7k", "64k", "512k", "4M")


def say(*lines):
    print(*lines, sep="\n", flush=True)


def loop():
    """Events per CPU second of all workloads, and how flat they are."""
    found = {}
    say(
        "| workload | sites | vacancies | scheduler | M events/s | acceptance | M candidates/s | B/site |",
        "|---|---|---|---|---|---|---|---|",
    )
    for workload in throughput.WORKLOADS:
        m = found[workload.name] = throughput.measure(workload)
        say(
            f"| {m.workload} | {m.sites} | {m.vacancies} | {m.scheduler} | {m.events_per_s / 1e6:.2f} "
            f"| {100 * m.acceptance:.1f} % | {m.candidates_per_s / 1e6:.1f} | {m.bytes_per_site:.1f} |"
        )
    say("", "| workload | 7k | 64k | 512k | 4M | 7k / 512k | 7k / 4M |", "|---|---|---|---|---|---|---|")
    for what in ("equal rates", "four species", "neighbour energies"):
        numbers = [found[f"{what}, {size}"].events_per_s / 1e6 for size in SIZES]
        ratios = (numbers[0] / numbers[2], numbers[0] / numbers[3])
        say(
            f"| {what} | "
            + " | ".join(f"{n:.1f}" for n in numbers)
            + " | "
            + " | ".join(f"{r:.2f}" for r in ratios)
            + " |"
        )


def pieces():
    """The parts of one candidate."""
    sizes = ("7k", "4M")
    say("| ns of CPU for one candidate, four species | " + " | ".join(sizes) + " |", "|---|" + "---|" * len(sizes))
    for name, numbers in parts.measure(sizes).items():
        say(f"| {name} | " + " | ".join(f"{n:.1f}" for n in numbers) + " |")


def crossing():
    """Rejection against the sum tree."""
    found = crossover.measure(say)
    say("", "| law reads | lattice | sites | equally fast at an acceptance of |", "|---|---|---|---|")
    for (law, lattice, size), acceptance in found.items():
        say(f"| {law} | {lattice} | {size} | {'-' if acceptance is None else f'{acceptance:.3f}'} |")


def waits():
    """What pytest-benchmark measures besides the loop, and the first event of an edited plugin."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speed.json"
        command = [sys.executable, "-m", "pytest", str(HERE / "test_speed.py"), "-n", "0", "-q", "-k", "not event_loop"]
        subprocess.run(
            [*command, f"--benchmark-json={file}"], check=True, stdout=subprocess.DEVNULL, cwd=HERE.parents[1]
        )
        measured = json.loads(file.read_text())["benchmarks"]
    say("| what | fastest | median | rounds |", "|---|---|---|---|")
    for one in measured:
        name, numbers = one["name"].removeprefix("test_").replace("_", " "), one["stats"]
        say(f"| {name} | {1e3 * numbers['min']:.3g} ms | {1e3 * numbers['median']:.3g} ms | {numbers['rounds']} |")
    script("first_event.py")


def script(name, *words):
    """The words of another script, as they are."""
    done = subprocess.run([sys.executable, str(HERE / name), *words], capture_output=True, text=True, check=False)
    say("", f"```text\n$ python tests/bench/{' '.join((name, *words))}\n{done.stdout.strip()}\n```")
    if done.returncode:
        say(f"{name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")


SECTIONS = {
    "loop": loop,
    "parts": pieces,
    "crossover": crossing,
    "waits": waits,
    "memory": lambda: script("memory.py"),
    "soak": lambda: script("soak.py"),
    "agents": lambda: script("agents.py"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], default=[])
    sections = parser.parse_args().sections or SECTIONS
    say("; ".join(f"{key} {value}" for key, value in throughput.machine().items()))
    for name in sections:
        say("", f"## {name}", "")
        SECTIONS[name]()


if __name__ == "__main__":
    main()
