"""aimock answers from the fixtures, keeps a journal and fails on request."""

import json
from typing import Any

import httpx

from policies.verdicts import MEMBERS
from tests.models.aimock_server import Aimock


async def ask(aimock: Aimock, model: str) -> httpx.Response:
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "vote"}]}
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"{aimock.base_url}/chat/completions", json=body)


async def test_every_member_has_a_mind_and_the_journal_shows_who_was_asked(aimock: Aimock) -> None:
    for member in MEMBERS:
        said = (await ask(aimock, f"mind@{member}")).json()["choices"][0]["message"]["content"]
        assert json.loads(said)["verdict"] in {"approve", "reject"}
    assert [call["body"]["model"] for call in aimock.calls] == [f"mind@{member}" for member in MEMBERS]


async def test_chaos_ends_with_its_test(aimock: Aimock) -> None:
    aimock.chaos(rateLimitRate=1)
    limited = await ask(aimock, "mind@lore")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    aimock.start_over()
    assert (await ask(aimock, "mind@lore")).status_code == 200
    assert len(aimock.calls) == 1
