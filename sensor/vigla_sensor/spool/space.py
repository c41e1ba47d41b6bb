"""How much the spool's files take and how much they may take; the ballast that makes room to tidy up on a full disk."""

import errno
import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from vigla_sensor.spool.model import Limits


def is_full(error: sqlite3.Error) -> bool:
    """Whether SQLite failed for lack of room. A size limit (`EFBIG`) shows as a write error, not as `FULL`."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code == sqlite3.SQLITE_FULL or (code & 0xFF == sqlite3.SQLITE_IOERR and code != sqlite3.SQLITE_IOERR_READ)


def is_corrupt(error: sqlite3.Error) -> bool:
    """Whether the file itself cannot be trusted."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class Space:
    """Measures the files of one spool."""

    path: Path
    limits: Limits

    def used(self, connection: sqlite3.Connection) -> int:
        """Bytes of pages in use and of the log. Free pages do not count: they are used before the file grows."""
        page_size, pages, free = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_size", "page_count", "freelist_count")
        )
        return (pages - free) * page_size + self.log_bytes()

    def log_bytes(self) -> int:
        try:
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def allowed(self) -> int:
        """`max_bytes`, or less where the disk is short: what is missing to `min_free_bytes` is given back.

        An eighth of `max_bytes` is kept all the same: what others write to the disk must not empty the spool.
        """
        short = self.limits.min_free_bytes - shutil.disk_usage(self.path.parent).free
        return min(self.limits.max_bytes, max(self.limits.max_bytes // 8, self.file_bytes() - short))

    def file_bytes(self) -> int:
        return self.path.stat().st_size + self.log_bytes()

    @property
    def ballast(self) -> Path:
        return self.path.with_name(self.path.name + ".ballast")

    def lay_ballast(self) -> None:
        """Reserves real blocks. On a disk that has no room there is simply none."""
        if self.limits.ballast_bytes == 0 or self.ballast.exists():
            return
        if shutil.disk_usage(self.path.parent).free < self.limits.min_free_bytes + self.limits.ballast_bytes:
            return
        handle = os.open(self.ballast, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, self.limits.ballast_bytes)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EINVAL, errno.EOPNOTSUPP):
                raise
            self.drop_ballast()
        finally:
            os.close(handle)

    def drop_ballast(self) -> None:
        self.ballast.unlink(missing_ok=True)
