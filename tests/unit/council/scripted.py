"""Members' models from a script: judges without a network, replies as a model would have written them."""

import asyncio
import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from agents.asking import Attempt, Question, Reply, Slot, Usage, unanswered
from policies.loading import default_policy_path, load_policy, policy_from_document
from policies.policy import Policy
from policies.verdicts import MEMBERS, Abstention, Member, Verdict

SHIPPED = load_policy(default_policy_path())
MODEL = "lmstudio/scripted"


def model_policy(members: tuple[Member, ...] = MEMBERS, **models: Any) -> Policy:
    """Return the shipped policy with models for some members, narrative's free to relax, and keys of `models` set."""
    document: dict[str, Any] = copy.deepcopy(dict(SHIPPED.document))
    for member in MEMBERS:
        document["members"][member] = {
            **document["members"][member],
            "judge": "model" if member in members else "rules",
        }
    document["members"]["narrative"]["models_may"] = "relax"  # so that twins are asked
    document["models"] = {**document["models"], "default": MODEL, **models}
    return policy_from_document(document)


def with_member(policy: Policy, member: Member, **keys: Any) -> Policy:
    """Return a policy with keys of one member set."""
    document: dict[str, Any] = copy.deepcopy(dict(policy.document))
    document["members"][member] |= keys
    return policy_from_document(document)


def raw_vote(verdict: str, modifications: list[dict[str, Any]] | None = None, **keys: Any) -> str:
    """Return a reply's text as a model writes it."""
    if verdict == "modify" and modifications is None:
        modifications = [dropping(0)]
    vote = {
        "findings": [],
        "reasoning": "as scripted",
        "modifications": modifications or [],
        "claims": [],
        "verdict": verdict,
        "confidence": 0.9,
    }
    return json.dumps({**vote, **keys})


def dropping(effect: int) -> dict[str, Any]:
    """Return the modification that drops an effect."""
    return {"effect": effect, "action": "drop", "field": None, "bound": None, "value": None, "because": "as scripted"}


def bounding(effect: int, action: str, bound: float) -> dict[str, Any]:
    """Return the modification that bounds an effect's amount."""
    return {
        "effect": effect,
        "action": action,
        "field": "amount",
        "bound": bound,
        "value": None,
        "because": "as scripted",
    }


def reply_with(slot: Slot, raw: str | None, *, failed: Abstention | None = None, picodollars: int = 1_000_000) -> Reply:
    """Return a reply as a judge gives it."""
    because = "as scripted" if failed else ""
    attempt = Attempt(raw, failed, because, 7)
    usage = Usage(1200, 1000, 80)
    return Reply(
        slot, f"{slot.member}/1", "a" * 64, MODEL, {"temperature": 0.0}, "b" * 64, (attempt,), failed, because, usage,
        picodollars, True, 7,
    )  # fmt: skip


class Scripted:
    """A judge that answers from a script and remembers what it was asked.

    Args:
        say: verdict, raw text or failure per member, or a function of the question.
        delay_s: how long every answer takes, seconds.
    """

    def __init__(self, say: Mapping[Member, str] | Callable[[Question], str], *, delay_s: float = 0.0) -> None:
        self._say = say
        self._delay_s = delay_s
        self.asked: list[Question] = []

    @property
    def slots(self) -> list[Slot]:
        """What was asked, in order."""
        return [question.slot for question in self.asked]

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        await asyncio.sleep(self._delay_s)
        said = self._say(question) if callable(self._say) else self._say.get(question.slot.member, "timeout")
        return answered(question.slot, said)


def answered(slot: Slot, said: str) -> Reply:
    """Return the reply of a verdict, a kind of abstention or a raw text."""
    if said in ("approve", "modify", "reject", "quarantine"):
        return reply_with(slot, raw_vote(said))
    if said in ("timeout", "unreachable", "budget"):
        kind: Any = said
        return unanswered(slot, MODEL, kind, "as scripted")
    if said in ("unparsed", "off_schema", "refused"):
        kind = said
        return reply_with(slot, "no vote", failed=kind)
    return reply_with(slot, said)


def everyone(verdict: Verdict) -> Mapping[Member, str]:
    """Return the script in which every model says the same."""
    return dict.fromkeys(MEMBERS, verdict)
