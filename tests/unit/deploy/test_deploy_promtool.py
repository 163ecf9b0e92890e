"""Prometheus itself reads what deploy/ gives it, and fires the alerts when it should (S0-96 to S0-98)."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.unit.deploy.monitoring import DEPLOY, binary, dashboard_queries

PROMTOOL = binary("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here: make promtool")


def promtool(*arguments: str) -> str:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_and_the_rules_are_valid() -> None:
    said = promtool("check", "config", str(DEPLOY / "prometheus.yml"))
    assert "SUCCESS" in said
    assert "SUCCESS" in promtool("check", "rules", str(DEPLOY / "alerts.yml"))


@pytest.mark.parametrize("file", sorted((DEPLOY / "tests").glob("*.yml")), ids=lambda file: file.stem)
def test_the_alerts_fire_when_they_should_and_not_before(file: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", str(file))


def test_every_query_of_the_dashboard_is_valid(tmp_path: Path) -> None:
    """As a recording rule: promtool has no other way to read a query without a server."""
    recorded = [{"record": f"panel:{number}", "expr": query.expr} for number, query in enumerate(dashboard_queries())]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}), encoding="utf-8")
    assert f"{len(recorded)} rules found" in promtool("check", "rules", str(file))
