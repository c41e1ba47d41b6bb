"""Watching ends when its time is over or somebody stops it, and takes what the last connections say."""

from tests.sensor.doctor.test_tally import conn, hit
from tests.sensor.support.detectors import ListDetector
from vigla_sensor.doctor import look_at_files, look_at_interfaces
from vigla_sensor.doctor.tally import Tally


class Ticking:
    """A clock that goes on by a second whenever it is asked."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


HITS = [hit("conn", conn()) for _ in range(5_000)]


def test_a_watch_ends_after_its_time_and_stops_the_detector() -> None:
    detector, tally, told = ListDetector(HITS, endless=True), Tally(), list[float]()
    watched = look_at_interfaces(
        detector, tally, 60.0, Ticking(), lambda: False, lambda seconds, _: told.append(seconds)
    )
    assert watched >= 60.0
    assert detector.stopped
    assert told == sorted(told)
    assert told
    assert tally.seen == len(HITS)


def test_a_watch_that_is_stopped_takes_what_is_still_to_be_told() -> None:
    detector, tally = ListDetector(HITS, endless=True), Tally()
    assert look_at_interfaces(detector, tally, 600.0, Ticking(), lambda: True, lambda *_: None) < 5.0
    assert detector.stopped
    assert tally.seen == len(HITS)


def test_a_detector_that_never_finishes_is_given_up() -> None:
    class Endless(ListDetector):
        def stop(self) -> None:
            """It does not."""

    tally = Tally()
    look_at_interfaces(Endless(HITS[:1], endless=True), tally, 5.0, Ticking(), lambda: False, lambda *_: None)
    assert tally.seen == 1


def test_files_are_read_to_their_end_unless_stopped() -> None:
    tally = Tally()
    assert look_at_files(ListDetector(HITS), tally, lambda: False, lambda *_: None)
    assert tally.seen == len(HITS)
    turns = iter([False, True])
    tally = Tally()
    assert not look_at_files(ListDetector(HITS), tally, lambda: next(turns), lambda *_: None)
    assert 0 < tally.seen < len(HITS)
