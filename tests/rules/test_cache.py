"""The cache: it saves time, and whatever is done to it, the pack stays the same bytes."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.rules.conftest import RULE, write
from vigla_rules import reading
from vigla_rules.caching import key as keys
from vigla_rules.caching.cache import FILE, DraftCache, user_cache
from vigla_rules.caching.codec import decode, encode
from vigla_rules.cli import main
from vigla_rules.compiling import compile_trees
from vigla_rules.drafting import read_file
from vigla_rules.files import RuleFile
from vigla_rules.layout import read_tree
from vigla_rules.pipeline_names import UnknownPipelineError
from vigla_rules.pipelines import read_pipeline

ROOT = Path(__file__).resolve().parents[2]
EVERY_KIND = """\
title: All Kinds
id: 00000000-0000-4000-8000-0000000000aa
logsource: {category: process_creation, product: windows}
detection:
    sel:
        - Image|endswith: [a?b.exe, 'x*y', '*z']
        - Data|base64offset|contains: 'άλφα'
    keys: [one, 'two*three']
    number: {EventID: 4624, Size|gte: 3.5, On|hour: 7, Flag: true, Gone: null, Here|exists: true}
    other: {A|fieldref: B, Net|cidr: 192.0.2.0/24, Re|re|i: 'x.+', Text: '', User|expand: '%admins%', N|neq: 'q'}
    condition: (sel or keys) and number and not other
level: low
---
title: Counted
id: 00000000-0000-4000-8000-0000000000ab
author: Vigla
correlation:
    type: value_count
    rules: [kinds]
    group-by: [who]
    timespan: 5m
    condition: {gte: 2, lt: 9, field: Size}
    aliases: {who: {kinds: User}}
---
title: In a Window
id: 00000000-0000-4000-8000-0000000000ae
author: Vigla
correlation:
    type: temporal
    rules: [kinds, other]
    timespan: 5m
    condition: kinds and not other
---
title: Left Out
id: 00000000-0000-4000-8000-0000000000ac
author: Vigla
logsource: {product: windows}
filter: {rules: [kinds], s: {A: b}, condition: not s}
---
title: Refused
id: 00000000-0000-4000-8000-0000000000ad
logsource: {product: windows}
detection: {s: {A|endwith: b}, condition: s}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(6):
        text = RULE.replace("000000000001", f"{number:012d}").replace("tor_gateway", f"rule_{number}")
        write(tmp_path / f"rules/{number}.yml", text)
    write(tmp_path / "rules/bad.yml", RULE.replace("endswith", "endwith").replace("0001\n", "0099\n"))
    return tmp_path / "rules"


def built(tree: Path, cache: Path | None, *more: str) -> bytes:
    target = tree.parent / "p.vpk"
    kept = ["--no-cache"] if cache is None else ["--cache", str(cache)]
    assert main(["compile", str(tree), "-o", str(target), *kept, *more]) == 0
    return target.read_bytes()


@pytest.mark.parametrize("pipelines", [(), ("sysmon", "windows-logsource")])
def test_every_kind_of_draft_comes_back_equal_and_under_the_new_path(pipelines: tuple[str, ...]) -> None:
    file = RuleFile("here/x.yml", "x.yml", EVERY_KIND.replace("[kinds]", "[x]").replace("kinds:", "x:").encode())
    read = read_file(file, lambda: read_pipeline(pipelines))
    assert len(read.drafts) == 4
    assert [finding.code for finding in read.findings if finding.is_error] == ["unknown-modifier"]
    again = decode(encode(read), "here/x.yml")
    assert again == read
    moved = decode(encode(read), "there/x.yml")
    assert {draft.placed.path for draft in moved.drafts} == {"there/x.yml"}
    assert {finding.path for finding in moved.findings} == {"there/x.yml"}


