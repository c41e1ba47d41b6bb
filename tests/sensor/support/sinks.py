"""A sink that does what a script says, and an executor without threads."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any

from vigla_sensor.deliver.answers import Answer, Answered, ItemAnswer
from vigla_sensor.spool import SpooledAlert

Script = Callable[[Sequence[SpooledAlert]], Answer]


class InlineExecutor(Executor):
    """Runs at once: what a thread would have done is done when `submit` returns."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except BaseException as error:  # noqa: BLE001
            future.set_exception(error)
        return future


class ScriptedSink:
    """Answers by a function; keeps what it was sent."""

    name = "hub"

    def __init__(self, script: Script | Iterator[Script]) -> None:
        self._script = script
        self.sent: list[list[SpooledAlert]] = []

    def close(self) -> None:
        """Nothing is open."""

    def send(self, batch: Sequence[SpooledAlert]) -> Answer:
        self.sent.append(list(batch))
        script = self._script if callable(self._script) else next(self._script)
        return script(batch)


def created(batch: Sequence[SpooledAlert]) -> Answer:
    """Takes everything."""
    return Answered(tuple(ItemAnswer(alert.event_id, 201) for alert in batch))


def items(answer: Callable[[SpooledAlert], ItemAnswer]) -> Script:
    """Answers each alert by a function."""
    return lambda batch: Answered(tuple(answer(alert) for alert in batch))
