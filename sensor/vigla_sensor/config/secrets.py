"""References to secrets: a file or a systemd credential, never the secret itself."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SecretRef:
    """`file:/path` or `systemd:name` (a credential of the service, `LoadCredential=`)."""

    kind: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "SecretRef":
        """Reads the reference; `ValueError` says what it must look like. A secret written inline is refused."""
        kind, separator, name = text.partition(":")
        if not separator or kind not in ("file", "systemd") or not name:
            raise ValueError('must be "file:/path/to/secret" or "systemd:name"; a secret never stands in this file')
        if kind == "systemd" and "/" in name:
            raise ValueError(f"the systemd credential {name!r} must be a plain name")
        return cls(kind, name)

    @property
    def path(self) -> Path:
        """The file that holds it; of a systemd credential, below `$CREDENTIALS_DIRECTORY`."""
        if self.kind == "file":
            return Path(self.name)
        return Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials/vigla-sensor.service")) / self.name

    def read(self) -> str:
        """The secret, without surrounding white space. Read anew each time: a replaced key needs no restart.

        Raises `OSError` where the file cannot be read and `ValueError` where it is empty or not one line of ASCII.
        """
        secret = self.path.read_text(encoding="utf-8").strip()
        if not secret or not secret.isascii() or len(secret.split()) != 1:
            raise ValueError(f"{self.path} must hold one credential, ASCII, on one line")
        return secret

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"
