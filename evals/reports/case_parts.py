"""One case on the page: why it is shown, what was asked, every vote, the quotas, the rules, what differs from the baseline."""

from typing import Final

from council.explain import QuotaLine
from evals.markup import Child, Markup, joined, tag
from evals.reports.parts import NONE, Column, code, listed, paragraph, table, turn, verdict
from evals.reports.stories import RuleLine, Story, VoteLine, usd

_VOTES: Final = (
    Column("member"), Column("vote"), Column("confidence", is_number=True), Column("weight", is_number=True),
    Column("by"), Column("why"),
)  # fmt: skip
_CHECKS: Final = (Column("expectation"), Column("expected"), Column("found"))
_CALM: Final = ("passed", "corrected")
_ALARMS: Final = ("unsafe approval", "could not be judged")


def case_article(story: Story, *, is_open: bool) -> Markup:
    """Return a case that opens when asked for, its head always in sight."""
    return tag("details", _head(story), tag("div", *_body(story), class_="case-body"), class_="case", open=is_open)


def _head(story: Story) -> Markup:
    result = story.result
    loud = " alarm" if story.concern in _ALARMS else " calm" if story.concern in _CALM else ""
    badge = tag("span", story.concern, class_=f"badge{loud}")
    turned = turn(story.before.verdict, result.verdict) if story.before is not None else verdict(result.verdict)
    label = tag("span", "label ", verdict(result.label), class_="aside") if result.label else None
    repeat = f" · repeat {result.repeat + 1}" if result.repeat else ""
    where = " · ".join([result.axis or "no axis", result.decision_type.replace("_", " ")])
    about = tag("span", f"{where}{repeat}", class_="aside")
    return tag(
        "summary",
        tag("span", result.case, class_="case-id"),
        " ",
        badge,
        tag("span", turned, class_="turn"),
        label,
        about,
    )


def _body(story: Story) -> list[Child]:
    result = story.result
    parts: list[Child] = []
    if story.summary:
        parts.append(tag("blockquote", story.summary))
    parts.append(listed(story.effects, "effects"))
    if result.error:
        parts.append(paragraph("Could not be judged: ", result.error))
    failed = [check for check in result.checks if not check.passed]
    if failed:
        rows = [(code(check.expectation), _value(check.expected), _value(check.found)) for check in failed]
        parts += [tag("h4", "Expected and found"), table(_CHECKS, rows)]
    if story.differences:
        parts += [tag("h4", "What differs from the baseline"), listed(story.differences)]
    if story.votes:
        parts += [tag("h4", "Votes"), table(_VOTES, [_vote(line) for line in story.votes])]
    if any(line.verdict != "approve" and line.members for line in story.quotas):
        parts += [
            tag("h4", "Mass against quotas"),
            tag("div", *[_level(line) for line in story.quotas[:-1]], class_="levels"),
        ]
    if story.rules:
        parts += [tag("h4", "Rules that fired"), listed([_rule(rule) for rule in story.rules])]
    if result.reasons:
        parts += [tag("h4", "Reasons given"), listed(result.reasons)]
    return [*parts, _foot(story)]


def _vote(line: VoteLine) -> tuple[Child, ...]:
    said = verdict(line.said) if line.before is None else turn(line.before, line.said)
    sure = NONE if line.confidence is None else f"{line.confidence / 1000:.2f}"
    return line.member, said, sure, line.weight or NONE, line.source or NONE, line.why or NONE


def _level(line: QuotaLine) -> Markup:
    """Return one level of the merge as a bar with its quota marked, and the same in words."""
    sign, end = ("≥", "carried") if line.is_carried else ("<", "not carried")
    style = f"--share:{float(line.share):.4f};--quota:{float(line.quota):.4f}"
    bar = tag("span", class_=f"level-bar v-{line.verdict}", style=style, aria_hidden="true")
    told = f"{line.share} {sign} {line.quota}, {end}"
    who = f" by {', '.join(line.members)}" if line.members else ""
    return tag("div", verdict(line.verdict), bar, tag("span", told, tag("span", who, class_="muted")), class_="level")


def _rule(rule: RuleLine) -> Markup:
    mode = "" if rule.mode == "enforce" else f" ({rule.mode})"
    because = f": {rule.because}" if rule.because else ""
    return joined([code(rule.rule), " → ", verdict(rule.outcome), f"{mode}{because}"])


def _foot(story: Story) -> Markup:
    result = story.result
    decided = f"decided by {result.decided_by.replace('_', ' ')}" if result.decided_by else ""
    tags = f"tags {', '.join(result.tags)}" if result.tags else ""
    said = [f"path {result.path}" if result.path else "", decided, f"confidence {result.confidence:.2f}"]
    said += [f"{result.latency_ms:,} ms", usd(result.picodollars), tags]
    return paragraph(" · ".join([part for part in said if part]), kind="aside")


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join([_value(each) for each in value]) or "nothing"
    if isinstance(value, dict):
        return ", ".join([f"{key} {_value(each)}" for key, each in value.items()])
    return NONE if value is None else str(value)
