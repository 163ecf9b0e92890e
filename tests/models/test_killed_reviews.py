"""A server killed while models are asked: nobody is asked twice, nothing is lost (reliability.md, fact 1, S1; I1, I2)."""

import json
from pathlib import Path
from typing import Any

from policies.policy import Policy
from tests.integration.serving_process import DECISIONS, REVIEW, ServerProcess, client_of, running
from tests.models.councils import council_document, council_with
from tests.models.faulty_world import FaultyWorld
from tests.unit.requests import as_bytes


def policy_file(folder: Path, policy: Policy) -> str:
    """Write a policy for a server to read; every JSON document is a YAML document."""
    path = folder / "policy.yaml"
    path.write_text(json.dumps(policy.document))
    return str(path)


async def ask(server: ServerProcess, deadline_ms: int) -> tuple[int, dict[str, Any], str]:
    """Send the case; return status, body and where the decision will stand."""
    raw = as_bytes(council_document(request_id="killed-1", deadline_ms=deadline_ms))
    async with client_of(server) as client:
        response = await client.post(REVIEW, content=raw)
        return response.status_code, response.json(), response.headers.get("Location", "")


async def test_a_killed_server_asks_only_the_members_whose_vote_is_missing(tmp_path: Path, faulty: FaultyWorld) -> None:
    policy = council_with(faulty.base_url, {"lore": "seq:hang,ok"}, timeout_s="20")
    variables = {"COUNCIL_POLICY_PATH": policy_file(tmp_path, policy), "COUNCIL_ENV_FILE": ""}
    with running(tmp_path, **variables) as server:
        status, body, location = await ask(server, 3_000)
        assert (status, body["status"], location) == (202, "pending", f"{DECISIONS}/{body['decision_id']}")
        server.kill()
    assert faulty.counts == dict.fromkeys(("governor", "fairness", "lore", "narrative", "risk"), 1)
    with running(tmp_path, **variables) as server:
        status, answer, _ = await ask(server, 20_000)
        assert (status, answer["decision_id"]) == (200, body["decision_id"])
        again, same, _ = await ask(server, 20_000)
        assert (again, same) == (200, answer)
        async with client_of(server) as client:
            record = (await client.get(location)).json()["record"]
    assert faulty.counts == {"governor": 1, "fairness": 1, "lore": 2, "narrative": 1, "risk": 1}
    assert [vote["abstained"] for vote in answer["votes"] if "abstained" in vote] == []
    assert answer["cost"]["model_calls"] == 5
    assert sorted(reply["member"] for reply in record["models"]["replies"]) == sorted(faulty.counts)


async def test_two_kills_in_a_row_leave_one_verdict_and_no_reply_asked_for_twice(
    tmp_path: Path, faulty: FaultyWorld
) -> None:
    """I1, I2: the caller sends the same key until it is answered."""
    models = {"governor": "ok", "fairness": "seq:hang,ok", "lore": "seq:hang,hang,ok", "risk": "ok", "narrative": "ok"}
    policy = council_with(faulty.base_url, models, timeout_s="30")
    variables = {"COUNCIL_POLICY_PATH": policy_file(tmp_path, policy), "COUNCIL_ENV_FILE": ""}
    for _ in range(2):
        with running(tmp_path, **variables) as server:
            status, _, _ = await ask(server, 2_500)
            assert status == 202
            server.kill()
    with running(tmp_path, **variables) as server:
        status, answer, _ = await ask(server, 25_000)
        assert status == 200
        async with client_of(server) as client:
            listed = (await client.get(DECISIONS)).json()["decisions"]
    assert [each["decision_id"] for each in listed] == [answer["decision_id"]]
    assert faulty.counts == {"governor": 1, "fairness": 2, "lore": 3, "narrative": 1, "risk": 1}
