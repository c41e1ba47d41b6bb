"""What every command gets: parsed options, streams, clock, core. And the one error a command may end with."""

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from vigla_sensor.cli.core import Core
from vigla_sensor.clock import Clock
from vigla_sensor.config import Settings, load
from vigla_sensor.run import StartFault
from vigla_sensor.run.wiring import nobody

OK, FAILED, USAGE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Context:
    """`stdout` is binary: documents are bytes."""

    options: argparse.Namespace
    stdout: BinaryIO
    stderr: TextIO
    clock: Clock
    core: Core

    def settings(self) -> Settings:
        """The configuration, or one of nobody where none was named. Raises `ConfigError`."""
        return load(self.options.config) if self.options.config else nobody()

    def pack_path(self, settings: Settings) -> Path:
        """`--pack`, else the configuration's. Raises `StartFault`."""
        if self.options.pack:
            return Path(self.options.pack)
        if settings.pack is not None:
            return settings.pack.path
        raise StartFault("no pack: name one with --pack, or in the configuration's [pack] path")

    def say(self, text: str) -> None:
        """A line for people, on standard error."""
        self.stderr.write(text + "\n")

    def write(self, text: str) -> None:
        """A line of the command's result, on standard output."""
        self.stdout.write(text.encode() + b"\n")
        self.stdout.flush()

    @contextlib.contextmanager
    def output(self, out: str) -> Iterator[BinaryIO]:
        """`-` is standard output. Raises `StartFault` where the file cannot be written."""
        if out == "-":
            yield self.stdout
            self.stdout.flush()
            return
        try:
            Path(out).touch()
        except OSError as error:
            raise StartFault(f"{out}: cannot be written: {error.strerror}") from error
        with Path(out).open("wb") as file:
            yield file
