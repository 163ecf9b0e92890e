"""The newest verdicts that everybody may read, however many over single acts came since, in every store at a bounded cost."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.contract.raw_sql import run_sql
from tests.contract.world_samples import NOW, REALM, seeded, step_sample
from world.errors import UnknownRealmError
from world.persistence.messages import NewEvent
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore
from world.persistence.verdicts_told import VERDICT, VERDICT_INDEX, is_hidden, public_verdict

DISPUTES = 600
_LIE = '"about":"action","decision_type":"major_trigger"'
"""What a player might write into a text to be taken for a public verdict."""


def verdict(decision_type: str | None, about: str | None, summary: str = "s") -> NewEvent:
    told: dict[str, Any] = {"decision_id": "d", "decision_type": decision_type, "about": about, "summary": summary}
    given = {name: value for name, value in told.items() if value is not None}
    return NewEvent(VERDICT, orjson.dumps(given))


KINDS = ("impact_dispute", "major_trigger", "sovereign_action", None)
ABOUTS = ("event", "move", "trigger", "action", "", None)
EVERY_SORT = [verdict(*each) for each in itertools.product(KINDS, ABOUTS)]


@pytest.fixture
async def store(ledger_url: str) -> AsyncIterator[WorldStore]:
    opened = await seeded(open_world_store(ledger_url))
    yield opened
    await opened.close()


async def test_the_store_finds_what_the_rule_lets_everybody_read(store: WorldStore) -> None:
    """The condition of SQL is the rule of Python, for every decision type beside every subject."""
    lies = [verdict("impact_dispute", "event", _LIE), verdict("impact_dispute", "event", orjson.dumps(_LIE).decode())]
    others = [NewEvent("tick", b"{}"), verdict("major_trigger", "trigger")._replace(user_id="ana")]
    events = (*EVERY_SORT, *lies, *others)
    await store.advance(step_sample("snap-0", 1, events=events), None, NOW)
    found = await store.public_verdicts(REALM, 100)
    public = [
        number
        for number, event in enumerate(events, 1)
        if event.kind == VERDICT and event.user_id is None and not is_hidden(VERDICT, orjson.loads(event.payload))
    ]
    assert [each.sequence for each in found] == public[::-1]
    # Three subjects of the world whatever the type; of the other three, the two types that are no dispute.
    assert len(found) == 3 * 4 + 3 * 2
    assert await store.public_verdicts(REALM, 2) == found[:2]


async def test_verdicts_over_single_acts_do_not_push_out_those_of_the_realm(store: WorldStore) -> None:
    disputes = tuple([verdict("impact_dispute", "event") for _ in range(DISPUTES)])
    events = (verdict("major_trigger", "trigger"), *disputes)
    await store.advance(step_sample("snap-0", 1, events=events), None, NOW)
    assert [each.sequence for each in await store.public_verdicts(REALM, 5)] == [1]
    assert [each.sequence for each in await store.latest_events(REALM, VERDICT, 2)] == [DISPUTES + 1, DISPUTES]


async def test_a_realm_that_does_not_exist_has_no_verdicts(store: WorldStore) -> None:
    assert await store.public_verdicts(REALM, 5) == ()
    with pytest.raises(UnknownRealmError):
        await store.public_verdicts("nowhere", 5)


async def test_public_verdicts_are_read_from_an_index_that_holds_no_others(database_url: str) -> None:
    opened = await seeded(open_world_store(database_url))
    told = [each for _ in range(DISPUTES) for each in (verdict("impact_dispute", "event"), verdict("x", "trigger"))]
    await opened.advance(step_sample("snap-0", 1, events=tuple(told)), None, NOW)
    await opened.close()
    is_postgres = database_url.startswith("postgresql")
    explain, table = (
        ("EXPLAIN", "world_events")
        if is_postgres
        else ("EXPLAIN QUERY PLAN", f"world_events INDEXED BY {VERDICT_INDEX}")
    )
    query = (
        f"SELECT * FROM {table} WHERE realm_id = '{REALM}' AND {public_verdict(is_postgres=is_postgres)}"
        " ORDER BY sequence DESC LIMIT 5"
    )
    plan = str(await run_sql(database_url, *(["ANALYZE world_events"] if is_postgres else []), f"{explain} {query}"))
    assert VERDICT_INDEX in plan
    assert "sort" not in plan.lower()
    assert "b-tree" not in plan.lower(), "nor are they put in order one by one"


async def test_a_file_from_before_there_was_the_index_gets_it_when_it_is_opened(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'council.db'}"
    await (await seeded(open_world_store(url))).close()
    await run_sql(url, f"DROP INDEX {VERDICT_INDEX}")
    opened = open_world_store(url)
    await opened.advance(step_sample("snap-0", 1, events=(verdict("major_trigger", "trigger"),)), None, NOW)
    assert [each.sequence for each in await opened.public_verdicts(REALM, 5)] == [1]
    await opened.close()
