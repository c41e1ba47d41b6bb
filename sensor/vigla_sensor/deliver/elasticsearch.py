"""The Elasticsearch sink: one `_bulk` of `create` with fixed ids (delivery.md 1 and 3). The only user of the client."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from elastic_transport import (
    ApiError,
    ConnectionTimeout,
    SerializationError,
    TlsError,
    TransportError,
)
from elastic_transport.client_utils import DEFAULT
from elasticsearch import Elasticsearch, UnsupportedProductError

from vigla_sensor.alert.folding import search_text
from vigla_sensor.deliver.answers import Answer, Answered, ItemAnswer, Refused, Silence, Silent
from vigla_sensor.spool.model import SpooledAlert

FILTER_PATH = (
    "took",
    "errors",
    "items.*._id",
    "items.*.status",
    "items.*.failure_store",
    "items.*.error.type",
    "items.*.error.reason",
)


class Bulk(Protocol):
    """One bulk request: injected, so that tests can cut, swap and kill."""

    def __call__(self, api_key: str, operations: Sequence[bytes]) -> Mapping[str, Any]:
        """The parsed answer; raises what the client raises."""
        ...

    def close(self) -> None:
        """Ends its connections."""
        ...


class ElasticsearchSink:
    """`api_key` is asked for each time, so that a new one needs no restart; it raises `OSError` or `ValueError`."""

    name = "elasticsearch"

    def __init__(self, bulk: Bulk, api_key: Callable[[], str]) -> None:
        self._bulk, self._api_key = bulk, api_key

    def close(self) -> None:
        self._bulk.close()

    def send(self, batch: Sequence[SpooledAlert]) -> Answer:
        operations = [line for alert in batch for line in (_action(alert), searchable(alert.body))]
        try:
            api_key = self._api_key()
        except (OSError, ValueError) as error:
            return Silent(Silence.CREDENTIAL, str(error))
        try:
            return _answered(self._bulk(api_key, operations))
        except UnsupportedProductError as error:
            return Silent(Silence.PRODUCT, str(error))
        except ApiError as error:
            return _refused(error)
        except ConnectionTimeout as error:
            return Silent(Silence.TIMEOUT, error.message)
        except TlsError as error:
            return Silent(
                Silence.CERTIFICATE if "CERTIFICATE_VERIFY" in error.message else Silence.CONNECT, error.message
            )
        except SerializationError as error:
            return Silent(Silence.BROKEN, error.message)
        except TransportError as error:
            return Silent(Silence.CONNECT, error.message)


class ClientBulk:
    """The real client: no retries of its own, verified, compressed. Raises `OSError` for a bad authority file."""

    def __init__(self, url: str, ca_file: Path | None, timeout: float) -> None:
        if ca_file is not None:
            ca_file.read_bytes()
        self._client = Elasticsearch(
            url,
            max_retries=0,
            retry_on_timeout=False,
            request_timeout=timeout,
            http_compress=True,
            ca_certs=DEFAULT if ca_file is None else str(ca_file),
        )

    def __call__(self, api_key: str, operations: Sequence[bytes]) -> Mapping[str, Any]:
        client = self._client.options(api_key=api_key)
        answer = client.bulk(operations=operations, filter_path=FILTER_PATH)  # type: ignore[arg-type]
        body = answer.body
        if not isinstance(body, dict):
            raise SerializationError(f"the answer is no object but {type(body).__name__}")
        return body

    def close(self) -> None:
        self._client.close()


def searchable(body: bytes) -> bytes:
    """The document with `vigla.search_text`."""
    document = json.loads(body)
    document["vigla"]["search_text"] = search_text(document)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _action(alert: SpooledAlert) -> bytes:
    return json.dumps({"create": {"_index": alert.index_name, "_id": alert.event_id}}).encode()


def _answered(body: Mapping[str, Any]) -> Answer:
    items = body.get("items")
    if not isinstance(items, list):
        return Silent(Silence.BROKEN, "the answer has no items")
    answers = []
    for item in items:
        result = next(iter(item.values()), None) if isinstance(item, dict) else None
        if not isinstance(result, dict) or not isinstance(result.get("status"), int):
            return Silent(Silence.BROKEN, "an item of the answer has no status")
        fault = result.get("error")
        error: Mapping[str, Any] = fault if isinstance(fault, dict) else {}
        answers.append(
            ItemAnswer(
                str(result.get("_id")),
                result["status"],
                str(error.get("type") or ""),
                str(error.get("reason") or ""),
                result.get("failure_store") == "used",
            )
        )
    errors = body.get("errors")
    return Answered(tuple(answers), errors if isinstance(errors, bool) else None)


def _refused(error: ApiError) -> Refused:
    body = error.body
    fault = body.get("error") if isinstance(body, dict) else None
    said: Mapping[str, Any] = fault if isinstance(fault, dict) else {"reason": fault or str(body)[:200]}
    after = error.meta.headers.get("retry-after")
    return Refused(
        error.meta.status,
        str(said.get("type") or ""),
        str(said.get("reason") or ""),
        float(after) if after and after.replace(".", "", 1).isdigit() else None,
    )
