"""Random rules and events over the whole grammar, drawn from so few words that they collide."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

Detection = dict[str, object]
FIELDS = ["f", "g", "h"]
LISTS: Mapping[str, list[str]] = {"nobody": [], "words": ["a", "Σ", "ab", "10.0.0.1"], "ends": ["bc", "ς", "-x"]}
# One and two bytes, final sigmas, symbols that fold, dashes, blanks, newlines, backslashes, what looks like a number.
WORDS = (
    *(
        "",
        "a",
        "A",
        "ab",
        "abc",
        "bc",
        "c\nd",
        "Σ",
        "σς",
        "ΟΔΟΣ",
        "οδος",
        "οδοστρωμα",
        "ά",
        "Ά",
        "α",
        "µ",
        "Μ",
        "ϐ",
        "Ϊ",
    ),
    *("K", "1", "12", "01", "1.5", "-1", "true", "null", "\\", "a\\b", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1"),
    *("2001:DB8::1", "2026-03-01T23:30:00+02:00", "2027-01-01T00:30:00+01:00", "a b", "a  b", "/x", "-x", "–x y"),
    *("cmd /x", "YWI=", "zqw="),
)
TEXTS = st.one_of(st.sampled_from(WORDS), st.text(alphabet="abΣσς1*?\\ -/", max_size=5))
NUMBERS = st.sampled_from([1, 12, -1, 1.5, 0, 2**53, 2**53 + 1, 2**63 - 1, 4624])
SCALARS = st.one_of(TEXTS, NUMBERS, st.sampled_from([True, False, None]))
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3))
NESTED = st.dictionaries(st.sampled_from(["b", "c"]), VALUES, min_size=1, max_size=2)
EVENT = st.dictionaries(st.sampled_from([*FIELDS, "unnamed"]), VALUES, max_size=4).flatmap(
    lambda flat: st.one_of(st.just(flat), NESTED.map(lambda inner: {**flat, "a": inner}))
)
EVENTS = st.lists(EVENT, min_size=1, max_size=6)
NAMES = st.sampled_from([*FIELDS, *FIELDS, "a.b", "never"])


def one_or_more(member: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """A scalar, or a list."""
    return st.one_of(member, st.lists(member, min_size=1, max_size=3))


def item(modifiers: list[str], values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[str, object]]:
    """What stands behind a field's name, and its value."""
    return st.tuples(st.sampled_from(modifiers), values)


