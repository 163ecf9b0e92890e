"""Bad input and faults against a real server over a socket (reliability.md S1 to S5, measured fact 4; issue: bad input)."""

import asyncio
import json
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from policies.loading import default_policy_path
from tests.integration.serving_process import DECISIONS, JSON, REVIEW, TOKEN, ServerProcess, client_of, running
from tests.unit.requests import as_bytes, request_document, small_document

CANARY = "canary-9b1e"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(tmp_path_factory.mktemp("served")) as one:
        yield one


def raw_answer(server: ServerProcess, request: bytes, *, more: bytes = b"", times: int = 0) -> bytes:
    """Send raw bytes, then the same part over and over; return what comes back."""
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 0), timeout=20) as connection:
        connection.sendall(request)
        try:
            for _ in range(times):
                connection.sendall(more)
        except OSError:
            pass  # it has hung up on us: what it said before is still to be read
        answer = b""
        try:
            while b"\r\n\r\n" not in answer:
                part = connection.recv(65_536)
                if not part:
                    break
                answer += part
        except OSError:
            pass
        return answer


def head(*lines: str) -> bytes:
    fixed = [f"POST {REVIEW} HTTP/1.1", "Host: x", f"Authorization: Bearer {TOKEN}", "Content-Type: application/json"]
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


async def test_ten_megabytes_are_refused_whole_and_the_server_lives(server: ServerProcess) -> None:
    async with client_of(server) as client:
        response = await client.post(REVIEW, content=b'{"realm_id": "' + b"x" * 10_000_000 + b'"}')
        after = await client.get("/healthz")

    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert after.status_code == 200


def test_a_chunked_body_without_end_is_cut_off(server: ServerProcess) -> None:
    """100 MB are offered; the cap is 1 MiB and 16 MiB are drained, so the sender is hung up on long before its end."""
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    started = time.monotonic()
    answer = raw_answer(server, head("Transfer-Encoding: chunked"), more=chunk, times=1600)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")  # a reset may overtake the answer
    assert time.monotonic() - started < 15


def test_a_sender_that_asks_first_is_refused_before_it_sends(server: ServerProcess) -> None:
    answer = raw_answer(server, head("Content-Length: 10000000", "Expect: 100-continue"))

    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_that_never_comes_is_refused_in_time(tmp_path: Path) -> None:
    with running(tmp_path, COUNCIL_BODY_TIMEOUT_S="0.2") as server:
        answer = raw_answer(server, head("Content-Length: 100") + b"{")

    assert answer.startswith(b"HTTP/1.1 408")


async def test_hostile_json_is_refused_quickly_and_nothing_of_it_is_recorded(server: ServerProcess) -> None:
    good = as_bytes(request_document())
    bodies = [
        b'{"a":' * 200_000,
        b"[" * 500_000 + b"]" * 500_000,
        good.replace(b'"realm_id"', b'"realm_id": "realm-1", "realm_id"'),
        good.replace(b"41.0", b"NaN"),
        good.replace(b"annexes", b"\\ud800"),
        good.replace(b'"u-123"', b'"u\\u0000"'),
        b"\xff" * 1000,
    ]
    async with client_of(server) as client:
        before = await client.get(DECISIONS)
        responses = [await client.post(REVIEW, content=body) for body in bodies]
        after = await client.get(DECISIONS)

    assert {response.status_code for response in responses} <= {400, 422}
    assert all(response.elapsed.total_seconds() < 2 for response in responses)
    assert before.json() == after.json()


async def test_an_unknown_realm_is_refused_with_those_that_are_known(server: ServerProcess) -> None:
    async with client_of(server) as client:
        response = await client.post(REVIEW, content=as_bytes(small_document(realm_id=CANARY)))

    assert response.status_code == 422
    assert response.json()["type"] == "urn:problem-type:council:unknown-realm"
    assert "aelvyndor" in response.json()["known_realms"]
    assert CANARY not in response.text


async def test_the_same_key_with_another_body_is_refused(server: ServerProcess) -> None:
    async with client_of(server) as client:
        headers = {"Idempotency-Key": "conflict-1"}
        first = await client.post(REVIEW, content=as_bytes(small_document()), headers=headers)
        other = await client.post(REVIEW, content=as_bytes(request_document()), headers=headers)

    assert (first.status_code, other.status_code) == (200, 422)
    assert other.json()["type"] == "urn:problem-type:council:key-conflict"
    assert other.json()["decision_id"] == first.json()["decision_id"]


