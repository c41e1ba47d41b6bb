"""A sensor process for one test: replays hits through the real composition root; kills itself after answer N came.

python -m tests.elasticsearch.dying_sensor CONFIG N      (N = 0: lives)
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.sensor.support.detectors import ListDetector, dns_hits
from tests.sensor.support.packs import pack_bytes
from vigla_sensor.alert import Pack
from vigla_sensor.clock import SystemClock
from vigla_sensor.config import load
from vigla_sensor.deliver import elasticsearch
from vigla_sensor.run import replay_to_sinks


def main(config: str, kill_at: int) -> int:
    calls = 0

    class Dying(elasticsearch.ClientBulk):
        def __call__(self, api_key: str, operations: Sequence[bytes]) -> Mapping[str, Any]:
            nonlocal calls
            answer = super().__call__(api_key, operations)
            calls += 1
            if calls == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

    elasticsearch.ClientBulk = Dying  # type: ignore[misc]
    detector = ListDetector(dns_hits(1000))
    pack = Pack.read(pack_bytes())
    report = replay_to_sinks(detector, load(Path(config)), pack, SystemClock(), lambda _: None, patience=30)
    return 0 if report.waiting == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
