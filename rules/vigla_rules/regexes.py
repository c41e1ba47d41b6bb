"""Which regular expressions are taken: those that Rust's ``regex`` and Python's ``re`` read alike, in linear time."""

import re
import warnings

from vigla_rules.findings import Code, Refusal

MAX_BYTES = 3_900_000
"""Largest estimate of a compiled pattern: the core refuses a pack with one above 4 MiB, so the rule is refused here."""
_ESCAPES = {"w": 52_500, "W": 48_000, "d": 5_200, "D": 12_800, "s": 700, "S": 2_000}
"""Bytes that Rust's ``regex`` takes for a Unicode class, measured by the repetitions that fit into its limit."""
_ANY, _ASCII, _BEYOND, _FOLDED = 1_050, 40, 200, 240

_GROUP = re.compile(r"\(\?(P<[A-Za-z_]\w*>|:|[ims]+(-[ims]+)?[:)]|-[ims]+[:)])")
_COUNT = re.compile(r"\{(\d+)(,(\d*))?\}")
_LETTERS = frozenset("dDsSwWbBAnrtfvaxu")
"""Escaped letters with one meaning in both dialects (``\\u`` takes four digits in both)."""


def read_pattern(pattern: str, *, ignore_case: bool = False) -> tuple[str, list[str]]:
    """The pattern as both dialects read it, and warnings; raises ``Refusal`` (``bad-regex``).

    ``\\<`` and ``\\>`` are literals in Python and word boundaries in Rust: their backslash is dropped.
    """
    if not pattern:
        raise _refusal("the pattern is empty", "use `exists: true` for presence")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # what it warns of is refused below
            compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise _refusal(f"pattern {pattern!r}: {error}", "mend the pattern") from None
    if compiled.groups > 100:
        raise _refusal(f"the pattern has {compiled.groups} groups", "use (?:...) and fewer of them")
    scan = _Scan(pattern, ignore_case=ignore_case)
    scan.run()
    if scan.sizes[0] > MAX_BYTES:
        needed = f"about {scan.sizes[0] / (1 << 20):.1f} MiB"
        raise _refusal(
            f"the compiled pattern needs {needed}", "repeat less: \\w and the like are large; or use * and +"
        )
    dropped = set(scan.dropped)
    return "".join(char for at, char in enumerate(pattern) if at not in dropped), scan.warnings


class _Scan:
    """One pass over a pattern that ``re`` has accepted."""

    def __init__(self, pattern: str, *, ignore_case: bool) -> None:
        self.pattern = pattern
        self.at = 0
        self.literal = _FOLDED if ignore_case else _ASCII
        self.warnings: list[str] = []
        self.dropped: list[int] = []
        self.sizes = [0]  # estimated bytes of each open group

    def run(self) -> None:
        while self.at < len(self.pattern):
            char = self.pattern[self.at]
            if char == "\\":
                self._repeat(self._escape(in_class=False))
            elif char == "[":
                self._class()
            elif char == "(":
                self._group()
            elif char == ")":
                self.at += 1
                self._repeat(self.sizes.pop())
            elif char == "{":
                raise _refusal("a literal `{` is read otherwise in Rust", "write `\\{`")
            else:
                self.at += 1
                self._repeat(_ANY if char == "." else self._size(char))

    def _size(self, char: str) -> int:
        return self.literal if char.isascii() else max(self.literal, _BEYOND)

    def _repeat(self, size: int) -> None:
        """Reads the quantifier behind an atom, if there is one, and adds up what both take."""
        rest = self.pattern[self.at :]
        if rest[:1] in ("*", "+", "?"):
            self.at += 1
        elif found := _COUNT.match(rest):
            self.at += found.end()
            size *= max(int(found[1]) + (found[3] == ""), int(found[3] or 0), 1)
        else:
            self.sizes[-1] += size
            return
        if self.pattern[self.at : self.at + 1] == "+":
            raise _refusal("possessive quantifiers are not known to Rust", "drop the `+`")
        if self.pattern[self.at : self.at + 1] == "?":
            self.at += 1
        self.sizes[-1] += size

    def _group(self) -> None:
        rest = self.pattern[self.at : self.at + 40]
        if not rest.startswith("(?"):
            self.at += 1
            self.sizes.append(0)
            return
        for sign, name in (
            ("(?=", "look-ahead"),
            ("(?!", "look-ahead"),
            ("(?<=", "look-behind"),
            ("(?<!", "look-behind"),
        ):
            if rest.startswith(sign):
                raise _refusal(f"{name} `{sign}` is not linear", "use a second selection, and `not` in the condition")
        found = _GROUP.match(rest)
        if found is None:
            raise _refusal(f"group `{rest[:4]}` is not known to Rust", "use (?:...)")
        if found[1][0] in "ims-":
            self.warnings.append(f"inline flags `{found[0]}`: the modifiers i, m, s say it plainly")
        self.at += found.end()
        if not found[0].endswith(")"):
            self.sizes.append(0)

    def _class(self) -> None:
        self.at += 1
        size = 100
        if self.pattern[self.at : self.at + 1] == "^":
            self.at += 1
            size = _ANY
        if self.pattern[self.at : self.at + 1] == "]":
            raise _refusal("`]` first in a class is read otherwise in Rust", "write `\\]`")
        while self.pattern[self.at] != "]":
            char = self.pattern[self.at]
            if char == "\\":
                size += self._escape(in_class=True)
                continue
            if char == "[":
                raise _refusal("a bare `[` in a class is read otherwise in Rust", "write `\\[`")
            if self.pattern[self.at : self.at + 2] in ("&&", "--", "~~"):
                raise _refusal("`&&`, `--` and `~~` in a class are set operations in Rust", "escape them")
            size += self._size(char)
            self.at += 1
        self.at += 1
        self._repeat(size)

    def _escape(self, *, in_class: bool) -> int:
        char = self.pattern[self.at + 1]
        if char.isdigit():
            raise _refusal(f"`\\{char}` is a backreference or an octal number", "write it out, or `\\x00`")
        if char.isalpha() and char not in _LETTERS:
            raise _refusal(f"`\\{char}` is not known to both dialects", "use `$`, `\\x..` or a class")
        if in_class and char in "bBA":
            raise _refusal(f"`\\{char}` in a class", "write the character itself")
        if char in "<>" or not char.isascii():
            self.dropped.append(self.at)
        self.at += 2
        return _ESCAPES.get(char, self._size(char))


def _refusal(reason: str, suggestion: str) -> Refusal:
    return Refusal(Code.BAD_REGEX, reason, suggestion)
