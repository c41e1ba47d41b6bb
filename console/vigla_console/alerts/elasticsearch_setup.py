"""What an existing cluster needs before the first alert, and whether it has it: templates and room for shards."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vigla_console.alerts.bucket import PREFIX
from vigla_console.alerts.elasticsearch import Cluster
from vigla_console.alerts.interfaces import StoreUnavailable

# path → file; components before the template that is composed of them
TEMPLATES = {
    "/_component_template/vigla-alerts@settings": "component-settings.json",
    "/_component_template/vigla-alerts@mappings": "component-mappings.json",
    "/_index_template/vigla-alerts": "index-template.json",
}
SHARDS_PER_NODE = 1_000  # the server's default limit
WARN_AT = 0.8
INSTALLED = Path("/usr/share/vigla/elasticsearch")


def templates_folder() -> Path:
    """`deploy/elasticsearch` of a checkout, else where the package puts it."""
    checkout = Path(__file__).resolve().parents[3] / "deploy" / "elasticsearch"
    return checkout if checkout.is_dir() else INSTALLED


def setup(cluster: Cluster, folder: Path) -> Sequence[str]:
    """Puts the templates, replacing older ones; returns their paths. Raises ``StoreUnavailable`` or ``ValueError``."""
    for path, name in TEMPLATES.items():
        cluster.ask("PUT", path, _read(folder / name))
    return list(TEMPLATES)


def check(cluster: Cluster, folder: Path) -> Sequence[str]:
    """What an operator has to do, in words; nothing if all is well."""
    findings = []
    for path, name in TEMPLATES.items():
        wanted = _read(folder / name)["_meta"]["vigla"]["schema"]
        try:
            kind = path.split("/")[1].removeprefix("_")
            found = cluster.ask("GET", path)[f"{kind}s"][0][kind]["_meta"]["vigla"]["schema"]
        except (StoreUnavailable, LookupError):
            findings.append(f"{path} is missing: run `vigla-console elasticsearch setup`")
            continue
        if found != wanted:
            findings.append(
                f"{path} is of schema {found}, this hub needs {wanted}: run `vigla-console elasticsearch setup`"
            )
    cluster.refresh_list()
    findings += [f"an index of {tenant} is closed: its alerts are not found" for tenant in cluster.closed_tenants()]
    return findings + list(_budget(cluster))


def _budget(cluster: Cluster) -> Sequence[str]:
    health = cluster.ask("GET", "/_cluster/health?filter_path=active_shards,unassigned_shards,number_of_data_nodes")
    used = health["active_shards"] + health["unassigned_shards"]
    room = SHARDS_PER_NODE * health["number_of_data_nodes"]
    if used < WARN_AT * room:
        return []
    ours = len(cluster.indices())
    return [f"{used} of {room} shards are used, {ours} by {PREFIX}*: delete old years or add a node before the limit"]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; name the folder of templates with --templates") from error
