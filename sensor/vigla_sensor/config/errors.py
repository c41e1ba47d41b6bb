"""The one error of a configuration: says the file, the line where it can be found, the key and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: file name, line (0: unknown) and dotted key."""

    file: str
    line: int
    key: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}" if self.key else where


class ConfigError(ValueError):
    """A configuration that cannot be used: what, where, what to do."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem
