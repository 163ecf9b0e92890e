"""What is monitored, read from deploy/, and what the application exports."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from gateway.metrics import Metrics
from gateway.story_metrics import StoryMetrics
from gateway.world_metrics import WorldMetrics

DEPLOY: Final = Path(__file__).parents[3] / "deploy"
UNPACKED: Final = DEPLOY.parent / ".debian" / "usr" / "bin"
"""Where `make promtool` unpacks what it can fetch."""
_OF_PROCESS: Final = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
_OF_TARGET: Final = {"job", "instance"}
"""Labels that Prometheus adds to everything it asks."""
_WORD: Final = re.compile(r"(?<![\w:])[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w)(?!\s*\()")
_KEYWORDS: Final = {
    "and",
    "or",
    "unless",
    "by",
    "without",
    "offset",
    "on",
    "ignoring",
    "bool",
    "group_left",
    "group_right",
}
_GROUPED: Final = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_MATCHED: Final = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)?\{([^}]*)\}")


class Query(NamedTuple):
    """One PromQL expression and where it stands."""

    where: str
    expr: str

    def metrics(self) -> set[str]:
        """Return the metrics that it reads."""
        bare = _GROUPED.sub("", re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", self.expr))
        return set(_WORD.findall(bare)) - _KEYWORDS

    def labels(self) -> set[str]:
        """Return the labels that it names, in matchers and groups."""
        grouped = {label.strip() for group in _GROUPED.findall(self.expr) for label in group.split(",")}
        matched = {
            re.split(r"[=!]", one)[0].strip() for _, inner in _MATCHED.findall(self.expr) for one in inner.split(",")
        }
        return {label for label in grouped | matched if label}


def binary(name: str) -> str | None:
    """Return the path of a program that checks deploy/; None where it is not there."""
    found = shutil.which(name)
    if found is None and os.access(UNPACKED / name, os.X_OK):
        found = str(UNPACKED / name)
    return found


def document(name: str) -> Any:
    """Return a YAML file of deploy/."""
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def rules() -> Iterator[dict[str, Any]]:
    """Yield every recording and alerting rule."""
    for group in document("alerts.yml")["groups"]:
        yield from group["rules"]


def recorded() -> set[str]:
    """Return the names of recorded series."""
    return {rule["record"] for rule in rules() if "record" in rule}


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / "world.json").read_text(encoding="utf-8"))
    return found


def dashboard_queries() -> list[Query]:
    """Return every query of every panel, as it reads with all realms chosen."""
    return [
        Query(panel["title"], target["expr"].replace("$realm", ".*"))
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]


def rule_queries() -> list[Query]:
    """Return the query of every rule."""
    return [Query(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]


def exported() -> dict[str, frozenset[str]]:
    """Return the series that the application exports, with their labels."""
    metrics = Metrics()
    found = {name: frozenset[str]() for name in _OF_PROCESS}
    for holder in (metrics, WorldMetrics(CollectorRegistry()), StoryMetrics(CollectorRegistry())):
        for metric in vars(holder).values():
            if isinstance(metric, MetricWrapperBase):
                found.update(_series(metric))
    return found


def labels_of(query: Query) -> set[str]:
    """Return the labels that a query may name: those of the series that it reads, and those of targets."""
    known = exported()
    allowed = set(_OF_TARGET)
    for name in query.metrics():
        allowed |= known.get(name, frozenset())
        for rule in rules():
            if rule.get("record") == name:
                allowed |= labels_of(Query(name, rule["expr"]))
    return allowed


def _series(metric: MetricWrapperBase) -> Iterator[tuple[str, frozenset[str]]]:
    # The library keeps both to itself and shows labels only once there are samples.
    name, labels = metric._name, frozenset(metric._labelnames)
    if isinstance(metric, Histogram):
        yield f"{name}_bucket", labels | {"le"}
        yield f"{name}_sum", labels
        yield f"{name}_count", labels
    else:
        yield f"{name}_total" if isinstance(metric, Counter) else name, labels
