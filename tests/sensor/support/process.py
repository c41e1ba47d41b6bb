"""Runs a function in a fresh process: for resource limits, and to be killed."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

_CONTEXT = multiprocessing.get_context("spawn")


def in_child(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` returns, from a process of its own; fails if that died."""
    here, there = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_run, args=(there, work, arguments))
    process.start()
    there.close()
    try:
        answer = here.recv()
    finally:
        process.join()
        here.close()
    if isinstance(answer, BaseException):
        raise answer
    return answer


def until_killed(work: Callable[..., Any], *arguments: Any) -> int:
    """Runs `work` in a process of its own; its exit code (-9: it was killed)."""
    process = _CONTEXT.Process(target=work, args=arguments)
    process.start()
    process.join()
    return process.exitcode or 0


def die() -> None:
    """The end that no handler sees."""
    os.kill(os.getpid(), signal.SIGKILL)


def _run(there: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        there.send(work(*arguments))
    except BaseException as error:  # noqa: BLE001
        there.send(error)
