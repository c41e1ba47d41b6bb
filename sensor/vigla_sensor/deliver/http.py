"""HTTP for the hub sink and the heartbeat: one request, one reply or one declared fault. No retry, no redirects."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from vigla_sensor.deliver.answers import Silence

MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer that are read: 500 results with reasons are a tenth of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fault(Exception):
    """No complete answer came."""

    def __init__(self, why: Silence, detail: str) -> None:
        super().__init__(f"{why.value}: {detail}")
        self.why, self.detail = why, detail


class Transport(Protocol):
    """Injected, so that tests can cut, swap and kill."""

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Raises `Fault`."""
        ...

    def close(self) -> None:
        """Ends its connections."""
        ...


class HttpTransport:
    """Over TLS with verification, always; plain HTTP only to loopback (the configuration refuses others)."""

    def __init__(self, url: str, ca_file: Path | None, timeout: float) -> None:
        """Raises `OSError` or `ssl.SSLError` where the authority file cannot be read."""
        verify = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self._client = httpx.Client(
            base_url=url, verify=verify, timeout=timeout, follow_redirects=False, trust_env=False
        )

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        try:
            with self._client.stream("POST", path, content=body, headers=dict(headers)) as response:
                parts, size = [], 0
                for part in response.iter_bytes():
                    parts.append(part)
                    size += len(part)
                    if size > MAX_ANSWER:
                        raise Fault(Silence.BROKEN, f"the answer is longer than {MAX_ANSWER} bytes")
                return Reply(response.status_code, dict(response.headers), b"".join(parts))
        except httpx.TimeoutException as error:
            raise Fault(Silence.TIMEOUT, type(error).__name__) from error
        except httpx.ConnectError as error:
            untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
            raise Fault(Silence.CERTIFICATE if untrusted else Silence.CONNECT, str(error)) from error
        except (httpx.DecodingError, httpx.RemoteProtocolError) as error:
            raise Fault(Silence.BROKEN, str(error)) from error
        except httpx.HTTPError as error:
            raise Fault(Silence.CONNECT, str(error) or type(error).__name__) from error

    def close(self) -> None:
        self._client.close()
