"""Councils whose five models are gullible, and what comes out of a request there and by the rules alone."""

import asyncio
import copy
import http.client
import json
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from council.review import deliberate
from policies.conditions import apply_modifications
from policies.contracts.effects import Effect
from policies.contracts.reading import validate_request
from policies.loading import default_policy_path, load_policy, policy_from_document
from policies.policy import Policy
from policies.verdicts import MEMBERS, Member, Verdict
from policies.votes import modification_from_wire
from tests.models.councils import open_council_of
from world.case import open_case

_REPO: Final = Path(__file__).parents[2]
_AT_ONCE: Final = 32
"""Reviews under way at the same time."""


class Asking(NamedTuple):
    """One request that a council is asked."""

    entry: str
    case: str
    document: Mapping[str, Any]


class Decided(NamedTuple):
    """What a verdict lets happen."""

    verdict: Verdict
    path: str
    effects: Mapping[int, Effect]
    """Effects that happen, by their index in the request."""
    conditions: tuple[str, ...] = ()
    """Required modifications as they were answered, without their reasons."""
    votes: tuple[str, ...] = ()
    """Who voted what, and from where."""


class Journal(NamedTuple):
    """What the gullible model did."""

    calls: int
    obeyed: Counter[str]
    """By "ORDER@MEMBER"."""

    def by(self, member: str) -> set[str]:
        """Return the orders that one member's model obeyed."""
        return {name.partition("@")[0] for name in self.obeyed if name.partition("@")[2] == member}

    @property
    def orders(self) -> set[str]:
        """Orders that anybody's model obeyed."""
        return {name.partition("@")[0] for name in self.obeyed}


class GullibleServer:
    """The server's process, as tests see it.

    Args:
        port: where it listens.
    """

    def __init__(self, port: int) -> None:
        self._port = port

    def world(self) -> str:
        """Return the name of a journal that nobody has written to."""
        return f"w{uuid.uuid4().hex}"

    def base_url(self, world: str) -> str:
        """Return where the models of a world answer."""
        return f"http://127.0.0.1:{self._port}/{world}/v1"

    def journal(self, world: str) -> Journal:
        """Return what was done in a world so far."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", f"/{world}/journal")
            found = json.loads(connection.getresponse().read())
            return Journal(found["calls"], Counter(found["obeyed"]))
        finally:
            connection.close()


@contextmanager
def running_gullible_server() -> Iterator[GullibleServer]:
    """Run the server in a process of its own for a block."""
    command = [sys.executable, "-m", "tests.adversarial.gullible_server"]
    process = subprocess.Popen(command, cwd=_REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield GullibleServer(int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.stdout.close()
        process.terminate()
        process.wait(10)


def gullible_policy(
    base_url: str,
    *,
    everybody_reads: bool = False,
    is_bounded: bool = True,
    rebuttal_margin: str | None = None,
    confidence: str = "ignore",
    relaxed: tuple[Member, ...] = (),
) -> Policy:
    """Return the shipped policy with a gullible model for every member.

    Args:
        base_url: where the models answer.
        everybody_reads: whether all five read players' texts, and not only the member that the policy shows them.
        is_bounded: False takes the boundary away: everybody may be milder than the rules, and no twin is asked.
        rebuttal_margin: when a second round is held; None: never.
        confidence: `use` lets a model's confidence weigh, wherever its vote counts.
        relaxed: members whose model may be milder than their rules, beside those of the shipped policy.
    """
    document = _document(confidence)
    endpoint = {"base_url": base_url, "structured": "json_schema", "concurrency": _AT_ONCE * len(MEMBERS)}
    document["models"] |= {"retries": 0, "rebuttal_margin": rebuttal_margin, "endpoints": {"gullible": endpoint}}
    for member in MEMBERS:
        changes: dict[str, Any] = {"judge": "model", "model": f"gullible/obey@{member}", "timeout_s": "60"}
        if everybody_reads:
            changes["reads_player_text"] = True
        if not is_bounded or member in relaxed:
            changes["models_may"] = "relax"
        document["members"][member] |= changes
    if not is_bounded:
        document["models"]["twin_from_impact"] = None
    return policy_from_document(document)


def rules_policy(confidence: str = "ignore") -> Policy:
    """Return the shipped policy with everybody judging by rules: what no attack may get below."""
    document = _document(confidence)
    for member in MEMBERS:
        document["members"][member]["judge"] = "rules"
    return policy_from_document(document)


def by_rules(policy: Policy, document: Mapping[str, Any]) -> Decided:
    """Decide a request by the rules alone."""
    case = open_case(validate_request(document))
    realm = policy.realm(case.request.realm_id)
    assert realm is not None
    review = deliberate(case, policy, realm)
    concluded = review.concluded
    assert concluded is not None
    asked = case.request.proposed_change.effects
    conditions = [] if concluded.combined is None else [item.modification for item in concluded.combined.required]
    effects: dict[int, Effect] = {}
    if concluded.final_verdict in ("approve", "modify"):
        left, origins = apply_modifications(asked, conditions if concluded.final_verdict == "modify" else [])
        effects = dict(zip(origins, left, strict=True))
    return Decided(concluded.final_verdict, concluded.path, effects)


async def by_models(policy: Policy, askings: Iterable[Asking]) -> list[tuple[Asking, Decided]]:
    """Decide requests by a council of models, many at a time, each through the whole service and over HTTP."""
    places = asyncio.Semaphore(_AT_ONCE)
    async with open_council_of(policy) as council:

        async def decide(asking: Asking) -> tuple[Asking, Decided]:
            async with places:
                answer = await council.decide(asking.document)
            council.watcher.questions.clear()
            council.watcher.replies.clear()
            return asking, _decided(answer, asking.document)

        return list(await asyncio.gather(*[decide(asking) for asking in askings]))


def _decided(answer: Mapping[str, Any], document: Mapping[str, Any]) -> Decided:
    asked = validate_request(document).proposed_change.effects
    wires = answer["required_modifications"]
    effects: dict[int, Effect] = {}
    if answer["final_verdict"] in ("approve", "modify"):
        left, origins = apply_modifications(
            asked, [modification_from_wire(wire, asked[wire["effect"]].op) for wire in wires]
        )
        effects = dict(zip(origins, left, strict=True))
    told = [json.dumps({name: wire[name] for name in wire if name != "because"}, sort_keys=True) for wire in wires]
    votes = [f"{vote['member']}: {vote['verdict'] or vote['abstained']} ({vote['source']})" for vote in answer["votes"]]
    return Decided(answer["final_verdict"], answer["path"], effects, tuple(told), tuple(votes))


def _document(confidence: str) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(dict(load_policy(default_policy_path()).document))
    document["realms"]["*"] = document["realms"]["realm-1"]  # so that a realm's name can be an attack
    for member in MEMBERS:
        document["members"][member]["confidence"] = confidence
    return document
