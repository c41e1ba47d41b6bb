"""`make bench`: speed and memory beside peers run in the same minute, as ratios.

Rounds are interleaved (ours, peer, ours, peer), CPU seconds are user + system of the whole process tree, medians are
printed. A peer that is not there is named as absent and never replaced by a number. With ``--write`` the table goes
to ``docs/benchmarks.md`` with the machine and date.

  packets   `vigla-sensor events` on a large mixed capture against tshark and ndpiReader (Debian packages)
  sigma     JSON lines in, matches out: 2,407 Windows rules against rsigma 0.23.0
            (`cargo install --locked rsigma --version 0.23.0`)
  curve     the same by the number of rules, and what loading a pack costs by itself; starting Python is part of it
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("VIGLA_SHARED", ROOT.parent / "shared"))
CACHE = ROOT / ".cache" / "bench"
SIGMA_LINES = 200_000  # the corpus is repeated to at least so many, so that loading the rules does not decide


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process tree."""

    cpu: float  # seconds, user + system
    wall: float  # seconds
    peak: int  # bytes, largest resident set


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    command: Sequence[str]
    units: Callable[[], int]  # what one run processed: packets, events


def measure(command: Sequence[str]) -> Run:
    """Runs a command with its output read and thrown away; raises when it fails."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise RuntimeError(
                f"{command[0]} ended with {process.returncode}: {errors.read()[-500:].decode(errors='replace')}"
            )
    return Run(usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss * 1024)


def compare(title: str, unit: str, contenders: Sequence[Contender], rounds: int) -> list[str]:
    """Interleaved rounds after one warm-up; the first contender is ours. Returns table rows."""
    runs: dict[str, list[Run]] = {c.name: [] for c in contenders}
    for number in range(rounds + 1):
        for contender in contenders:
            result = measure(contender.command)
            if number:
                runs[contender.name].append(result)
            if sys.stderr.isatty():
                print(f"\r{title}: round {number}/{rounds} {contender.name:24}", end="", file=sys.stderr)
    ours = contenders[0].units() / statistics.median(r.cpu for r in runs[contenders[0].name])
    rows = []
    for contender in contenders:
        cpu = statistics.median(r.cpu for r in runs[contender.name])
        rate = contender.units() / cpu
        peak = statistics.median(r.peak for r in runs[contender.name]) / 1e6
        rows.append(f"| {title} | {contender.name} | {rate:,.0f} {unit}/CPU s | {peak:,.0f} MB | {ours / rate:.2f} |")
        print(
            f"\r{title:10} {contender.name:28} {rate:12,.0f} {unit}/CPU s  {cpu:7.2f} CPU s"
            f"  peak {peak:6,.0f} MB  ours / theirs {ours / rate:6.2f}"
        )
    return rows


def reference_capture() -> tuple[Path, int]:
    """The large mixed capture (always the same bytes) and its number of packets."""
    path = CACHE / "reference.pcap"
    manifest = path.with_name(path.name + ".json")
    if not manifest.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        inputs = [f"--input={SHARED / 'corpora' / name / 'traces'}:1" for name in ("zeek", "suricata-verify")]
        make = [sys.executable, str(SHARED / "bench" / "make_pcap.py"), "--out", str(path), *inputs]
        subprocess.run(
            [*make, "--packets", "1000000", "--bytes", "500000000", "--seed", "1"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return path, int(json.loads(manifest.read_text())["packets"])


def packets(rounds: int) -> list[str]:
    path, count = reference_capture()
    contenders = [
        Contender("vigla-sensor events", [sys.executable, "-m", "vigla_sensor", "events", str(path)], lambda: count)
    ]
    if reader := shutil.which("ndpiReader"):
        contenders.append(Contender("ndpiReader (labels only)", [reader, "-q", "-i", str(path)], lambda: count))
    else:
        print("packets    ndpiReader: absent (Debian package libndpi-bin)")
    rows = compare("packets", "packets", contenders, rounds)
    if tshark := shutil.which("tshark"):
        # tshark takes a minute and more for a million packets: one run over the first 200,000 is enough to tell.
        part, some = CACHE / "part.pcap", 200_000
        if not part.exists():
            subprocess.run([shutil.which("editcap") or "editcap", "-r", str(path), str(part), f"1-{some}"], check=True)
        fields = [
            tshark,
            "-n",
            "-r",
            str(part),
            "-T",
            "fields",
            "--disable-protocol",
            "json",
            "-e",
            "frame.time_epoch",
            "-e",
            "ip.src",
            "-e",
            "ip.dst",
        ]
        fields += ["-e", "dns.qry.name", "-e", "http.host", "-e", "tls.handshake.extensions_server_name"]
        ours = Contender(
            "vigla-sensor events (part)", [sys.executable, "-m", "vigla_sensor", "events", str(part)], lambda: some
        )
        rows += compare("packets", "packets", [ours, Contender("tshark fields (part)", fields, lambda: some)], 1)
    else:
        print("packets    tshark: absent (Debian package tshark)")
    return rows


def flattened(lines: Path) -> Path:
    """The corpus as rsigma wants it: one flat object a line, header and body merged (body first)."""
    flat = CACHE / "windows-flat.ndjson"
    if not flat.exists():
        with lines.open() as source, flat.open("w") as target:
            for line in source:
                event = json.loads(line)["Event"]
                out: dict[str, object] = {}

                def leaves(value: object, name: str, out: dict[str, object] = out) -> None:
                    if isinstance(value, dict):
                        for key, inner in value.items():
                            leaves(inner, name if key in ("#text", "#attributes") else key)
                    else:
                        out.setdefault(name.replace(" ", ""), value)

                for part in ("EventData", "UserData", "System"):
                    leaves(event.get(part), part)
                target.write(json.dumps(out) + "\n")
    return flat


MATCH = (
    "import sys, vigla_native as native; "
    "native.match_lines(open(sys.argv[1], 'rb').read(), sys.argv[2], sys.argv[3].encode(), 1)"
)


def windows_lines() -> Path:
    """The corpus' events, repeated to at least 200,000 lines."""
    CACHE.mkdir(parents=True, exist_ok=True)
    lines = CACHE / "windows.ndjson"
    if not lines.exists():
        import zstandard

        with (SHARED / "corpora" / "windows-events" / "events.jsonl.zst").open("rb") as packed, lines.open("wb") as out:
            # Streamed, never held: a started program's peak memory begins with that of the program that starts it.
            written = 0
            while written < SIGMA_LINES:
                packed.seek(0)
                for block in zstandard.ZstdDecompressor().read_to_iter(packed):
                    written += block.count(b"\n")
                    out.write(block)
    return lines


