"""Small packs made in memory for one test."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from vigla_rules.compiling import Compiled, compile_trees
from vigla_rules.files import RuleFile
from vigla_rules.layout import PackSettings, Tree

LOGSOURCE = {"product": "case"}


def rule(detection: dict[str, object], number: int = 1, **more: object) -> dict[str, object]:
    """A whole rule around a detection; its id ends in ``number``."""
    return {
        "title": f"Rule {number}",
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "author": "Vigla",
        "level": "low",
        "logsource": LOGSOURCE,
        "detection": detection,
        **more,
    }


def compiled(
    documents: Sequence[dict[str, object] | str],
    *,
    lists: Sequence[str] = (),
    aliases: Sequence[object] = (),
    pipelines: tuple[str, ...] = (),
) -> Compiled:
    """Compiles documents, each its own file ``rule_1.yml``, ``rule_2.yml``, ..."""
    texts = [
        text if isinstance(text, str) else yaml.safe_dump(text, allow_unicode=True, sort_keys=False)
        for text in documents
    ]
    files = [RuleFile(f"rule_{at}.yml", f"rule_{at}.yml", text.encode()) for at, text in enumerate(texts, start=1)]
    settings = PackSettings(name="test", lists={name: {"type": "text", "el": name, "en": name} for name in lists})
    tree = Tree(Path(), files, settings, aliases=list(aliases))
    return compile_trees([tree], pipelines, lambda _done, _total: None)
