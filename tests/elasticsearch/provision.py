"""The real Elasticsearch for tests: provided, started, shared by all that run at a time, stopped by the last.

    python tests/elasticsearch/provision.py start|stop|status [--version 9.5.3]

`start` prints address, authority file and password, and leaves the server running until `stop`.
"""

import argparse
import fcntl
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.elasticsearch import jdk, server
from tests.elasticsearch.distribution import DEFAULT_VERSION, SHA256, Distribution
from tests.elasticsearch.errors import ProvisionError

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "elasticsearch"


@contextmanager
def shared(version: str = DEFAULT_VERSION) -> Iterator[server.Server]:
    """The one server of a version that all test processes of this checkout share; the last to leave stops it.

    One that `start` left running is used and left running. Raises `ProvisionError`.
    """
    folder = _folder(version, "shared")
    users = folder.with_name(folder.name + ".users")
    users.parent.mkdir(parents=True, exist_ok=True)
    with users.open("w", encoding="utf-8") as inside:
        with _alone(folder):
            found = server.read(folder) or _start(version, folder)
            fcntl.flock(inside, fcntl.LOCK_SH)
        try:
            yield found
        finally:
            with _alone(folder):
                if not _kept(folder).exists() and _last(users, inside):
                    found.stop()


@contextmanager
def alone(name: str, version: str = DEFAULT_VERSION) -> Iterator[server.Server]:
    """A server for one test that breaks it. Raises `ProvisionError`."""
    started = _start(version, _folder(version, name))
    try:
        yield started
    finally:
        (server.read(Path(started.folder)) or started).stop()


def _start(version: str, folder: Path) -> server.Server:
    java = jdk.find()
    with _alone(CACHE / "run" / version):
        home = Distribution(CACHE, version).provide(java)
    return server.start(home, version, folder, java, lambda line: print(line, file=sys.stderr))


def _folder(version: str, name: str) -> Path:
    return CACHE / "run" / f"{version}-{name}"


def _kept(folder: Path) -> Path:
    return folder.with_name(folder.name + ".kept")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = folder.with_name(folder.name + ".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _last(users: Path, inside: object) -> bool:
    """Whether nobody else holds the users' lock once we let go of it."""
    fcntl.flock(inside, fcntl.LOCK_UN)  # type: ignore[arg-type]
    with users.open("w", encoding="utf-8") as probe:
        try:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def main(arguments: list[str]) -> int:
    """0 fine, 1 not possible here, 2 usage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("start", "stop", "status"))
    parser.add_argument("--version", default=DEFAULT_VERSION, choices=sorted(SHA256))
    options = parser.parse_args(arguments)
    folder = _folder(options.version, "shared")
    with _alone(folder):
        found = server.read(folder)
        if options.what == "stop":
            _kept(folder).unlink(missing_ok=True)
            if found:
                found.stop()
            print(f"Elasticsearch {options.version}: {'stopped' if found else 'was not running'}")
            return 0
        if options.what == "start":
            try:
                found = found or _start(options.version, folder)
            except ProvisionError as error:
                print(f"Elasticsearch {options.version}: {error}", file=sys.stderr)
                return 1
            _kept(folder).touch()
    if found is None:
        print(f"Elasticsearch {options.version}: not running")
        return 1
    print(json.dumps({"url": found.url, "ca": str(found.ca_file), "user": "elastic", "password": found.password}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