def compiled(pack: Path, *arguments: str) -> Path:
    """A pack made anew with the compiler of today; unchanged rules come from its cache."""
    cache = ["--cache", str(CACHE / "rules")]
    command = [sys.executable, "-m", "vigla_rules", "compile", *arguments, *cache, "-o", str(pack)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return pack


def matching(pack: Path, lines: Path) -> list[str]:
    """Our command: JSON lines in, matches out, loading included."""
    return [sys.executable, "-c", MATCH, str(pack), str(lines), '{"product": "windows"}']


def sigma(rounds: int, rsigma: str | None) -> list[str]:
    rules = SHARED / "corpora" / "sigmahq" / "rules" / "windows"
    lines = windows_lines()
    events = sum(1 for _ in lines.open("rb"))
    rows: list[str] = []
    for name, pipelines in (
        ("raw rules", []),
        ("pipelined rules", ["--pipeline", "sysmon", "--pipeline", "windows-logsource"]),
    ):
        pack = compiled(CACHE / f"windows-{name.split()[0]}.vpk", str(rules), *pipelines)
        contenders = [Contender(f"vigla ({name})", matching(pack, lines), lambda: events)]
        if rsigma and name == "raw rules":
            flat = flattened(lines)
            theirs = [rsigma, "engine", "eval", "-q", "-r", str(rules), "-e", f"@{flat}", "--output-format", "ndjson"]
            contenders.append(Contender("rsigma 0.23.0 (raw rules)", theirs, lambda: events))
        rows += compare("sigma", "events", contenders, rounds)
    if not rsigma:
        print("sigma      rsigma: absent (cargo install --locked rsigma --version 0.23.0, then --rsigma PATH)")
    return rows


def curve(rounds: int) -> list[str]:
    """What an event costs by the number of rules, and what loading a pack of them costs by itself."""
    lines, empty = windows_lines(), CACHE / "empty.ndjson"
    empty.write_bytes(b"")
    events = sum(1 for _ in lines.open("rb"))
    trees = sorted((SHARED / "corpora" / "sigmahq").glob("rules*"))
    windows = sorted((trees[0] / "windows").rglob("*.yml"))
    rows = []
    for wanted in (100, 500, 1_000, len(windows), None):
        if wanted is None:
            pack, title = compiled(CACHE / "all.vpk", *map(str, trees)), "all of SigmaHQ"
        else:
            with tempfile.TemporaryDirectory() as folder:
                for place in range(wanted):  # evenly over the tree, so that every kind of rule is among them
                    chosen = windows[place * len(windows) // wanted]
                    shutil.copy(chosen, Path(folder) / f"{place:05}.yml")
                pack, title = compiled(CACHE / f"windows-{wanted}.vpk", folder), f"{wanted:,} Windows rules"
        runs = [(measure(matching(pack, lines)), measure(matching(pack, empty))) for _ in range(rounds)]
        cpu, load = (statistics.median(run[kind].cpu for run in runs) for kind in (0, 1))
        peak, loaded = (statistics.median(run[kind].peak for run in runs) / 1e6 for kind in (0, 1))
        text = f"{events / cpu:,.0f} events/CPU s; {(cpu - load) / events * 1e6:.2f} µs an event beside loading"
        print(
            f"curve      {title:28} {text}; loaded in {load:.2f} CPU s, peak {peak:,.0f} MB ({loaded:,.0f} MB loaded)"
        )
        rows.append(
            f"| sigma, by rules | {title} | {text} | {peak:,.0f} MB | loaded in {load:.2f} CPU s, {loaded:,.0f} MB |"
        )
    return rows


def machine() -> str:
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown",
    )
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["packets", "sigma", "curve", []], help="default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rsigma", default=shutil.which("rsigma"), help="path of the peer's binary")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    arguments = parser.parse_args()
    if not (SHARED / "corpora").is_dir():
        print(
            f"{SHARED}/corpora is not there: the inputs are made from it; set VIGLA_SHARED to the folder that holds it",
            file=sys.stderr,
        )
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    rows: list[str] = []
    what = arguments.what or ["packets", "sigma", "curve"]
    if "packets" in what:
        rows += packets(arguments.rounds)
    if "sigma" in what:
        rows += sigma(arguments.rounds, arguments.rsigma)
    if "curve" in what:
        rows += curve(arguments.rounds)
    if arguments.write:
        today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
        head = (
            f"# Benchmarks\n\nWritten by `make bench BENCH=--write` on {today}: {machine()}.\n"
            f"Medians of {arguments.rounds} interleaved rounds.\n"
        )
        table = (
            "\n| what | program | rate | peak memory | ours / theirs |\n|---|---|---|---|---|\n"
            + "\n".join(rows)
            + "\n"
        )
        (ROOT / "docs" / "benchmarks.md").write_text(head + table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
