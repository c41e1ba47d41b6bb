"""The entry point: options to command to exit code. Every expected error becomes one line that says what to do."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from vigla_sensor.cli import diagnosing, inspecting, sensing, spooling
from vigla_sensor.cli.context import FAILED, USAGE, Context
from vigla_sensor.cli.core import Core, NativeCore
from vigla_sensor.cli.parser import parser
from vigla_sensor.clock import SystemClock
from vigla_sensor.config import ConfigError
from vigla_sensor.run import StartFault

COMMANDS: Mapping[tuple[str, str | None], Callable[[Context], int]] = {
    ("run", None): sensing.run,
    ("check", None): sensing.check,
    ("doctor", None): diagnosing.diagnose,
    ("replay", None): inspecting.replay,
    ("events", None): inspecting.events,
    ("explain", None): inspecting.explain,
    ("sources", "explain"): inspecting.sources_explain,
    ("spool", "status"): spooling.status,
    ("spool", "drain"): spooling.drain,
    ("spool", "redrive"): spooling.redrive,
}


def main(arguments: Sequence[str] | None = None, core: Core | None = None) -> int:
    """Runs one command; its exit code."""
    options = parser().parse_args(arguments)
    context = Context(options, sys.stdout.buffer, sys.stderr, SystemClock(), core or NativeCore())
    command = COMMANDS[options.command, getattr(options, "what", None)]
    try:
        return command(context)
    except (ConfigError, StartFault) as error:
        context.say(f"vigla-sensor: {error}")
        return USAGE
    except BrokenPipeError:
        # The reader of our output has left (`| head`): no traceback, and none when Python flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        context.say("vigla-sensor: interrupted")
        return FAILED
    except ValueError as error:
        # The core's declared errors: an input, a pack or settings that it refuses.
        context.say(f"vigla-sensor: {error}")
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
