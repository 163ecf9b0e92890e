"""Dashboard and alerts ask for what the application exports, and show all that 000 §12 names (S0-90 to S0-98)."""

import re
from pathlib import Path

import pytest

from tests.unit.deploy.monitoring import (
    DEPLOY,
    Query,
    dashboard,
    dashboard_queries,
    document,
    exported,
    labels_of,
    recorded,
    rule_queries,
    rules,
)

RUNBOOK = Path(__file__).parents[3] / "docs" / "operations.md"
QUERIES = [*dashboard_queries(), *rule_queries()]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
def test_every_query_reads_series_that_the_application_exports(query: Query) -> None:
    assert query.metrics(), query.expr
    assert query.metrics() <= exported().keys() | recorded()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
def test_every_query_names_labels_that_its_series_have(query: Query) -> None:
    assert query.labels() <= labels_of(query)


@pytest.mark.parametrize(
    ("expr", "metrics", "labels"),
    [
        ('sum by (le) (rate(a_bucket{x="y",z=~"q|r"}[5m] offset 1h)) / scalar(max(b))', {"a_bucket", "b"}, {"le", "x", "z"}),
        ("world:held:ratio > 3 * (c_total or vector(0.2)) and d >= 20", {"world:held:ratio", "c_total", "d"}, set()),
    ],
)  # fmt: skip
def test_queries_are_read_as_they_are_meant(expr: str, metrics: set[str], labels: set[str]) -> None:
    query = Query("", expr)
    assert (query.metrics(), query.labels()) == (metrics, labels)


@pytest.mark.parametrize(
    "series",
    [
        "world_tick_duration_seconds_bucket",  # S0-90
        "world_influence_acts_total",  # S0-91, S0-93
        "council_reviews_total",  # S0-92
        "world_event_lag_seconds_bucket",  # S0-94
        "world_tick_last_timestamp_seconds",  # S0-96
        "world_influence_anomaly_score_bucket",  # S0-97
    ],
)
def test_the_dashboard_shows_every_metric_of_the_specification(series: str) -> None:
    assert any(series in query.metrics() for query in dashboard_queries())


def test_the_metrics_of_world_and_stories_are_all_looked_at() -> None:
    """A metric that no panel and no alert shows would be exported for nobody."""
    looked_at = set().union(*[query.metrics() for query in QUERIES])
    families = {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in exported() if name.startswith(("world_", "story_"))
    }
    seen = {re.sub(r"_(bucket|sum|count)$", "", name) for name in looked_at}
    assert families - seen == set()


def test_the_three_alerts_of_the_specification_are_there() -> None:
    """S0-96, S0-97, S0-98."""
    names = {rule["alert"] for rule in rules() if "alert" in rule}
    assert {"WorldTickStalled", "WorldAnomalySpike", "CouncilRejectRateAbnormal"} <= names


def test_every_alert_leads_to_a_section_of_the_runbook_that_is_there() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").strip()).lower().replace(" ", "-")
        for line in RUNBOOK.read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    }
    for rule in rules():
        if "alert" in rule:
            path, _, anchor = rule["annotations"]["runbook"].partition("#")
            assert path == "docs/operations.md"
            assert anchor in headings, rule["alert"]
            assert rule["labels"]["severity"] in {"page", "ticket"}


def test_every_alert_is_proved_to_fire_and_to_stay_quiet() -> None:
    """A rule that no unit test fires is a rule that nobody has seen work."""
    tests = [test for file in (DEPLOY / "tests").glob("*.yml") for test in document(f"tests/{file.name}")["tests"]]
    looked_at = [one for test in tests for one in test.get("alert_rule_test", ())]
    tried = [
        (one["alertname"], alert["exp_labels"].get("direction"))
        for one in looked_at
        for alert in one.get("exp_alerts", ())
    ]
    quiet = {one["alertname"] for one in looked_at if not one.get("exp_alerts")}
    alerts = {(rule["alert"], rule["labels"].get("direction")) for rule in rules() if "alert" in rule}
    assert alerts == set(tried)
    assert {name for name, _ in alerts} == quiet


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_panel_says_what_it_shows() -> None:
    assert all(panel["description"] for panel in dashboard()["panels"] if panel["type"] != "row")


def test_the_dashboard_and_its_source_are_provisioned() -> None:
    source = document("grafana/provisioning/datasources/prometheus.yml")["datasources"][0]
    used = {panel["datasource"]["uid"] for panel in dashboard()["panels"] if "datasource" in panel}
    assert used == {source["uid"]}
    folder = document("grafana/provisioning/dashboards/council.yml")["providers"][0]["options"]["path"]
    mounts = document("docker-compose.yml")["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboards:{folder}:ro" in mounts
    assert (DEPLOY / "grafana" / "dashboards" / "world.json").exists()
