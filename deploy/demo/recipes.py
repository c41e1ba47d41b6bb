"""The pack's sample recipes, which the demo composes its traffic with."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "pack" / "samples" / "recipes"
NAME = "vigla_demo_recipes"


def load() -> ModuleType:
    """The module ``traffic`` of the recipes, with ``compose`` and ``write``."""
    spec = importlib.util.spec_from_file_location(
        NAME, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{FOLDER}: no recipes there; the demo needs the whole source tree")
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    return importlib.import_module(f"{NAME}.traffic")
