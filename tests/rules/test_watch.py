"""``test --watch``: what counts as a change, and that a run is never missed or repeated for nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.rules.conftest import write
from vigla_rules.watching import changed, stamp, watch


def watched(folder: Path, steps: list[Callable[[], object]], codes: list[int]) -> tuple[int, int, list[list[str]]]:
    """Runs ``watch``, one step a look, then Ctrl-C: its code, the number of runs, what was told."""
    left: Iterator[Callable[[], object]] = iter(steps)
    runs: list[int] = []
    told: list[list[str]] = []

    def pause(_seconds: float) -> None:
        step = next(left, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    def run() -> int:
        runs.append(codes[len(runs)])
        return runs[-1]

    return watch(folder, run, told.append, pause), len(runs), told


def nothing() -> None: ...


def test_nothing_changes_and_nothing_runs_again(tmp_path: Path) -> None:
    write(tmp_path / "a.yml", "one")
    assert watched(tmp_path, [nothing, nothing], [1]) == (1, 1, [[]])


def test_each_change_runs_once_and_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "deep/a.yml", "one")
    steps = [lambda: write(path, "three"), nothing, path.unlink, nothing]
    code, runs, told = watched(tmp_path, steps, [0, 1, 0])
    assert (code, runs) == (0, 3)
    assert told == [[], [str(path)], [], [str(path)], []]


def test_a_file_saved_in_steps_is_one_change(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    steps = [lambda: write(path, "o"), lambda: write(path, "on"), lambda: write(path, "one"), nothing]
    assert watched(tmp_path, steps, [0, 0])[1] == 2


def test_a_change_during_the_run_is_seen(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yml", "one")
    runs: list[int] = []

    def run() -> int:
        runs.append(len(runs))
        if len(runs) == 1:
            write(path, "longer")
        return 0

    looks = iter(range(3))

    def pause(_seconds: float) -> None:
        if next(looks, None) is None:
            raise KeyboardInterrupt

    watch(tmp_path, run, lambda _paths: None, pause)
    assert len(runs) == 2


def test_ctrl_c_during_a_run_ends_it_too(tmp_path: Path) -> None:
    def run() -> int:
        raise KeyboardInterrupt

    assert watch(tmp_path, run, lambda _paths: None, lambda _seconds: None) == 0


def test_leftovers_of_editors_and_python_do_not_count(tmp_path: Path) -> None:
    before = stamp(tmp_path)
    for name in (".a.yml.swp", "a.yml~", "__pycache__/a.pyc", ".git/index"):
        write(tmp_path / name, "x")
    assert changed(before, stamp(tmp_path)) == []
    write(tmp_path / "a.yml", "x")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    assert changed(before, stamp(tmp_path)) == [str(tmp_path / "a.yml")]
