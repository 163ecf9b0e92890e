"""Examines the models of stories as `council doctor` does: asks each for one sentence, and says what to fix."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from agents.models.endpoints import Endpoints
from agents.models.examining import Check, Examined, endpoint_checks, key_check
from gateway.settings import Settings
from gateway.story_model_uses import story_uses
from gateway.story_models import open_scribe
from policies.models import ModelUse, dollars
from policies.policy import Policy
from story.ledger.memory import MemoryStoryStore
from story.writing.port import Completed, Role, Scribe, ScribeError
from story.writing.prompting import probe_task
from story.writing.reading import UnreadableError, read_objections, read_texts

_FIXES: Final = {
    "timeout": "raise COUNCIL_STORY_TIMEOUT_S, or name a faster model",
    "unreachable": "check the address, the key and the model's name",
    "unparsed": "try structured: function_calling or prompt for this endpoint, or a larger model",
    "off_schema": "try another rung of structured output for this endpoint, or a larger model",
    "refused": "the model refuses to write; name another one",
    "budget": "raise COUNCIL_STORY_DAY_USD",
}


async def examine_story_models(
    settings: Settings,
    policy: Policy,
    endpoints: Endpoints,
    environ: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> list[Examined]:
    """Ask the writer's and the critic's model, where the settings name any.

    Args:
        settings: name the models.
        policy: knows endpoints and prices.
        endpoints: where they answer.
        environ: values of the variables that endpoints name as their keys.
        clock: monotonic seconds.
    """
    # A look at the models is no part of the day's writing: it is held to a day of its own.
    scribe = open_scribe(settings, lambda: policy, endpoints, MemoryStoryStore())
    found = []
    for role, use in story_uses(settings, policy).items():
        checks = [key_check(use.endpoint, environ)]
        if checks[0].state != "bad":
            checks += await endpoint_checks(use, environ)
            await endpoints.warm([use])
            checks += await _asked(role, use, scribe, clock)
        found.append(Examined(use.name, use.endpoint.base_url, (role,), tuple(checks)))
    return found


async def _asked(role: Role, use: ModelUse, scribe: Scribe, clock: Callable[[], float]) -> list[Check]:
    began_s = clock()
    try:
        completed = await scribe.complete(probe_task(role))
    except ScribeError as error:
        return [Check("text", "bad", f"no text, {error.kind}: {error.because}", _FIXES.get(error.kind, ""))]
    took_ms = round((clock() - began_s) * 1000)
    return [_text(role, completed), Check("time", "good", f"{took_ms} ms for one sentence"), _price(use, completed)]


def _text(role: Role, completed: Completed) -> Check:
    try:
        is_good = bool(
            read_texts(completed.text, (1,)).texts
            if role == "story_writer"
            else read_objections(completed.text, (1,)) is not None
        )
    except UnreadableError as error:
        return Check("text", "bad", f"not of the form that was asked for: {error}", _FIXES["off_schema"])
    if is_good:
        return Check("text", "good", "a text of the form that was asked for")
    return Check("text", "bad", "the beat that was asked for is not in it", _FIXES["off_schema"])


def _price(use: ModelUse, completed: Completed) -> Check:
    if use.price is None:
        fix = f'add it to models.prices: "{use.name}": {{input: "0", output: "0"}} where it costs nothing'
        return Check("price", "warning", "the policy has no price for it, so the day's budget cannot hold it", fix)
    return Check("price", "good", f"{dollars(completed.picodollars)} USD for one sentence")
