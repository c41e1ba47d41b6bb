"""The second opinion: an evaluator of ``rules.json``, loaded from a file (the project keeps one among its tests)."""

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from vigla_rules.trials.tap import Seen

_MODULE = "vigla_rules_reference"


class Evaluator(Protocol):
    """Counts the hits of a rule, and says why there was none."""

    def hits(self, rules: Mapping[str, Any], rule: str, seen: Sequence[Seen], given: Mapping[str, Any]) -> int:
        """Hits of one rule or correlation, quiet repeats left out. ``given``: ``lists`` and ``local_networks``."""
        ...

    def misses(self, rules: Mapping[str, Any], rule: str, seen: Sequence[Seen], given: Mapping[str, Any]) -> list[str]:
        """Per event of the rule's log source, which field missed which test, and the event."""
        ...


class ModuleEvaluator:
    """Wraps a module with ``Event`` and ``Reference`` (see ``tests/sigma/reference.py``)."""

    def __init__(self, path: Path) -> None:
        # As a package, so that it finds its parts beside it.
        beside = [str(path.parent)]
        spec = importlib.util.spec_from_file_location(_MODULE, path, submodule_search_locations=beside)
        if spec is None or spec.loader is None:
            raise ValueError(f"{path}: no Python module; name the reference evaluator")
        self.module = importlib.util.module_from_spec(spec)
        sys.modules[_MODULE] = self.module  # dataclasses look their module up
        spec.loader.exec_module(self.module)

    def hits(self, rules: Mapping[str, Any], rule: str, seen: Sequence[Seen], given: Mapping[str, Any]) -> int:
        """See ``Evaluator``."""
        found = self._reference(rules, given).run(self._events(seen))
        return sum(hit.rule == rule and not hit.quiet for hit in found)

    def misses(self, rules: Mapping[str, Any], rule: str, seen: Sequence[Seen], given: Mapping[str, Any]) -> list[str]:
        """See ``Evaluator``."""
        by_id = {entry["id"]: entry for entry in [*rules["rules"], *rules["correlations"]]}
        wanted = [rule] if "condition" in by_id[rule] and "logsource" in by_id[rule] else by_id[rule]["rules"]
        reference = self._reference(rules, given)
        told = []
        for name in wanted:
            entry = by_id[name]
            if "logsource" not in entry:
                continue
            for event in self._events(seen):
                if reference.matches_rule(entry, event) or not (why := reference.misses(entry, event)):
                    continue
                shown = json.dumps(dict(event.fields), ensure_ascii=False)
                told.append(f"{entry['name']}: {'; '.join(why)} in {shown}")
        return told

    def _reference(self, rules: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return self.module.Reference(rules, given["lists"], given["local_networks"])

    def _events(self, seen: Sequence[Seen]) -> list[Any]:
        return [self.module.Event(event.fields, event.logsource.to_json(), event.ts) for event in seen]
