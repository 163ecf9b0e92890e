"""What members' models said: the prompt and model asked, every raw reply, both votes, and which of them counted and why."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cli.console import verdict_text
from cli.render_parts import Record
from cli.text import clean, condition_text, shortened
from council.opinions import WHY
from policies.models import dollars

MAX_RAW_SHOWN: Final = 2_000
"""Characters of a raw reply that are drawn; --json has all of it."""
_TAGS: Final = {"text_made_milder": "held: without the players' text the council would have been stricter"}


def render_replies(record: Record) -> RenderableType | None:
    """Return the section about what models said; None where none was asked."""
    models = record.get("models")
    if models is None:
        return None
    parts: list[RenderableType] = []
    for opinion in models["opinions"]:
        parts += _opinion(opinion, _replies(models, opinion))
    for tag, told in _TAGS.items():
        if tag in record["answer"]["audit_tags"]:
            parts.append(Text(told, style="bold magenta"))
    return Group(*parts)


def _replies(models: Record, opinion: Record) -> list[Record]:
    where = (opinion["member"], opinion["round"])
    return [reply for reply in models["replies"] if (reply["member"], reply["round"]) == where]


def _opinion(opinion: Record, replies: Sequence[Record]) -> Iterator[RenderableType]:
    again = ", second round" if opinion["round"] == 2 else ""
    title = Text.assemble((f"{opinion['member']}{again}", "bold"), "  ", WHY.get(opinion["why"], clean(opinion["why"])))
    below: list[RenderableType] = [_vote("rules", opinion["rule_vote"])]
    if opinion["model_vote"] is not None:
        below.append(_vote("model", opinion["model_vote"]))
    if opinion["twin_vote"] is not None:
        below.append(_vote("model without players' text", opinion["twin_vote"]))
    for reply in replies:
        below += _reply(reply)
    yield Group(title, Padding(Group(*below), (0, 0, 1, 4)))


def _vote(name: str, vote: Record) -> Text:
    line = Text(f"{name}: ")
    if vote["verdict"] is None:
        because = "; ".join(clean(reason["text"]) for reason in vote["reasons"])
        line.append(f"– no vote, {vote['abstained']}", style="yellow")
        line.append(f": {because}" if because else "")
        return line
    line.append_text(verdict_text(vote["verdict"]))
    line.append(f"  confidence {vote['confidence']} ‰")
    for condition in vote["modifications"]:
        line.append(f"\n    → effect {condition['effect']}: {condition_text(condition)}", style="yellow")
    for claim in vote.get("claims", ()):
        state = (
            "the rule's own check agrees" if claim["is_verified"] else "unverified: the rule's own check did not fire"
        )
        line.append(f"\n    claims the veto {clean(claim['rule'])}: {state}", style="dim")
    return line


def _reply(reply: Record) -> Iterator[RenderableType]:
    used, sent = reply["usage"], reply["parameters"]
    about = "estimated " if used["is_estimated"] else ""
    price = f"{dollars(reply['picodollars'])} USD" if reply["is_priced"] else "no price in the policy"
    variant = " without players' text" if reply["variant"] == "twin" else ""
    settings = ", ".join(f"{name} {_setting(value)}" for name, value in sorted(sent.items()))
    head = (
        f"asked {clean(reply['model'])}{variant} with prompt {clean(reply['prompt'])} ({reply['prompt_hash'][:12]}), "
        f"{clean(settings)}; {reply['latency_ms']} ms, {about}{used['input']} + {used['output']} tokens "
        f"({used['cached']} cached), {price}"
    )
    yield Text(head if reply["attempts"] else f"not asked: {clean(reply['because'])}", style="dim")
    for number, attempt in enumerate(reply["attempts"], 1):
        failed = f" → {attempt['failed']}: {clean(attempt['because'])}" if attempt["failed"] else ""
        yield Text(f"  call {number}, {attempt['latency_ms']} ms{failed}", style="yellow" if failed else "dim")
        if attempt["raw"] is not None:
            yield Padding(Text(shortened(clean(attempt["raw"]), MAX_RAW_SHOWN), overflow="fold"), (0, 0, 0, 4))


def _setting(value: Any) -> str:
    return "not sent" if value is None else str(value)
