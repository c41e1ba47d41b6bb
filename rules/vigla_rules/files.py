"""A rule file as it stands on disk. Holds nothing of pySigma: what is cached compiles without importing it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file to compile: ``path`` as findings print it, ``relative`` as the pack names it."""

    path: str
    relative: str
    data: bytes
