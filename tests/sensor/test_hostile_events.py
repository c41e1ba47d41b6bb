"""Events as no well-behaved tool writes them, from the file through the command to the alert: what is bad costs itself
alone, is counted and said with its place, and the rest goes on."""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import zstandard

from tests.sensor.native.packs import pack
from tests.sensor.support import evtx
from vigla_sensor.cli import main

RULES = {
    "fields": ["CommandLine", "EventID", "size"],
    "predicates": [
        {"op": "contains", "field": 0, "value": "mimikatz"},
        {"op": "num", "field": 1, "value": "4688"},
        {"op": "gt", "field": 2, "value": "1000"},
    ],
    "nodes": [{"p": 0}, {"p": 1}, {"p": 2}],
    "rules": [
        {
            "id": "tool",
            "title": "A tool by its name",
            "author": "tests",
            "level": "high",
            "logsource": {"product": "windows"},
            "gates": [],
            "condition": 0,
            "selections": {"selection": 0},
        },
        {
            "id": "process",
            "title": "Any process of the security log",
            "author": "tests",
            "level": "low",
            "logsource": {"product": "windows", "service": "security"},
            "gates": [1],
            "condition": 1,
            "selections": {"selection": 1},
        },
        {
            "id": "large",
            "title": "A large thing",
            "author": "tests",
            "level": "low",
            "logsource": {"product": "windows", "category": "process_creation"},
            "condition": 2,
            "selections": {"selection": 2},
        },
    ],
    "correlations": [],
}
HIT = '{"CommandLine": "mimikatz.exe", "n": %d}'

Run = Callable[..., tuple[list[str], list[str]]]


@pytest.fixture
def vpk(tmp_path: Path) -> Path:
    path = tmp_path / "rules.vpk"
    path.write_bytes(pack(RULES))
    return path