def test_warm_equals_cold_equals_uncached_and_nothing_is_parsed_twice(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = built(tree, None)
    cold = built(tree, tmp_path / "cache")
    parsed: list[str] = []
    real = reading._parsed

    def counted(files: list[RuleFile], pipelines: tuple[str, ...], workers: int | None) -> object:
        parsed.extend(file.relative for file in files)
        return real(files, pipelines, workers)

    monkeypatch.setattr(reading, "_parsed", counted)
    assert built(tree, tmp_path / "cache") == cold == plain
    assert parsed == []
    write(tree / "3.yml", (tree / "3.yml").read_text(encoding="utf-8").replace("level: high", "level: low"))
    changed = built(tree, tmp_path / "cache")
    assert parsed == ["3.yml"]
    assert changed != plain
    assert changed == built(tree, None)


def test_the_number_of_processes_changes_no_byte(tree: Path) -> None:
    for number in range(10, 70):
        text = RULE.replace("000000000001", f"{number:012d}").replace("tor_gateway", f"rule_{number}")
        write(tree / f"{number}.yml", text)
    packs = {built(tree, None, "--jobs", jobs) for jobs in ("1", "2", "3")}
    assert len(packs) == 1


def test_a_warm_compile_does_not_load_the_parser(tree: Path, tmp_path: Path) -> None:
    built(tree, tmp_path / "cache", "--pipeline", "sysmon")
    code = (
        "import sys; from vigla_rules.cli import main; "
        f"main(['compile', {str(tree)!r}, '-o', {str(tmp_path / 'q.vpk')!r}, '--pipeline', 'sysmon', "
        f"'--cache', {str(tmp_path / 'cache')!r}]); print(any(name.split('.')[0] == 'sigma' for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def _damaged(path: Path) -> None:
    path.write_bytes(b"no database" * 500)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _flipped(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE drafts SET content = replace(content, 'onion', 'union')")


def _forged(path: Path) -> None:
    """An entry whose hash is right and whose content is no draft."""
    with closing(sqlite3.connect(path)) as database, database:
        for (key,) in database.execute("SELECT key FROM drafts").fetchall():
            content = b'[[["p"]],[{"c":"Path","v":["/etc"]}],[]]'
            row = (keys.hashlib.sha256(key + content).digest(), content, key)
            database.execute("UPDATE drafts SET digest = ?, content = ? WHERE key = ?", row)


def _typed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE drafts SET content = 'text', digest = 5")


def _other_table(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE drafts (a, b)")


def _linked(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def _open_to_all(path: Path) -> None:
    path.parent.chmod(0o777)


def _no_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("a file where the folder should be", encoding="utf-8")


def _linked_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to(path.parent.with_name("elsewhere"))


@pytest.mark.parametrize(
    "harm",
    [_damaged, _cut, _flipped, _forged, _typed, _other_table, _linked, _open_to_all, _no_folder, _linked_folder],
)
def test_a_bad_cache_is_a_warning_and_never_another_pack(
    harm: Callable[[Path], None], tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = built(tree, tmp_path / "cache")
    capsys.readouterr()
    harm(tmp_path / "cache" / FILE)
    assert built(tree, tmp_path / "cache") == plain
    assert f"warning: cache {tmp_path / 'cache'}" in capsys.readouterr().err


def test_an_empty_file_is_filled_anew(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = built(tree, tmp_path / "cache")
    _emptied(tmp_path / "cache" / FILE)
    capsys.readouterr()
    assert built(tree, tmp_path / "cache") == plain
    assert "warning" not in capsys.readouterr().err


def test_a_damaged_file_is_gone_for_the_next_run(tree: Path, tmp_path: Path) -> None:
    built(tree, tmp_path / "cache")
    _damaged(tmp_path / "cache" / FILE)
    built(tree, tmp_path / "cache")
    built(tree, tmp_path / "cache")
    with closing(sqlite3.connect(tmp_path / "cache" / FILE)) as database:
        assert database.execute("SELECT count(*) FROM drafts").fetchone() == (7,)


def test_a_full_cache_drops_what_is_older_and_a_too_small_one_is_a_warning(tmp_path: Path) -> None:
    said: list[str] = []
    cache = DraftCache(tmp_path / "c", said.append, max_bytes=64 << 10)
    for number in range(8):
        cache.put({bytes([number]) * 32: b"x" * 20_000})
    assert not said
    assert cache.get([bytes([7]) * 32])
    assert not cache.get([bytes([0]) * 32])
    cache.put({b"k" * 32: b"x" * 200_000})
    assert "full" in said[0]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_the_folder_is_private(tree: Path, tmp_path: Path) -> None:
    built(tree, tmp_path / "deep" / "cache")
    assert (tmp_path / "deep" / "cache").stat().st_mode & 0o777 == 0o700


def test_two_compiles_may_share_a_cache(tree: Path, tmp_path: Path) -> None:
    plain = built(tree, None)
    command = [sys.executable, "-m", "vigla_rules", "compile", str(tree), "--cache", str(tmp_path / "c"), "-o"]
    both = [
        subprocess.Popen([*command, str(tmp_path / f"{at}.vpk")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for at in range(2)
    ]
    for one in both:
        assert one.communicate()[1].count(b"warning") == 0
        assert one.returncode == 0
    assert {(tmp_path / f"{at}.vpk").read_bytes() for at in range(2)} == {plain}


def test_what_the_key_depends_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RuleFile("a/x.yml", "x.yml", b"text")
    pipeline = write(tmp_path / "p.yml", "name: x\npriority: 1\ntransformations: []\n")
    base = keys.base_key(())
    seen = [
        keys.file_key(base, file),
        keys.file_key(base, RuleFile("a/x.yml", "x.yml", b"other")),
        keys.file_key(base, RuleFile("a/x.yml", "y.yml", b"text")),
        keys.file_key(keys.base_key(("sysmon",)), file),
        keys.file_key(keys.base_key(("sysmon", "windows-logsource")), file),
        keys.file_key(keys.base_key(("windows-logsource", "sysmon")), file),
        keys.file_key(keys.base_key((str(pipeline),)), file),
    ]
    write(pipeline, "name: y\npriority: 1\ntransformations: []\n")
    seen.append(keys.file_key(keys.base_key((str(pipeline),)), file))
    monkeypatch.setattr(keys, "_version", lambda _name: "another")
    seen.append(keys.file_key(keys.base_key(()), file))
    monkeypatch.setattr(keys, "compiler_version", lambda: "another")
    seen.append(keys.file_key(keys.base_key(()), file))
    assert len(set(seen)) == len(seen)
    assert keys.file_key(base, RuleFile("b/x.yml", "x.yml", b"text")) == seen[0], "where it stands does not count"
    with pytest.raises(UnknownPipelineError):
        keys.base_key(("nothing",))


def test_the_compilers_version_is_that_of_its_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys.compiler_version.cache_clear()
    before = keys.compiler_version()
    copy = tmp_path / "vigla_rules"
    write(copy / "a.py", "one")
    monkeypatch.setattr(keys.vigla_rules, "__file__", str(copy / "__init__.py"))
    seen = {before}
    for name, text in (("a.py", "one"), ("a.py", "two"), ("deep/b.py", "two"), ("readme.txt", "two")):
        write(copy / name, text)
        keys.compiler_version.cache_clear()
        seen.add(keys.compiler_version())
    assert len(seen) == 4, "three states of its sources; what is no source does not count"
    keys.compiler_version.cache_clear()


def test_where_the_cache_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "vigla-rules"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_cache() == tmp_path / ".cache" / "vigla-rules"


def test_our_own_pack_survives_the_codec(tmp_path: Path) -> None:
    tree = read_tree(ROOT / "rules" / "pack")
    plain = compile_trees([tree], (), lambda _d, _t: None)
    cache = DraftCache(tmp_path / "c", pytest.fail)
    for _ in range(2):
        again = compile_trees([tree], (), lambda _d, _t: None, cache=cache)
        assert again.data == plain.data
        assert again.drafts == plain.drafts
        assert again.findings == plain.findings


def test_progress_counts_what_came_from_the_cache(tree: Path, tmp_path: Path) -> None:
    cache = DraftCache(tmp_path / "c", pytest.fail)
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        compile_trees([read_tree(tree)], (), lambda done, total: seen.append((done, total)), cache=cache)
    assert seen == [(0, 7), (7, 7), (7, 7)]


def test_json_says_the_same_warm(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for _ in range(2):
        built(tree, tmp_path / "c", "--json")
        said.append(json.loads(capsys.readouterr().out))
    assert said[0] == said[1]
    assert said[0]["refused"][0]["code"] == "unknown-modifier"
