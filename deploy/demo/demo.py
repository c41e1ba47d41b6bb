"""`make demo`: four towns, one real sensor process each, and a console on 127.0.0.1 to look at what they found.

Composes the traffic and logs (deterministic for a given hour), starts the console, replays each town through
``vigla-sensor replay`` with the hub as its sink, prints the address and the two log-ins, and waits. Ctrl-C, or the end
of any part, ends everything that was started.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import datetime
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STARTUP = 60.0  # seconds the console may take to answer


class DemoError(Exception):
    """A part of the demo did not do its work; the text says which and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Town:
    """One municipality's inputs and the sensor that reads them."""

    tenant: str
    name: str
    inputs: tuple[Path, ...]
    lists: dict[str, list[str]]

    @property
    def sensor(self) -> str:
        return f"{self.tenant}-1"


def say(text: str) -> None:
    print(text, flush=True)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Says what is going on, and how long it took."""
    print(f"  {text} ...", end="", flush=True)
    began = time.monotonic()
    yield
    print(f" {time.monotonic() - began:.1f} s", flush=True)


def free_port(wanted: int) -> int:
    """The wanted port of 127.0.0.1 if it is free, else any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError("no free port on 127.0.0.1")


def last_lines(log: Path, count: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


class Processes:
    """What the demo started. Leaving the block ends all of it, gently first."""

    def __init__(self) -> None:
        self.running: list[tuple[str, subprocess.Popen[bytes], Path]] = []

    def __enter__(self) -> Processes:
        return self

    def start(self, name: str, command: Sequence[str], log: Path, *, extra: dict[str, str] | None = None) -> None:
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, **(extra or {})},
                start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends its parts in order
            )
        self.running.append((name, process, log))

    def finished(self, name: str) -> bool:
        """Whether the part has ended well; raises when it ended otherwise."""
        for other, process, log in self.running:
            if other == name:
                code = process.poll()
                if code not in (None, 0):
                    raise DemoError(f"{name} ended with exit code {code}; the end of {log}:\n{last_lines(log)}")
                return code == 0
        raise KeyError(name)

    def __exit__(self, *_: object) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            alive = [p for _, p, _ in self.running if p.poll() is None]
            for process in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            deadline = time.monotonic() + 10
            for process in alive:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, deadline - time.monotonic()))


def compose(folder: Path, now: datetime.datetime) -> list[Town]:
    """Makes the towns' captures and logs, unless those of this hour are there already."""
    manifest = folder / "manifest.json"
    stamp = folder / "composed"
    sources = sorted(HERE.glob("*.py"))
    fresh = f"{now.isoformat()} {max(s.stat().st_mtime_ns for s in sources)}"
    if not (manifest.exists() and stamp.exists() and stamp.read_text() == fresh):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, str(HERE / "compose.py"), str(folder), "--now", now.isoformat()], check=True)
        stamp.write_text(fresh)
    towns = json.loads(manifest.read_text())["towns"]
    with (ROOT / "console" / "vigla_console" / "tenants" / "data" / "municipalities.csv").open() as directory:
        names = {row["id"]: f"Δήμος {row['name_el_genitive']}" for row in csv.DictReader(directory)}
    return [
        Town(
            tenant,
            names[tenant],
            tuple(sorted(p for p in (folder / tenant).rglob("*") if p.is_file())),
            town["lists"],
        )
        for tenant, town in sorted(towns.items())
    ]


def wait_for(address: str, processes: Processes) -> None:
    deadline = time.monotonic() + STARTUP
    while time.monotonic() < deadline:
        processes.finished("console")
        try:
            with urllib.request.urlopen(f"{address}/login", timeout=2):  # noqa: S310  our own loopback address
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise DemoError(f"the console did not answer on {address} within {STARTUP:.0f} s")


def sensor_config(town: Town, data: Path, address: str, credential: Path, pack: Path) -> Path:
    """A complete sensor configuration, as an operator would write it."""
    state = data / "sensors" / town.sensor
    state.mkdir(parents=True, exist_ok=True)
    (state / "live.log").touch()
    path = state / "sensor.toml"
    path.write_text(
        (HERE / "sensor.toml.in")
        .read_text()
        .format(
            sensor=town.sensor,
            tenant=town.tenant,
            name=town.name,
            pack=pack,
            lists="\n".join(f"{name} = {json.dumps(values)}" for name, values in sorted(town.lists.items())),
            state=state,
            hub=address,
            credential=credential,
        )
    )
    return path


def run(arguments: argparse.Namespace) -> int:
    data: Path = arguments.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(tz=datetime.UTC).replace(minute=0, second=0, microsecond=0)
    with step("composing traffic and logs of four towns"):
        towns = compose(data / "towns", now)
    hub = data / "hub"
    for old in (hub, data / "sensors"):  # a demo starts from nothing, so that it shows the same each time
        shutil.rmtree(old, ignore_errors=True)
    hub.mkdir()
    port = free_port(arguments.port)
    address = f"http://127.0.0.1:{port}"
    logs = data / "logs"
    logs.mkdir(exist_ok=True)
    with Processes() as processes:
        with step("starting the console"):
            console = [sys.executable, "-m", "vigla_console", "demo", "--data", str(hub), "--port", str(port)]
            processes.start("console", [*console, "--pack", str(arguments.pack)], logs / "console.log")
            wait_for(address, processes)
        with step(f"{len(towns)} sensors at work: {', '.join(t.sensor for t in towns)}"):
            for town in towns:
                config = sensor_config(town, data, address, hub / "credentials" / town.sensor, arguments.pack.resolve())
                command = [sys.executable, "-m", "vigla_sensor", "replay", "--config", str(config)]
                paths = [str(p) for p in town.inputs]
                processes.start(
                    town.sensor, [*command, "--pack", str(arguments.pack), *paths], logs / f"{town.sensor}.log"
                )
            waiting = {town.sensor for town in towns}
            while waiting:
                waiting = {name for name in waiting if not processes.finished(name)}
                processes.finished("console")
                time.sleep(0.1)
        for town in towns:  # what was recorded is told; from here on each follows a log file, as in a town hall
            command = [sys.executable, "-m", "vigla_sensor", "run", "--config"]
            config = data / "sensors" / town.sensor / "sensor.toml"
            processes.start(f"{town.sensor} (live)", [*command, str(config)], logs / f"{town.sensor}-live.log")
        say("")
        say((hub / "logins.txt").read_text().rstrip())
        say(f"\n  {address}\n")
        if arguments.once:
            return 0
        say(f"  Lines appended to {data}/sensors/TOWN-1/live.log are read as they come.")
        say("  Ctrl-C ends the demo.")
        while True:
            for name in ("console", *(f"{town.sensor} (live)" for town in towns)):
                if processes.finished(name):
                    raise DemoError(f"{name} ended by itself; see {logs}")
            time.sleep(0.5)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=ROOT / ".demo", help="where the demo keeps everything it makes")
    parser.add_argument("--port", type=int, default=8443, help="taken if free, else another (default 8443)")
    parser.add_argument("--once", action="store_true", help="end after the sensors have delivered (for tests)")
    for sign in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # also where a shell started us in the background and SIGINT is ignored
        signal.signal(sign, signal.default_int_handler)
    try:
        return run(parser.parse_args())
    except KeyboardInterrupt:
        say("\n  ended.")
        return 0
    except (DemoError, subprocess.CalledProcessError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