async def test_one_key_from_twenty_clients_at_once_is_one_record_and_the_same_bytes(server: ServerProcess) -> None:
    """S1, I2: one verdict per key."""
    body = as_bytes(request_document(request_id="twenty-at-once"))

    async def ask() -> httpx.Response:
        async with client_of(server) as client:
            return await client.post(REVIEW, content=body)

    responses = await asyncio.gather(*[ask() for _ in range(20)])

    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1
    assert await recorded(server, responses[0].json()["decision_id"]) == 1


async def recorded(server: ServerProcess, decision_id: str) -> int:
    """Return how often a decision stands in the listing."""
    async with client_of(server) as client:
        found, cursor = 0, None
        while True:
            page = (await client.get(DECISIONS, params={"limit": 200, **({"cursor": cursor} if cursor else {})})).json()
            found += [one["decision_id"] for one in page["decisions"]].count(decision_id)
            cursor = page["next"]
            if cursor is None:
                return found


async def test_a_deadline_that_passes_is_202_and_the_decision_appears_where_it_says(server: ServerProcess) -> None:
    body = as_bytes(request_document(request_id="in-a-hurry", deadline_ms=1))
    async with client_of(server) as client:
        first = await client.post(REVIEW, content=body)
        assert first.status_code == 202
        found = await client.get(first.headers["location"])
        until = time.monotonic() + 10
        while found.status_code == 404 and time.monotonic() < until:
            await asyncio.sleep(0.05)
            found = await client.get(first.headers["location"])
        again = await client.post(REVIEW, content=as_bytes(request_document(request_id="in-a-hurry")))

    assert found.status_code == 200
    assert found.json()["decision_id"] == first.json()["decision_id"]
    assert again.json() == found.json()["answer"]
    assert again.headers["idempotent-replayed"] == "true"


