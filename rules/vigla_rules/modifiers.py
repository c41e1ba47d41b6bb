"""Which modifiers a field may carry, which go together, and the encoders that pySigma 1.5.1 gets wrong.

Workarounds of 1.5.1, each with a test that fails once upstream is mended: ``base64offset`` cuts by characters,
``utf16`` writes EF BB BF, ``wide`` refuses what is not ASCII; n dashes make 5^n values.
"""

import re
from base64 import b64encode

from sigma.modifiers import SigmaModifier, modifier_mapping
from sigma.types import SigmaExpansion, SigmaString, SigmaType

from vigla_rules.findings import Code, Refusal, did_you_mean

ModifierClass = type[SigmaModifier]  # type: ignore[type-arg]  # pySigma's type variables allow no common argument

ENCODERS = frozenset({"base64", "base64offset", "wide", "utf16le", "utf16be", "utf16"})
TIME_PARTS = {
    "minute": (0, 59), "hour": (0, 23), "day": (1, 31), "week": (1, 53), "month": (1, 12), "year": (1, 9999)
}  # fmt: skip
COMPARISONS = frozenset({"lt", "lte", "gt", "gte"})
REGEX_FLAGS = frozenset({"i", "m", "s", "ignorecase", "multiline", "dotall"})
ANCHORS = frozenset({"contains", "startswith", "endswith"})
KNOWN = frozenset(modifier_mapping) | ENCODERS
MAX_DASHES = 3

_LINKING = frozenset({"all", "neq"})
_PARTNERS = {
    "re": (REGEX_FLAGS | _LINKING, Code.BAD_REGEX, "write the anchor into the pattern"),
    "cidr": (_LINKING, Code.BAD_CIDR, "give networks alone, or use a zone"),
    "expand": (ANCHORS | _LINKING | {"cased"}, Code.PLACEHOLDER, "a list is compared as text"),
    "exists": (frozenset(), Code.BAD_VALUE, "`exists` stands alone"),
    "fieldref": (ANCHORS | _LINKING | {"cased"}, Code.BAD_VALUE, "a field is compared as text"),
    "windash": (ANCHORS | _LINKING | {"cased"}, Code.BAD_VALUE, "dashes are exchanged in plain text only"),
    **dict.fromkeys(COMPARISONS, (frozenset(TIME_PARTS) | _LINKING, Code.BAD_VALUE, "compare numbers alone")),
    **dict.fromkeys(TIME_PARTS, (COMPARISONS | _LINKING, Code.BAD_VALUE, "compare parts of a time alone")),
}
_DASH = re.compile(r"\B[-/]\b")
_START, _END = (0, 2, 3), (None, -3, -2)
_CODECS = {"wide": "utf-16-le", "utf16le": "utf-16-le", "utf16be": "utf-16-be"}


def check_modifiers(names: list[str], *, keyword: bool) -> None:
    """Raises ``Refusal`` for a modifier that is unknown or does not go with its neighbors."""
    for name in names:
        if name == "not":
            raise Refusal(Code.UNKNOWN_MODIFIER, "modifier 'not'", "use `neq`, or `not` in the condition")
        if name not in KNOWN:
            known = sorted(KNOWN)
            raise Refusal(
                Code.UNKNOWN_MODIFIER, f"modifier '{name}'", did_you_mean(name, known, f"known: {', '.join(known)}")
            )
    for name in names:
        allowed, code, advice = _PARTNERS.get(name, (KNOWN, Code.BAD_VALUE, ""))
        for other in names:
            if other != name and other not in allowed:
                raise Refusal(code, f"'{name}' together with '{other}'", advice)
    if "re" not in names and (flags := REGEX_FLAGS.intersection(names)):
        raise Refusal(Code.BAD_REGEX, f"'{min(flags)}' without 're'", f"write `re|{min(flags)}`")
    if keyword and (wrong := [name for name in names if name not in {"all", "re", "cased", "contains", *REGEX_FLAGS}]):
        raise Refusal(Code.BAD_VALUE, f"'{wrong[0]}' on keywords", "keywords are never anchored: name a field")


def classes(names: list[str]) -> list[ModifierClass]:
    """pySigma's classes of the modifiers that are no encoders; these have been applied by ``encode`` before.

    ``cased`` goes first where a field is referred to: 1.5.1 takes it before ``fieldref`` and refuses it behind.
    """
    ordered = sorted(names, key=lambda name: name != "cased") if "fieldref" in names else names
    return [modifier_mapping[name] for name in ordered if name not in ENCODERS]


def check_dashes(value: SigmaString) -> int:
    """How many values ``windash`` makes of one; raises ``Refusal`` (``too-large``) beyond 5^3."""
    dashes = sum(len(_DASH.findall(part)) for part in value.s if isinstance(part, str))
    if dashes > MAX_DASHES:
        raise Refusal(
            Code.TOO_LARGE, f"`windash` on a value with {dashes} dashes makes 5^{dashes} values", "split the value"
        )
    return int(5**dashes)


def encode(value: str, names: list[str]) -> SigmaType:
    """The literal that the encoders among ``names`` make of a value: bytes first, text last (sigma.md 1.3)."""
    first = next(index for index, name in enumerate(names) if name in ENCODERS)
    if wrong := [name for name in names[:first] if name not in {"all", "neq", "cased"}]:
        raise Refusal(Code.BAD_VALUE, f"'{wrong[0]}' before '{names[first]}'", "encoders come first")
    parsed = SigmaString(value)
    if parsed.contains_special():
        raise Refusal(Code.BAD_VALUE, f"wildcards under '{names[first]}'", "escape them with a backslash, or drop them")
    data = "".join(part for part in parsed.s if isinstance(part, str)).encode()
    for name in (name for name in names if name in ENCODERS):
        if name == "base64":
            data = b64encode(data)
        elif name == "base64offset":
            return SigmaExpansion([_offset(data, shift) for shift in range(3)])
        elif name == "utf16":
            data = b"\xff\xfe" + data.decode().encode("utf-16-le")
        else:
            data = data.decode().encode(_CODECS[name])
    if not data.isascii():
        raise Refusal(Code.BAD_VALUE, f"{value!r} in UTF-16 is no text", "put base64 or base64offset behind it")
    return SigmaString.from_str(data.decode())


def _offset(data: bytes, shift: int) -> SigmaString:
    encoded = b64encode(b" " * shift + data)
    return SigmaString.from_str(encoded[_START[shift] : _END[(len(data) + shift) % 3]].decode())
