"""Results as inspect-ai shows them: one sample a case, with the request, the council's answer and both scores.

Needs the extra `evals`; importing it takes a second or more.
"""

from typing import Any, Final

import orjson
from inspect_ai.log import EvalError, EvalSample
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelOutput
from inspect_ai.scorer import CORRECT, INCORRECT, Score

from evals.reports.stories import story_of, usd
from evals.results import CaseResult

LABEL_SCORE: Final = "label"
"""Whether the verdict is the label; a case without a label bears no such score."""
EXPECTED_SCORE: Final = "expectations"
"""Whether every expectation of the case holds."""
MODEL: Final = "council"


def sample_of(result: CaseResult, run_id: str) -> EvalSample:
    """Return a result as a sample, its repeat as the epoch."""
    said = answer_text(result)
    return EvalSample(
        id=result.case,
        epoch=result.repeat + 1,
        input=request_text(result),
        target=result.label or "",
        messages=[
            ChatMessageUser(content=request_text(result), id=f"{run_id}-{result.case}-{result.repeat}-request"),
            ChatMessageAssistant(content=said, id=f"{run_id}-{result.case}-{result.repeat}-answer"),
        ],
        output=_output(result, said),
        scores=scores_of(result),
        metadata=metadata_of(result),
        total_time=result.latency_ms / 1000,
        uuid=f"{run_id}-{result.case}-{result.repeat}",
        error=EvalError(message=result.error, traceback="", traceback_ansi="") if result.error else None,
    )


def scores_of(result: CaseResult) -> dict[str, Score]:
    """Return both scores, as far as they exist; a case that could not be judged has none."""
    if result.verdict is None:
        return {}
    scores = {}
    if result.label is not None:
        told = f"the council says {result.verdict}, the label is {result.label}"
        scores[LABEL_SCORE] = _score(result, told, is_right=result.verdict == result.label)
    if result.checks:
        failed = [
            f"{check.expectation}: expected {check.expected}, found {check.found}"
            for check in result.checks
            if not check.passed
        ]
        scores[EXPECTED_SCORE] = _score(result, "; ".join(failed) or "every expectation holds", is_right=not failed)
    return scores


def request_text(result: CaseResult) -> str:
    """Return what was asked: the change in words, then its request; only the case's id where no record is at hand."""
    story = story_of(result)
    if result.record is None:
        return result.case
    lines = [story.summary, *[f"- {effect}" for effect in story.effects]]
    written = orjson.dumps(result.record["request"], option=orjson.OPT_INDENT_2).decode()
    return "\n".join([*lines, "", "```json", written, "```"])


def answer_text(result: CaseResult) -> str:
    """Return the council's answer: verdict, votes, rules and reasons."""
    if result.error:
        return f"could not be judged: {result.error}"
    story = story_of(result)
    lines = [f"**{result.verdict}**, path {result.path}, confidence {result.confidence:.2f}", ""]
    lines += [f"- {vote.member}: {vote.said}{f', {vote.why}' if vote.why else ''}" for vote in story.votes]
    lines += [f"- rule {rule.rule} → {rule.outcome}: {rule.because}" for rule in story.rules]
    return "\n".join([*lines, "", *result.reasons])


def metadata_of(result: CaseResult) -> dict[str, Any]:
    """Return what is known of a case besides its verdict, as plain JSON."""
    return {
        "decision_type": result.decision_type,
        "axis": result.axis,
        "tags": list(result.tags),
        "path": result.path,
        "decided_by": result.decided_by,
        "rules": list(result.vetoes),
        "votes": {vote.member: vote.verdict or f"abstained: {vote.abstained}" for vote in result.votes},
        "cost": usd(result.picodollars),
        "model_calls": result.model_calls,
        "tokens": result.tokens,
        "latency_ms": result.latency_ms,
    }


def _output(result: CaseResult, said: str) -> ModelOutput:
    output = ModelOutput.from_content(model=MODEL, content=said)
    output.choices[0].message.id = f"{result.case}-{result.repeat}-output"
    return output


def _score(result: CaseResult, told: str, *, is_right: bool) -> Score:
    return Score(value=CORRECT if is_right else INCORRECT, answer=result.verdict, explanation=told)
