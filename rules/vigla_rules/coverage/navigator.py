"""Layers of MITRE's ATT&CK Navigator, layer format 4.5: one for each matrix that the rules touch."""

from collections.abc import Sequence

from vigla_rules.attack import Techniques, tactics_of, techniques_of
from vigla_rules.coverage.verdicts import Verdict

LAYER = "4.5"
_COLORS = ["#ffe5cc", "#9ecae1", "#2171b5"]
_GAP = "#d9d9d9"


def by_technique(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """Rules by technique id, sorted."""
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        for technique in techniques_of(verdict.meta.tags):
            found.setdefault(technique, []).append(verdict)
    return dict(sorted(found.items()))


def layers(verdicts: Sequence[Verdict], name: str, description: str, techniques: Techniques) -> dict[str, object]:
    """By matrix (``enterprise-attack``, ``ics-attack``): the layer. Where no rule can fire the score is 0."""
    found: dict[str, list[tuple[str, list[Verdict]]]] = {}
    for technique, rules in by_technique(verdicts).items():
        matrix = "ics-attack" if technique.startswith("T0") else "enterprise-attack"
        found.setdefault(matrix, []).append((technique, rules))
    return {matrix: _layer(matrix, rows, name, description, techniques) for matrix, rows in sorted(found.items())}


def _layer(
    matrix: str, rows: list[tuple[str, list[Verdict]]], name: str, description: str, techniques: Techniques
) -> dict[str, object]:
    entries = [_technique(technique, rules, techniques) for technique, rules in rows]
    most = max((sum(rule.fires for rule in rules) for _, rules in rows), default=0)
    return {
        "name": name,
        "versions": {"layer": LAYER, "navigator": "5.1.0", "attack": "17"},
        "domain": matrix,
        "description": description,
        "sorting": 3,
        "hideDisabled": False,
        "techniques": entries,
        "gradient": {"colors": _COLORS, "minValue": 0, "maxValue": max(most, 1)},
        "legendItems": [{"label": "rules exist, none can fire", "color": _GAP}],
        "showTacticRowBackground": False,
        "selectTechniquesAcrossTactics": True,
        "selectSubtechniquesWithParent": False,
    }


def _technique(technique: str, rules: list[Verdict], techniques: Techniques) -> dict[str, object]:
    able = [rule for rule in rules if rule.fires]
    blind = [rule for rule in rules if not rule.fires]
    comment = [f"can fire: {', '.join(rule.meta.title for rule in able)}"] if able else []
    comment += [f"cannot fire: {', '.join(rule.meta.title for rule in blind)}"] if blind else []
    entry: dict[str, object] = {
        "techniqueID": technique,
        "score": len(able),
        "comment": "; ".join(comment),
        "enabled": True,
        "metadata": [{"name": "name", "value": known}] if (known := techniques.names.get(technique)) else [],
        "showSubtechniques": "." in technique,
    }
    tactics = tactics_of(tag for rule in rules for tag in rule.meta.tags)
    if tactics:
        entry["metadata"] = [*entry["metadata"], {"name": "tactics", "value": ", ".join(tactics)}]  # type: ignore[misc]
    return entry if able else {**entry, "color": _GAP}
