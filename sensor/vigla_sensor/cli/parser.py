"""Commands and options."""

import argparse
from pathlib import Path

import vigla_sensor

_CONFIG = "the sensor's configuration (TOML)"
_LOGSOURCE = (
    "text inputs are JSON objects of this log source: PRODUCT[/SERVICE], or product=P,category=C,service=S with any of "
    "them left out; event logs are of windows unless it is given"
)
_DESCRIPTION = """Vigla's sensor: inspects logs and captures against Sigma rules and ships alerts.

Exit codes: 0 fine, 1 findings or failures, 2 usage or configuration."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="vigla-sensor", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    root.add_argument("--version", action="version", version=f"vigla-sensor {vigla_sensor.__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _run(commands)
    _replay(commands)
    _events(commands)
    _check(commands)
    _doctor(commands)
    _spool(commands)
    _explain(commands)
    _sources(commands)
    return root


def _run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="sense: watch interfaces, follow logs, match, spool, deliver until stopped")
    run.add_argument("--config", type=Path, required=True, help=_CONFIG)


def _replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    replay = commands.add_parser(
        "replay",
        help="captures and logs to alert documents, or through the spool to the configured sinks",
        description="Reads captures (pcap, pcapng), Windows event logs (EVTX), log files and JSON, also in gzip, zstd "
        "or UTF-16, told apart by content. With --out or without a sink, writes alert documents as JSON lines; else "
        "delivers them through the real spool and drains it before it ends.",
    )
    replay.add_argument("paths", nargs="+", metavar="PATH", help="capture, event log, log file or JSON")
    replay.add_argument("--pack", help="compiled rules (.vpk); default: the configuration's")
    replay.add_argument("--config", type=Path, help=_CONFIG)
    replay.add_argument("--out", metavar="FILE|-", help="write alert documents there instead of delivering")
    replay.add_argument("--logsource", metavar="SOURCE", help=_LOGSOURCE)
    replay.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="end the drain after so long without any",
    )
    replay.add_argument("--json", action="store_true", help="a report as JSON on standard output (when delivering)")


def _events(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    events = commands.add_parser("events", help="the decoded events, one JSON object a line, in Zeek's names")
    events.add_argument("paths", nargs="+", metavar="PATH", help="capture, event log, log file or JSON")
    events.add_argument("--out", metavar="FILE|-", default="-", help="default: standard output")
    events.add_argument("--pack", help="compiled rules (.vpk): its log source definitions read log files")
    events.add_argument("--config", type=Path, help=_CONFIG)
    events.add_argument("--json", action="store_true", help="counters of all stages, as JSON on standard error")
    events.add_argument("--logsource", metavar="SOURCE", help=_LOGSOURCE)


def _check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser("check", help="whether configuration, pack, permissions and disk are fit to run")
    check.add_argument("--config", type=Path, required=True, help=_CONFIG)
    check.add_argument("--json", action="store_true", help="findings as JSON")


def _doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doctor = commands.add_parser(
        "doctor",
        help="what this mirror port shows and hides, and what to do about it, in Greek or English",
        description="Watches interfaces for some minutes, or reads captures, and says what can be seen there and what "
        "cannot: one-sided mirroring, missing VLANs, the wrong side of the NAT, no DNS, lost, cut, doubled or damaged "
        "packets, encryption, clocks. It changes nothing and may run beside the sensor.",
        epilog="Exit codes: 0 nothing to do, 1 something calls for something to be done (BLIND or WARNING), 2 usage, "
        "configuration or permission.",
    )
    doctor.add_argument("paths", nargs="*", metavar="PATH", help="captures to read instead of watching")
    doctor.add_argument("--config", type=Path, help=f"{_CONFIG}: interfaces, local networks, spool")
    doctor.add_argument(
        "--interface",
        "-i",
        action="append",
        default=[],
        metavar="IF",
        help="watch this one; may be given more than once",
    )
    doctor.add_argument(
        "--for", dest="duration", default="10m", metavar="TIME", help="90s, 10m (default), 1h; Ctrl-C ends earlier"
    )
    doctor.add_argument(
        "--vlan", default="", metavar="IDS", help="VLANs that must be there: 10,20; default: [[interfaces]] vlans"
    )
    doctor.add_argument("--lang", "--language", dest="language", choices=("el", "en"), help="default: the locale's")
    doctor.add_argument("--json", action="store_true", help="observation and findings as JSON")


def _spool(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    spool = commands.add_parser("spool", help="what waits, what died; ship it, or try it again")
    what = spool.add_subparsers(dest="what", required=True, metavar="status|drain|redrive")
    status = what.add_parser("status", help="counters per sink and severity, and whether they balance")
    drain = what.add_parser("drain", help="ship what waits, then end; for a sensor that does not run")
    redrive = what.add_parser("redrive", help="put dead letters back to be sent")
    for each in (status, drain, redrive):
        each.add_argument("--config", type=Path, required=True, help=_CONFIG)
        each.add_argument("--json", action="store_true", help="for machines")
    drain.add_argument(
        "--patience", type=float, default=60.0, metavar="SECONDS", help="give up after so long without progress"
    )
    redrive.add_argument("--sink", help="only this sink's; default: all")


def _explain(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    explain = commands.add_parser(
        "explain",
        help="why a rule did or did not match an event",
        description="The rule's condition as a tree, with true, false or missing at each node. The event is a hit, an "
        "event that `events` printed, or fields alone, which are taken to be of the rule's own log source.",
    )
    explain.add_argument("event", metavar="EVENT.json", help="a file of JSON; - reads standard input")
    explain.add_argument("--pack", help="compiled rules (.vpk); default: the configuration's")
    explain.add_argument("--config", type=Path, help=f"{_CONFIG}: its lists and networks")
    explain.add_argument("--rule", required=True, metavar="ID", help="the rule's id, name or title")
    explain.add_argument("--logsource", metavar="SOURCE", help="the event's: PRODUCT[/SERVICE] or product=P,category=C")
    explain.add_argument("--number", type=int, default=1, metavar="N", help="of several events in the file the Nth")
    explain.add_argument("--language", choices=("el", "en"), help="default: the locale's")
    explain.add_argument("--json", action="store_true", help="the tree as it comes from the core")


def _sources(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    sources = commands.add_parser("sources", help="log source definitions")
    what = sources.add_subparsers(dest="what", required=True, metavar="explain")
    explain = what.add_parser("explain", help="which definition took each line of a log file")
    explain.add_argument("path", metavar="FILE")
    explain.add_argument("--pack", help="compiled rules (.vpk); default: the configuration's")
    explain.add_argument("--config", type=Path, help=_CONFIG)
    explain.add_argument("--out", metavar="FILE|-", default="-", help="default: standard output")
