"""Processing pipelines by name, without loading any: the installed ones, and pySigma's YAML by path."""

from dataclasses import dataclass
from pathlib import Path

from vigla_rules.findings import did_you_mean

MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Installed:
    """Where a pipeline stands: ``module:function`` of a distribution."""

    entry: str
    distribution: str


INSTALLED = {
    "sysmon": Installed("sigma.pipelines.sysmon.sysmon:sysmon_pipeline", "pysigma-pipeline-sysmon"),
    "windows-audit": Installed("sigma.pipelines.windows.windows:windows_audit_pipeline", "pysigma-pipeline-windows"),
    "windows-logsource": Installed(
        "sigma.pipelines.windows.windows:windows_logsource_pipeline", "pysigma-pipeline-windows"
    ),
}


class UnknownPipelineError(ValueError):
    """No such name, or a file that is no pipeline."""


def pipeline_file(name: str) -> bytes:
    """The bytes of a pipeline's YAML file; raises ``UnknownPipelineError`` where there is none."""
    path = Path(name)
    if not path.is_file():
        advice = did_you_mean(
            name, sorted(INSTALLED), f"known: {', '.join(sorted(INSTALLED))}, or the path of a YAML file"
        )
        raise UnknownPipelineError(f"pipeline '{name}' is neither a name nor a file; {advice}")
    if path.stat().st_size > MAX_BYTES:
        raise UnknownPipelineError(f"{name}: larger than {MAX_BYTES} bytes; a pipeline is a small YAML file")
    return path.read_bytes()
