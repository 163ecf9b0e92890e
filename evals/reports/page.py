"""The report as one HTML file that asks nothing of anybody: no script, no request, and every text escaped. Pure."""

from importlib.resources import files
from typing import Final

from evals.markup import Markup, joined, tag, void
from evals.reports.figure_sections import backtest_section, members_section, spending_section, tradeoff_section
from evals.reports.judgement import Judgement
from evals.reports.parts import listed, paragraph
from evals.reports.report import Report
from evals.reports.sections import (
    changes_section,
    failures_section,
    gates_section,
    verdicts_section,
    versions_section,
)

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a browser lets the page do: draw itself."""
_SIGNS: Final = {"ship": "✓", "hold": "✗", "unknown": "?"}
_MARKS: Final = {"against": "✗", "missing": "?", "for": "✓", "note": "·"}


def page(report: Report) -> str:
    """Return the whole file; the same report gives the same bytes."""
    titles = {
        "gates": ("Gates", gates_section(report)),
        "changes": ("What changed", changes_section(report)),
        "verdicts": ("Verdicts", verdicts_section(report)),
        "failures": ("Failures", failures_section(report)),
        "backtest": ("Backtest", backtest_section(report)),
        "tradeoff": ("Trade-off", tradeoff_section(report)),
        "members": ("Members", members_section(report)),
        "spending": ("Cost", spending_section(report)),
        "versions": ("Versions", versions_section(report)),
    }
    shown = {key: (title, body) for key, (title, body) in titles.items() if body is not None}
    links = [tag("a", title, href=f"#{key}") for key, (title, _) in shown.items()]
    contents = tag("nav", tag("a", "Summary", href="#summary"), *links, aria_label="Contents")
    main = tag("main", *[body for _, body in shown.values()])
    body = tag("body", _top(report), tag("div", contents, main, class_="layout"))
    return f"<!doctype html>\n{tag('html', _head(report), body, lang='en')}\n"


def _head(report: Report) -> Markup:
    style = files("evals.reports").joinpath("page.css").read_text("utf-8")
    return tag(
        "head",
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=POLICY),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        void("link", rel="icon", href="data:,"),
        tag("title", f"{report.run.suite}: {report.judgement.headline}"),
        Markup(f"<style>{style}</style>"),
    )


def _top(report: Report) -> Markup:
    run = report.run
    results = f"{report.cases:,} cases" + (f" × {run.repeats} repeats" if run.repeats > 1 else "")
    policy = f"policy {run.policy_id} version {run.policy_version}"
    facts = " · ".join([policy, f"mode {run.mode}", results, run.started_at[:16].replace("T", " ") + " UTC"])
    return tag(
        "header",
        paragraph("Evaluation of the council", kind="eyebrow"),
        tag("h1", run.suite),
        paragraph(facts, kind="aside"),
        _judgement(report.judgement),
        id="summary",
    )


def _judgement(found: Judgement) -> Markup:
    evidence = [
        joined([tag("span", _MARKS[each.kind], class_=f"mark-{each.kind}", aria_hidden="true"), tag("span", each.told)])
        for each in found.evidence
    ]
    sign = tag("span", _SIGNS[found.answer], class_="answer-sign", aria_hidden="true")
    headline = paragraph(sign, found.headline, kind="headline")
    return tag("div", headline, listed(evidence, "evidence"), class_=f"answer answer-{found.answer}")
