"""The pack's files as plain data, read without the compiler: the tests must not trust what they test."""

from __future__ import annotations

import functools
import importlib.util
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
PACK = ROOT / "rules" / "pack"
LANGUAGES = ("el", "en")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule file. ``place`` is ``<area>/<name>``: where its texts and samples lie."""

    path: Path
    body: dict[str, Any]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def place(self) -> Path:
        return Path(*self.path.relative_to(PACK).with_suffix("").parts[1:])

    @property
    def correlation(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body.get("correlation", {})
        return found

    @property
    def fields(self) -> list[str]:
        """Entity first: a correlation's group key, else the rule's own ``fields``."""
        return [*self.correlation.get("group-by", []), *self.body.get("fields", [])]

    def placeholders(self) -> Iterator[str]:
        """Names of the value lists that it asks for."""
        for key, value in walk(self.body.get("detection", {})):
            if "|expand" in key:
                yield str(value).strip("%")


def walk(node: Any) -> Iterator[tuple[str, Any]]:
    """Every key of nested maps with its value; of a list, once for each member."""
    if isinstance(node, list):
        for member in node:
            yield from walk(member)
    elif isinstance(node, dict):
        for key, value in node.items():
            for member in value if isinstance(value, list) else [value]:
                yield str(key), member
            yield from walk(value)


@functools.cache
def load(path: Path) -> dict[str, Any]:
    """A YAML file's top map, read once: a test that changes it works on a copy."""
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return found


def rules() -> list[Rule]:
    """Detections and correlations, not filters."""
    folders = ("detections", "correlations")
    return [Rule(path, load(path)) for folder in folders for path in sorted((PACK / folder).rglob("*.yml"))]


def alerting() -> list[Rule]:
    """Rules that raise alerts: all but those that only feed correlations (their ``generate`` is not set)."""
    everything = rules()
    silent = {
        name
        for rule in everything
        if rule.correlation and not rule.correlation.get("generate", False)
        for name in rule.correlation["rules"]
    }
    return [rule for rule in everything if rule.name not in silent]


def filters() -> list[Path]:
    return sorted((PACK / "filters").rglob("*.yml"))


def sources() -> list[Path]:
    return sorted((PACK / "sources").glob("*.yml"))


def settings() -> dict[str, Any]:
    return tomllib.loads((PACK / "pack.toml").read_text(encoding="utf-8"))


def recipes(module: str) -> ModuleType:
    """A module of the package ``samples/recipes``."""
    folder = PACK / "samples" / "recipes"
    name = "pack_sample_recipes"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None
        assert spec.loader is not None
        package = importlib.util.module_from_spec(spec)
        sys.modules[name] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{name}.{module}")
