"""`make corpora`: every capture of a folder through the real sensor, and the share of other engines' expectations that
it meets.

First every capture alone through ``vigla-sensor events``, bounded in time and memory: files, packets, events, and
which did not pass. Then ``score.py`` of the corpora (kept beside the project, never in it) compares the records with
``cases.json``: Zeek's own lines, and Suricata's EVE records by way of ``tests/replay/eve.py``. Then the Sigma part
(``sigma_corpora.py``), which ``--sigma`` runs alone. The last line holds the figures. Exit 1 when a capture crashed,
hung or outgrew its memory, or a Sigma answer differs.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))  # `tests` is no installed package

from tests.bench import sigma_corpora  # noqa: E402

MEMORY = 1 << 30  # bytes of address space beyond which a capture counts as growth
TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Passed:
    """What one capture gave."""

    path: Path
    events: Counter[str] = field(default_factory=Counter)
    packets: int = 0
    fault: str | None = None


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY, 4 * MEMORY))


def run(path: Path) -> Passed:
    """One capture through `events --json`, whose last line on standard error holds the counters."""
    command = [sys.executable, "-m", "vigla_sensor", "events", str(path), "--json"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, preexec_fn=bounded, check=False)
    except subprocess.TimeoutExpired:
        return Passed(path, fault=f"hung: no end within {TIMEOUT:.0f} s")
    if done.returncode not in (0, 1):
        return Passed(path, fault=f"exit {done.returncode}: {done.stderr[-300:].decode(errors='replace').strip()}")
    if done.returncode == 1:  # refused with a reason: a link type or a file that is no capture
        return Passed(path, Counter(refused=1), fault=None)
    events: Counter[str] = Counter()
    for line in done.stdout.splitlines():
        events[json.loads(line)["_path"]] += 1
    try:
        packets = int(json.loads(done.stderr.splitlines()[-1]).get("capture.packets", 0))
    except (ValueError, IndexError):
        packets = 0
    return Passed(path, events, packets)


def captures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def score(kind: str, folder: Path, command: str, misses: Path) -> str:
    done = subprocess.run(
        [
            sys.executable,
            str(folder.parent.parent / "bench" / "score.py"),
            kind,
            str(folder),
            "--run",
            command,
            "--list",
            str(misses),
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, help="a folder that holds zeek/ and suricata-verify/")
    parser.add_argument("--short", action="store_true", help="the captures only, without the comparison")
    parser.add_argument("--sigma", action="store_true", help="the Sigma part only")
    arguments = parser.parse_args()
    faults: list[str] = []
    figures: list[str] = []
    if not arguments.sigma and (code := captures_part(arguments.corpora, arguments.short, faults, figures)):
        return code
    sigma_faults = 0
    if arguments.sigma or not arguments.short:
        sigma_figures, sigma_faults = sigma_corpora.run(arguments.corpora.resolve())
        figures += sigma_figures
    print(f"corpora: {'; '.join(figures)}; faults {len(faults) + sigma_faults}")
    return 1 if faults or sigma_faults else 0


def captures_part(corpora: Path, short: bool, faults: list[str], figures: list[str]) -> int:
    """Captures through ``events``; adds to both lists, and answers 2 when the folder holds none."""
    folders = [f for f in (corpora / "zeek", corpora / "suricata-verify") if f.is_dir()]
    if not folders:
        print(f"{corpora}: no zeek/ or suricata-verify/ in it; give the folder as CORPORA=PATH", file=sys.stderr)
        return 2
    for folder in folders:
        paths = captures(folder / "traces")
        events: Counter[str] = Counter()
        packets, began = 0, time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for n, passed in enumerate(pool.map(run, paths), 1):
                events += passed.events
                packets += passed.packets
                if passed.fault:
                    faults.append(f"{passed.path.relative_to(folder)}: {passed.fault}")
                if sys.stderr.isatty():
                    print(f"\r{folder.name}: {n}/{len(paths)}", end="", file=sys.stderr)
        refused = events.pop("refused", 0)
        print(
            f"\n{folder.name}: {len(paths)} captures in {time.monotonic() - began:.0f} s, {packets} packets, "
            f"{sum(events.values())} events, {refused} refused"
        )
        print("  " + "  ".join(f"{path} {n}" for path, n in events.most_common()))
        figures.append(f"{folder.name} {len(paths)} captures")
    for fault in faults:
        print(f"FAULT {fault}")
    if not short:
        (ROOT / ".cache").mkdir(exist_ok=True)
        commands = {
            "zeek": ("zeek", f"{sys.executable} -m vigla_sensor events {{trace}}"),
            "suricata-verify": ("eve", f"{sys.executable} {HERE.parent / 'replay' / 'eve.py'} {{trace}}"),
        }
        for folder in folders:
            kind, command = commands[folder.name]
            text = score(kind, folder, command, ROOT / ".cache" / f"misses-{folder.name}.txt")
            wanted = (
                "conn ",
                "dhcp ",
                "dns ",
                "ftp ",
                "http ",
                "kerberos ",
                "krb5 ",
                "ldap ",
                "smtp ",
                "snmp ",
                "ssh ",
                "ssl ",
                "tls ",
                "flow ",
                "all ",
                "cases ",
            )
            print(f"{folder.name} against cases.json (misses: .cache/misses-{folder.name}.txt)")
            for line in text.splitlines():
                if line.startswith(wanted):
                    print("  " + line)
                    if line.startswith("all "):
                        figures.append(f"{folder.name} {' '.join(line.split())}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
