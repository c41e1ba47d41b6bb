"""pySigma's own validators, without the two that download (they crash where there is no network)."""

from collections.abc import Iterable, Iterator
from typing import cast

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.plugins import InstalledSigmaPlugins
from sigma.rule import SigmaRule
from sigma.validation import SigmaValidator
from sigma.validators.base import SigmaRuleValidator
from yaml import YAMLError

from vigla_rules.files import RuleFile
from vigla_rules.findings import Finding

DOWNLOADING = frozenset({"attacktag", "d3_fendtag"})
STRICTER_HERE = frozenset({"identifier_existence", "identifier_uniqueness", "duplicate_title", "tlptag", "tlpv2_tag"})
"""Those that say what ``check`` says itself, with a line."""


def validate(files: Iterable[RuleFile]) -> Iterator[Finding]:
    """Issues as warnings; a file that pySigma cannot read has its finding already."""
    plugins = InstalledSigmaPlugins.autodiscover(include_backends=False, include_pipelines=False)
    found = cast("dict[str, type[SigmaRuleValidator]]", plugins.validators)  # declared as instances upstream
    chosen = {validator for name, validator in found.items() if name not in DOWNLOADING | STRICTER_HERE}
    for file in files:
        try:
            collection = SigmaCollection.from_yaml(file.data, collect_errors=True, resolve_references=False)
        except (SigmaError, YAMLError, ValueError, TypeError, AttributeError):
            continue
        for rule in collection.rules:
            if not isinstance(rule, SigmaRule) or rule.errors:
                continue
            for issue in SigmaValidator(chosen).validate_rule(rule):
                name = type(issue).__name__.removesuffix("Issue")
                yield Finding(
                    file.path, 1, 1, "warning", f"pysigma-{name}", issue.description, "see pySigma's validators",
                    str(rule.id), str(rule.title),
                )  # fmt: skip