@pytest.fixture
def replay(vpk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Replays bytes; the ids of the rules that raised alerts, and the warnings."""

    def run(data: bytes, logsource: str = "windows", name: str = "events.jsonl") -> tuple[list[str], list[str]]:
        path, out = tmp_path / name, tmp_path / "alerts.jsonl"
        path.write_bytes(data)
        code = main(["replay", "--pack", str(vpk), "--logsource", logsource, "--out", str(out), str(path)])
        said = capsys.readouterr().err.splitlines()
        assert code == 0, said
        alerts = [json.loads(line)["rule"]["uuid"] for line in out.read_bytes().splitlines()]
        return alerts, [line.removeprefix(f"warning: {path}: ") for line in said if line.startswith("warning: ")]

    return run


def between(line: bytes) -> bytes:
    """A line with an event before and one behind it."""
    return b"%s\n%s\n%s\n" % ((HIT % 1).encode(), line, (HIT % 2).encode())


DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000
BAD = {
    "no json": b"who am I",
    "no object": b"[1, 2]",
    "half an object": b'{"CommandLine": "mimi',
    "10,000 levels": DEEP,
    "10,000 lists": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "100 MB": b'{"a": "' + b"x" * 100_000_000 + b'"}',
    "a hundred thousand keys": b"{" + b",".join(b'"k%d":1' % n for n in range(100_000)) + b"}",
    "names without quotes": b"{a: 1}",
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_said_with_its_number_and_the_rest_goes_on(replay: Run, line: bytes) -> None:
    alerts, warnings = replay(between(line))
    assert alerts == ["tool", "tool"]
    assert len(warnings) == 1
    assert warnings[0].startswith("1 of 3 lines are no events, the first is line 2: it is ")


def test_further_bad_lines_are_named(replay: Run) -> None:
    _, warnings = replay(b"?\n" + b"{}\n\n?\r\n" * 2)
    assert warnings[0].startswith("3 of 5 lines are no events, the first is line 1: ")
    assert warnings[0].endswith("; also 4, 7")
    _, warnings = replay(b"?\n" * 100)
    assert warnings[0].endswith("; also 2, 3, 4, 5, 6, 7, 8, 9, more")


def test_something_behind_an_event_does_not_hide_the_event(replay: Run) -> None:
    alerts, warnings = replay(between((HIT % 7).encode() + b" trailing garbage"))
    assert alerts == ["tool"] * 3
    assert warnings[0].startswith("1 of 4 lines are no events, the first is line 2: ")


MENDED = {
    "no UTF-8": b'{"CommandLine": "mimikatz \xff\xc3"}',
    "half a surrogate pair": rb'{"CommandLine": "mimikatz \ud800"}',
    "NUL": b'{"CommandLine": "\0mimikatz\0"}',
    "unknown escape": rb'{"CommandLine": "C:\mimikatz"}',
    "NaN": b'{"CommandLine": "mimikatz", "size": NaN}',
}


@pytest.mark.parametrize("line", MENDED.values(), ids=MENDED.keys())
def test_an_event_does_not_go_unseen_for_what_json_does_not_allow(replay: Run, line: bytes) -> None:
    alerts, warnings = replay(between(line))
    assert alerts == ["tool"] * 3
    assert warnings == [
        "1 events held bytes, escapes or numbers that JSON does not allow; they were replaced and the events read"
    ]


def test_a_number_that_no_double_holds_is_read_as_it_came(replay: Run) -> None:
    alerts, warnings = replay(between(b'{"CommandLine": "mimikatz", "size": 1e400}'))
    assert alerts == ["tool"] * 3
    assert not warnings


@pytest.mark.parametrize(
    ("number", "large"),
    [
        ("18446744073709551616", True),
        ("-99999999999999999999", False),
        ("1e400", False),
        ("1e-400", False),
        ("1E3", False),
    ],
)
def test_numbers_beyond_64_bits_compare_as_far_as_a_double_holds_them(replay: Run, number: str, large: bool) -> None:
    alerts, _ = replay(b'{"size": %s}\n' % number.encode(), "product=windows,category=process_creation")
    assert alerts == ["large"] * large


def test_of_a_repeated_key_every_value_counts(replay: Run) -> None:
    first = b'{"CommandLine": "mimikatz", "CommandLine": "innocent"}\n'
    last = b'{"CommandLine": "innocent", "CommandLine": "mimikatz"}\n'
    assert replay(first + last) == (["tool", "tool"], [])


TEXT = f"{HIT % 1}\r\n{HIT % 2}\r\n"
PRETTY = json.dumps([json.loads(HIT % n) for n in (1, 2)], indent=4)


@pytest.mark.parametrize("text", [TEXT, PRETTY, HIT % 1 + HIT % 2, PRETTY[1:-1].replace("},", "}")], ids=range(4))
@pytest.mark.parametrize(
    "packed",
    [
        lambda text: text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: gzip.compress(text.encode()),
        lambda text: zstandard.compress(b"\xff\xfe" + text.encode("utf-16-le")),
    ],
    ids=["utf-8", "mark", "utf-16", "utf-16 be", "utf-16 without mark", "gzip", "zstd of utf-16"],
)
def test_events_in_any_layout_and_wrapping(replay: Run, text: str, packed: Callable[[str], bytes]) -> None:
    assert replay(packed(text)) == (["tool", "tool"], [])


def test_a_compressed_file_that_is_cut_gives_what_was_readable(replay: Run) -> None:
    whole = gzip.compress("".join(f"{HIT % n}\n" for n in range(20_000)).encode())
    alerts, warnings = replay(whole[: len(whole) // 2])
    assert 1_000 < len(alerts) < 20_000
    assert any("cut short at byte" in warning for warning in warnings)


def test_the_log_source_is_a_class(replay: Run) -> None:
    event = b'{"Event": {"System": {"EventID": 4688, "Channel": "Security"}, "EventData": {"CommandLine": "mimikatz"}}}'
    assert replay(event, "windows")[0] == ["tool"]
    assert replay(event, "windows/security")[0] == ["tool", "process"]
    assert replay(event, "service=security,product=windows")[0] == ["tool", "process"]
    assert replay(event, "linux")[0] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write it as windows, windows/security"),
        ("windows/", "write it as windows"),
        ("windows/security/x", "write it as windows"),
        ("produkt=windows", "unknown part 'produkt'; did you mean 'product'?"),
        ("level=high", "unknown part 'level'; its parts are product, category, service"),
        ("product=", "product has no value"),
        ("product=a,product=b", "product stands there twice"),
    ],
)
def test_a_log_source_that_is_none_is_explained(
    vpk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, why: str
) -> None:
    (tmp_path / "x.jsonl").touch()
    assert main(["replay", "--pack", str(vpk), f"--logsource={text}", "--out", "-", str(tmp_path / "x.jsonl")]) == 2
    assert why in capsys.readouterr().err


# --- event logs -------------------------------------------------------------------------------------------------------


def logged(numbers: Sequence[int], command: str = "mimikatz {}") -> list[evtx.Element]:
    return [evtx.event(n, 4688, "Security", {"CommandLine": command.format(n)}) for n in numbers]


def two_chunks() -> bytes:
    return evtx.log([evtx.chunk(1, logged(range(1, 6))), evtx.chunk(6, logged(range(6, 11)))])


def events(path: Path, capfd: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capfd.readouterr()
    assert main(["events", str(path)]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_an_event_log_is_known_by_its_content_and_read_as_its_json(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.txt"
    for data in (two_chunks(), gzip.compress(two_chunks()), zstandard.compress(two_chunks())):
        path.write_bytes(data)
        read = events(path, capfd)
        assert [event["EventRecordID"] for event in read] == [str(n) for n in range(1, 11)]
        assert read[0]["CommandLine"] == "mimikatz 1"
        assert read[0]["Provider_Name"] == "Vigla-Test"
        assert read[0]["ts"] == evtx.START.timestamp() + 1


def test_an_event_log_meets_rules_with_and_without_a_log_source(replay: Run, vpk: Path, tmp_path: Path) -> None:
    assert replay(two_chunks(), "windows/security", "x.evtx") == (["tool", "process"] * 10, [])
    out = tmp_path / "out"
    assert main(["replay", "--pack", str(vpk), "--out", str(out), str(tmp_path / "x.evtx")]) == 0
    assert out.read_bytes().count(b'"uuid":"tool"') == 10


def test_a_log_that_was_written_over_is_read_in_the_order_of_its_records(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.evtx"
    chunks = [evtx.chunk(first, logged(range(first, first + 3))) for first in (10, 13, 4, 7)]
    path.write_bytes(evtx.log([*chunks, bytes(evtx.CHUNK)]))
    assert [event["EventRecordID"] for event in events(path, capfd)] == [str(n) for n in range(4, 16)]


def test_a_damaged_chunk_costs_itself(replay: Run) -> None:
    data = bytearray(two_chunks())
    data[evtx.HEADER] ^= 0xFF
    alerts, warnings = replay(bytes(data), name="x.evtx")
    assert len(alerts) == 5
    assert len(warnings) == 1
    assert warnings[0].startswith("1 of 2 chunks cannot be read, the first: chunk 0 (file offset 0x1000): ")


def test_a_damaged_record_costs_itself(replay: Run) -> None:
    data = bytearray(two_chunks())
    second = evtx.HEADER + evtx.CHUNK_HEADER + len(evtx.record(1, logged([1])[0], evtx.CHUNK_HEADER))
    data[second : second + 4] = b"oops"
    alerts, warnings = replay(bytes(data), name="x.evtx")
    assert len(alerts) == 9
    assert warnings[0].startswith("1 of 10 records cannot be read, the first: Failed to read the record at offset ")
    assert f"(file offset {second:#x})" in warnings[0]
    # The record's content instead of its header.
    data = bytearray(two_chunks())
    data[second + 24 + 4] = 0xEE
    alerts, warnings = replay(bytes(data), name="x.evtx")
    assert len(alerts) == 9
    assert warnings[0].startswith("1 of 10 records cannot be read, the first: Failed to parse record number 2: ")


def test_a_log_cut_anywhere_gives_what_was_readable(replay: Run) -> None:
    whole = two_chunks()
    third = evtx.HEADER + evtx.CHUNK + evtx.CHUNK_HEADER
    size = len(evtx.record(6, logged([6])[0], evtx.CHUNK_HEADER))
    for cut, readable in [
        (8, 0),
        (100, 0),
        (evtx.HEADER - 1, 0),
        (evtx.HEADER + 3, 0),
        (evtx.HEADER + evtx.CHUNK + 9, 5),
        (third + size, 6),
        (third + 2 * size + 40, 7),
        (len(whole) - 1, 10),
    ]:
        alerts, warnings = replay(whole[:cut], name="x.evtx")
        assert len(alerts) == readable, cut
        assert any(f"cut short at byte {cut}" in warning for warning in warnings), (cut, warnings)
    assert replay(whole[: evtx.HEADER], name="x.evtx") == ([], [])


def test_half_a_surrogate_pair_in_a_log_does_not_hide_the_event(replay: Run) -> None:
    data = evtx.log([evtx.chunk(1, logged([1, 2], "mimikatz \ud800 {}"))])
    alerts, _ = replay(data, name="x.evtx")
    assert alerts == ["tool", "tool"]
