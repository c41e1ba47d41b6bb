"""Runs a recipe of the pack: a Python function under ``samples/recipes/`` that writes a capture.

The recipes are the pack author's code and run with the author's rights, as a test does; a sensor never sees them.
"""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

_PACKAGE = "vigla_pack_recipes"


class RecipeError(ValueError):
    """No such recipe, or it failed: what and where."""


def run_recipe(folder: Path, name: str, arguments: Mapping[str, object], target: Path) -> None:
    """Calls ``module.function`` of ``folder`` with the path to write and the case's arguments."""
    module_name, _, function_name = name.rpartition(".")
    package = _package(folder)
    try:
        module = (
            importlib.import_module(f"{package}.{module_name}") if module_name else importlib.import_module(package)
        )
        function = getattr(module, function_name)
    except (ImportError, AttributeError) as error:
        raise RecipeError(f"recipe '{name}': {error}; see {folder}") from error
    try:
        function(target, **arguments)
    except Exception as error:  # a recipe is foreign code: its failure is the case's, not the run's
        raise RecipeError(f"recipe '{name}' failed: {type(error).__name__}: {error}") from error


def _package(folder: Path) -> str:
    """The recipes as one package, so that they may import each other; loaded once per folder."""
    name = f"{_PACKAGE}_{abs(hash(folder.resolve()))}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None or not (folder / "__init__.py").is_file():
            raise RecipeError(f"no recipes: {folder / '__init__.py'} is missing")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return name
