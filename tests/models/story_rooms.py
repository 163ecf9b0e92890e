"""A chapter to write over real servers, and the writer that settings would open."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from agents.models.endpoints import Endpoints
from gateway.settings import read_settings
from gateway.story_models import open_writer
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from story.context.items import WorldContext
from story.ledger.memory import MemoryStoryStore
from story.planner.plan import Beat, Plan
from story.service.composing import Draft, Writer
from story.tale.tale import Arc, CastMember, Tale, Thread
from story.threat.environment import PlayerState
from world.realm.rules_document import default_world_path, load_world

NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)
POLICY: Final[Policy] = load_policy(default_policy_path())
QUESTION: Final = "who-burned-the-archive"


def draft() -> Draft:
    """Return what a chapter of three beats is written from: a witness, a territory that changed hands, a quiet hour."""
    maren = CastMember("maren", "Maren", "innkeeper", "grand-gate-city")
    tale = Tale(
        "story-1", "aelvyndor", "u-1", "hero", "Aran",
        Arc("find-the-brother", "to-be-forgiven", "left-at-the-gate"), PlayerState("u-1"),
        threads={QUESTION: Thread(QUESTION, QUESTION, "the-archive-burns-again")}, cast={"maren": maren},
    )  # fmt: skip
    told = {"territory": "far-wilds", "controller": "empire", "former": "free_cities"}
    beats = (
        _beat(1, "witness_speaks", "dialogue", 110, npc="maren", role="innkeeper", question=QUESTION),
        _beat(2, "control_changed", "atmosphere", 80, **told),
        _beat(3, "quiet_hour", "reflection", 70, question=QUESTION),
    )
    plan = Plan("story-1", 1, "en", beats, 5, "build_up", "uneasy", ("control/far-wilds",), (), (), (), "observed", 7)
    return Draft(plan, tale, WorldContext((), (), 400, 0), {}, load_world(default_world_path()).locks)


def _beat(number: int, storylet: str, scene: Any, words: int, **slots: str) -> Beat:
    is_world = storylet == "control_changed"
    return Beat(
        number=number, storylet=storylet, kind="world" if is_world else "personal", purpose="rising", tension=4,
        scene=scene, mood="uneasy", words=words, description="", place="grand-gate-city",
        characters=("hero", "maren") if "npc" in slots else ("hero",), thread_id=None if is_world else QUESTION,
        slots={"hero": "hero", "place": "grand-gate-city", **slots},
    )  # fmt: skip


@asynccontextmanager
async def writer_at(
    base_url: str,
    model: str,
    critic: str | None = None,
    *,
    timeout_s: float = 10,
    day_usd: Decimal | None = None,
    environ: Mapping[str, str] | None = None,
    **endpoints: Any,
) -> AsyncIterator[Writer]:
    """Open the writer that these settings name, over real sockets."""
    variables = {"COUNCIL_STORY_MODEL": f"lab/{model}@{base_url}", "COUNCIL_STORY_TIMEOUT_S": str(timeout_s)}
    if critic is not None:
        variables["COUNCIL_STORY_CRITIC"] = f"lab/{critic}@{base_url}"
    if day_usd is not None:
        variables["COUNCIL_STORY_DAY_USD"] = str(day_usd)
    opened = Endpoints(environ or {}, **endpoints)
    try:
        yield open_writer(read_settings(variables), lambda: POLICY, opened, MemoryStoryStore(), now=lambda: NOW)
    finally:
        await opened.close()
