"""The cache on disk: one SQLite file in a folder that nobody else can write to.

Whatever is wrong with it (damaged, full, read-only, somebody else's) is a warning and costs time, never a wrong pack:
each entry carries a hash over its key and content, and what does not decode is compiled again.
"""

import hashlib
import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path

FILE = "drafts-1.sqlite"
MAX_BYTES = 256 << 20
_PAGE = 4096
_BATCH = 500
_WAIT_SECONDS = 5.0
_SCHEMA = "CREATE TABLE IF NOT EXISTS drafts (key BLOB PRIMARY KEY, digest BLOB NOT NULL, content BLOB NOT NULL)"
Warn = Callable[[str], None]


class DraftCache:
    """Content by key. Never raises: ``warn`` is told once, and the cache is left alone from then on."""

    def __init__(self, folder: Path, warn: Warn, *, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._warn = warn
        self._off = False

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The contents that are there and whole."""
        wanted = list(keys)
        found: dict[bytes, bytes] = {}

        def read(database: sqlite3.Connection) -> None:
            for at in range(0, len(wanted), _BATCH):
                some = wanted[at : at + _BATCH]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, digest, content FROM drafts WHERE key IN ({marks})"  # noqa: S608  # marks only
                for key, digest, content in database.execute(query, some):
                    if isinstance(content, bytes) and digest == _digest(key, content):
                        found[key] = content
                    else:
                        self.complain("an entry is damaged")

        self._with(read)
        return found

    def put(self, contents: Mapping[bytes, bytes]) -> None:
        """Adds entries, in one transaction; when the file is at its limit everything older goes first."""
        rows = [(key, _digest(key, content), content) for key, content in contents.items()]

        def write(database: sqlite3.Connection) -> None:
            insert = "INSERT OR REPLACE INTO drafts VALUES (?, ?, ?)"
            try:
                with database:
                    database.executemany(insert, rows)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_FULL":
                    raise
                with database:
                    database.execute("DELETE FROM drafts")
                with database:
                    database.executemany(insert, rows)

        if rows:
            self._with(write)

    def complain(self, what: str) -> None:
        """Says once what is wrong; a damaged file is put away so that the next run starts anew."""
        if not self._off:
            self._off = True
            self._warn(f"cache {self.folder}: {what}; compiling without it (`--no-cache` says nothing)")

    def _with(self, work: Callable[[sqlite3.Connection], None]) -> None:
        if self._off:
            return
        try:
            _private(self.folder)
            with closing(self._open()) as database:
                work(database)
        except sqlite3.DatabaseError as error:
            self.complain(str(error))
            if not isinstance(error, sqlite3.OperationalError):  # no database: it would be in the way for ever
                (self.folder / FILE).unlink(missing_ok=True)
        except (OSError, ValueError) as error:
            self.complain(str(error))

    def _open(self) -> sqlite3.Connection:
        path = self.folder / FILE
        if path.is_symlink():
            raise ValueError(f"{FILE} is a link")
        database = sqlite3.connect(path, timeout=_WAIT_SECONDS)
        database.execute(f"PRAGMA max_page_count = {max(self.max_bytes // _PAGE, 8)}")
        database.execute("PRAGMA synchronous = OFF")  # a crash costs the cache, and its hashes tell
        database.execute(_SCHEMA)
        return database


def user_cache() -> Path:
    """The platform's folder for caches of this user, and ours in it."""
    home = Path.home()
    if sys.platform == "darwin":
        base = home / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "vigla-rules"


def _private(folder: Path) -> None:
    """Makes the folder, or raises ``ValueError`` where somebody else could write into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode):
        raise ValueError("is no directory of its own")
    if os.name == "posix" and (seen.st_uid != os.geteuid() or seen.st_mode & 0o022):
        raise ValueError("others can write to it (chmod 700)")


def _digest(key: bytes, content: bytes) -> bytes:
    return hashlib.sha256(key + content).digest()