async def test_decisions_are_listed_with_filters_and_pages(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with client_of(server) as client:
            for number in range(7):
                document = small_document if number % 2 else request_document
                body = as_bytes(document(request_id=f"listed-{number}"))
                assert (await client.post(REVIEW, content=body)).status_code == 200
            seen, cursor, pages = [], None, 0
            while pages == 0 or cursor is not None:
                params: dict[str, Any] = {"limit": 3} | ({"cursor": cursor} if cursor else {})
                page = (await client.get(DECISIONS, params=params)).json()
                seen += [one["position"] for one in page["decisions"]]
                cursor, pages = page["next"], pages + 1
            fast = (await client.get(DECISIONS, params={"path": "fast"})).json()["decisions"]
            future = (await client.get(DECISIONS, params={"since": "2099-01-01T00:00:00+02:00"})).json()

    assert seen == [7, 6, 5, 4, 3, 2, 1]
    assert pages == 3
    assert [one["position"] for one in fast] == [6, 4, 2]
    assert future == {"decisions": [], "next": None}


async def test_a_locked_database_is_503_soon_and_the_same_key_is_answered_afterwards(tmp_path: Path) -> None:
    """S3: no pile-up, no half record, and it recovers by itself."""
    with running(tmp_path) as server:
        async with client_of(server) as client:
            assert (await client.post(REVIEW, content=as_bytes(small_document()))).status_code == 200
            lock = sqlite3.connect(tmp_path / "council.db", isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            body = as_bytes(small_document(request_id="locked-out"))
            refused = await client.post(REVIEW, content=body)
            lock.execute("ROLLBACK")
            lock.close()
            answered = await client.post(REVIEW, content=body)

    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["type"] == "urn:problem-type:council:ledger-unavailable"
    assert refused.elapsed.total_seconds() < 4
    assert answered.status_code == 200
    assert answered.json()["record"]["position"] == 2


async def test_no_text_of_a_request_and_no_token_is_in_the_log_of_the_process(tmp_path: Path) -> None:
    """S0-89."""
    document = request_document(request_id="logged")
    document["proposed_change"]["narrative"] = document["proposed_change"]["summary"] = f"{CANARY} text"
    document["supporting_events"][0]["note"] = CANARY
    with running(tmp_path, COUNCIL_LOG_LEVEL="debug") as server:
        async with client_of(server) as client:
            await client.post(REVIEW, content=as_bytes(document))
            await client.post(REVIEW, content=as_bytes({**document, CANARY: 1}))
            await client.post(REVIEW, content=as_bytes(document), headers={"Authorization": f"Bearer {CANARY}-token"})
        server.terminate()
        assert server.wait() == 0
        log = json.dumps(server.log)

    assert '"event": "decided"' in log  # else the log was not looked at
    assert CANARY not in log
    assert TOKEN not in log


@pytest.mark.slow
async def test_kill_9_in_the_middle_of_reviews_leaves_one_verdict_per_key(tmp_path: Path) -> None:
    """S1, I1 to I3: every key ends with one verdict, whatever was acknowledged before stays, the chain has no gap."""
    acknowledged: dict[str, bytes] = {}
    cut_off = 0
    keys = [f"kill-{number}" for number in range(60)]
    for turn in range(3):
        with running(tmp_path) as server:
            # One client for all, with a connection for each: a client of its own costs each question its certificates.
            limits = httpx.Limits(max_connections=len(keys), max_keepalive_connections=len(keys))
            async with httpx.AsyncClient(base_url=server.url, headers=JSON, timeout=30, limits=limits) as client:

                async def ask(key: str, client: httpx.AsyncClient = client) -> None:
                    try:
                        response = await client.post(REVIEW, content=as_bytes(small_document(request_id=key)))
                    except httpx.TransportError:
                        nonlocal cut_off
                        cut_off += 1
                        return
                    assert response.status_code == 200
                    assert acknowledged.setdefault(key, response.content) == response.content

                asking = asyncio.gather(*[ask(key) for key in keys])
                await asyncio.sleep(0.02 + 0.03 * turn)
                server.kill()
                await asking
        with sqlite3.connect(f"file:{tmp_path}/council.db?mode=ro", uri=True) as dead:
            for (count,) in dead.execute("SELECT count(*) FROM records GROUP BY request_key"):
                assert count == 1
    assert cut_off > 0, "no kill fell into a review: the test proved nothing"
    with running(tmp_path) as server:
        async with client_of(server) as client:
            for key in keys:
                response = await client.post(REVIEW, content=as_bytes(small_document(request_id=key)))
                assert response.status_code == 200
                assert acknowledged.setdefault(key, response.content) == response.content
            listed = (await client.get(DECISIONS, params={"limit": 200})).json()["decisions"]

    assert sorted(one["position"] for one in listed) == list(range(1, len(keys) + 1))
    assert len({one["decision_id"] for one in listed}) == len(keys)


async def test_sigterm_lets_requests_under_way_finish_and_exits_0(tmp_path: Path) -> None:
    """S5: no new work, those under way are answered, and the process ends by itself."""
    with running(tmp_path) as server:
        async with client_of(server) as client:
            await client.post(REVIEW, content=as_bytes(small_document()))

            async def slow_body() -> Any:
                body = as_bytes(small_document(request_id="caught-by-sigterm"))
                yield body[:100]
                await asyncio.sleep(0.5)
                yield body[100:]

            asking = asyncio.ensure_future(client.post(REVIEW, content=slow_body()))
            await asyncio.sleep(0.2)
            server.terminate()
            response = await asking
        started = time.monotonic()
        code = server.wait()

    assert response.status_code == 200
    assert code == 0
    assert time.monotonic() - started < 5
    assert server.log[-1]["event"] == "stopped"


async def test_an_address_that_is_taken_is_told_with_its_variables(server: ServerProcess, tmp_path: Path) -> None:
    port = str(httpx.URL(server.url).port)
    with pytest.raises(RuntimeError, match="cannot listen on 127.0.0.1:" + port), running(tmp_path, COUNCIL_PORT=port):
        pass


async def until(seen: Callable[[], Awaitable[bool]], timeout_s: float = 15) -> bool:
    """Look again and again until something is seen."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if await seen():
            return True
        await asyncio.sleep(0.1)
    return False


async def test_an_edited_policy_is_taken_up_and_a_bad_one_is_refused_and_counted(tmp_path: Path) -> None:
    """Council.md, policy as data: no restart, and the old policy stays where the new one is bad."""
    path = tmp_path / "policy.yaml"
    good = default_policy_path().read_text()
    path.write_text(good)
    with running(tmp_path, COUNCIL_POLICY_PATH=str(path)) as server:
        async with client_of(server) as client:

            async def decided_under(version: int) -> bool:
                answer = (await client.post(REVIEW, content=as_bytes(small_document()))).json()
                return bool(answer["policy"]["version"] == version)

            async def metric(line: str) -> bool:
                return line in (await client.get("/metrics")).text

            assert await decided_under(1)
            path.write_text(good.replace("version: 1", "version: 2", 1))
            assert await until(lambda: decided_under(2))
            path.write_text("version: [")
            assert await until(lambda: metric("council_policy_file_refused 1.0"))
            assert await decided_under(2)
            assert (await client.get("/readyz")).status_code == 200
            assert await metric('council_policy_reloads_total{result="taken_up"} 1.0')