PATTERNS = st.sampled_from(
    ["a", "^a", "b$", "a.c", "[ab]+$", "Σ", "(a|σ)b?", "\\d", "\\w{2}", "^$", "a\\\\b", ".", "οδο(ς|σ)", "^.$", "-x|/x"]
)
NETWORKS = st.sampled_from(["10.0.0.0/8", "10.0.0.1/32", "2001:db8::/32", "0.0.0.0/0", "::/0", "::ffff:0:0/96"])
STRINGS = [
    *("", "|contains", "|startswith", "|endswith", "|contains|all", "|startswith|all", "|all", "|neq", "|contains|neq"),
    *("|contains|all|neq", "|cased", "|contains|cased", "|endswith|cased", "|cased|startswith", "|contains|all|cased"),
]
ITEMS = st.one_of(
    item(STRINGS, one_or_more(TEXTS)),
    item(["", "|contains"], TEXTS),
    item(["", "|neq"], st.one_of(NUMBERS, st.sampled_from([True, False, None]))),
    item(["|re", "|re|i", "|re|m", "|re|s", "|re|neq", "|re|all"], one_or_more(PATTERNS)),
    item(["|lt", "|lte", "|gt", "|gte", "|gt|neq"], NUMBERS),
    item(["|exists"], st.booleans()),
    item(
        [
            "|fieldref",
            "|fieldref|startswith",
            "|fieldref|endswith",
            "|fieldref|contains",
            "|fieldref|neq",
            "|fieldref|cased",
        ],
        st.sampled_from([*FIELDS, "a.b"]),
    ),
    item(["|cidr", "|cidr|neq"], one_or_more(NETWORKS)),
    item(
        ["|windash", "|contains|windash", "|windash|startswith", "|windash|cased"],
        one_or_more(st.sampled_from(["-x", "/x", "a -x", " /x"])),
    ),
    item(
        ["|expand", "|expand|contains", "|expand|endswith", "|expand|neq", "|expand|cased"],
        st.sampled_from([f"%{name}%" for name in LISTS]),
    ),
    item(
        ["|base64", "|base64|contains", "|base64offset|contains", "|utf16le|base64offset|contains"],
        st.sampled_from(["a", "ab", "ά", "abc"]),
    ),
    item(["|hour", "|day", "|week|gte", "|year", "|minute|lt", "|month|neq"], st.sampled_from([1, 9, 21])),
)
KEYWORDS = st.one_of(
    st.lists(st.sampled_from(["a", "ab", "Σ", "a*c", "\\", "b?", "true", "ΟΔΟΣ", 1, "-x"]), min_size=1, max_size=2),
    st.tuples(st.just("|all"), st.lists(st.sampled_from(["a", "Σ", "b*"]), min_size=1, max_size=2)).map(
        lambda kv: dict([kv])
    ),
    st.tuples(st.sampled_from(["|re", "|re|all", "|re|i"]), one_or_more(PATTERNS)).map(lambda kv: dict([kv])),
    st.tuples(st.just("|cased"), one_or_more(st.sampled_from(["a", "A", "Σ", "ς"]))).map(lambda kv: dict([kv])),
)
MAPS = st.lists(st.tuples(NAMES, ITEMS), min_size=1, max_size=3).map(
    lambda items: {name + modifier: value for name, (modifier, value) in items}
)
SELECTIONS = st.one_of(
    MAPS,
    MAPS,
    KEYWORDS,
    st.lists(MAPS, min_size=1, max_size=2),
    st.lists(
        st.one_of(MAPS, st.sampled_from(["a", "Σ"]), st.lists(MAPS, min_size=1, max_size=2)), min_size=1, max_size=3
    ),
)
CONDITIONS = st.one_of(
    st.sampled_from(
        [
            *(
                "s1",
                "not s1",
                "s1 and s2",
                "s1 or s2",
                "s1 and not s2",
                "not (s1 or s2) and s3",
                "1 of s*",
                "all of s*",
            ),
            *("not 1 of s*", "s1 and (s2 or not s3)", "1 of s1* or all of s2*", "not (not s1 and not (s2 and not s3))"),
            *("1 of them", "not all of them", "s1 and s2 and not s3 or not s1 and s3", "any of *2 and not s3"),
        ]
    ),
    st.lists(st.sampled_from(["s1", "s2 and not s3", "not s1"]), min_size=1, max_size=2, unique=True),
)
DETECTIONS = st.fixed_dictionaries({"s1": SELECTIONS, "s2": SELECTIONS, "s3": SELECTIONS, "condition": CONDITIONS})


@dataclass(frozen=True, slots=True)
class WindowsRule:
    """Of one channel or category, so that a pipeline adds gates to it."""

    logsource: dict[str, str]
    detection: Detection


WINDOWS_FIELDS = ["Channel", "EventID", "f"]
WINDOWS_RULES = st.builds(
    WindowsRule,
    st.sampled_from([{"service": "system"}, {"service": "security"}, {"category": "process_creation"}, {}]).map(
        lambda more: {"product": "windows", **more}
    ),
    st.fixed_dictionaries(
        {
            "s": st.dictionaries(
                st.sampled_from(["Channel", "EventID", "f", "f|contains", "Channel|endswith"]),
                st.sampled_from(["System", "Security", "1", "104", "a"]),
                min_size=1,
                max_size=2,
            ),
            "condition": st.sampled_from(["s", "not s"]),
        }
    ),
)
WINDOWS_EVENTS = st.builds(
    lambda header, body: {"Event": {"System": header, "EventData": body}},
    st.fixed_dictionaries(
        {
            "Channel": st.sampled_from(["System", "Security", "Microsoft-Windows-Sysmon/Operational"]),
            "EventID": st.sampled_from([1, 104, {"#text": 104, "#attributes": {"Qualifiers": 0}}]),
        }
    ),
    st.dictionaries(
        st.sampled_from(["Channel", "EventID", "f", "Fi eld"]),
        st.sampled_from(["System", "Security", 1, "a"]),
        max_size=3,
    ),
)


def examples(number: int) -> settings:
    """``number`` of examples, forty times as many under ``--hypothesis-profile long``."""
    long = settings.get_current_profile_name() == "long"
    return settings(max_examples=number * (40 if long else 1), deadline=None, suppress_health_check=list(HealthCheck))
