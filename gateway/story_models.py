"""The models of stories behind `story.writing.port.Scribe`: the council's endpoints, gates, retries, forms and cassettes.

One call is one errand: at most 1 + retries calls, and up to two more while it is found out which form an endpoint takes. Every
failure comes out as `ScribeError`, and then the grammar's text is what is told.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from agents.asking import Usage
from agents.models.calls import Call, CallError, CallKey, Form, Message
from agents.models.endpoints import ChatClient, Endpoints, OpenEndpoint
from agents.models.inquiry import spent_in_vain
from agents.models.pricing import characters, cost, cut_off, estimated, most_cost
from agents.models.retrying import with_retries
from gateway.settings import Settings
from gateway.story_model_uses import story_uses
from policies.canonical import canonical_json, sha256_hex
from policies.models import PICODOLLARS, ModelUse, dollars
from policies.policy import Policy
from story.service.composing import TemplateWriter, Writer
from story.writing.port import Completed, Role, ScribeError, ScribeTask
from story.writing.writer import ModelWriter

logger = logging.getLogger(__name__)
TOOL: Final = "answer"
"""What the form of a writer's or critic's reply is called at an endpoint."""


class DayPurse:
    """Keeps what writing costs in this process within a budget per day (UTC); a restart begins anew.

    Args:
        limit: picodollars.
        now: the wall clock, aware.
    """

    def __init__(self, limit: int, now: Callable[[], datetime]) -> None:
        self._limit = limit
        self._now = now
        self._day = ""
        self._used = 0

    def reserve(self, picodollars: int) -> str | None:
        """Set aside the most that a call may cost; where the budget would be overrun, say so."""
        today = self._now().astimezone(UTC).date().isoformat()
        if today != self._day:
            self._day, self._used = today, 0
        if self._used + picodollars > self._limit:
            left = dollars(max(0, self._limit - self._used))
            return f"the day's budget for writing does not bear the call: {left} of {dollars(self._limit)} USD are left"
        self._used += picodollars
        return None

    def settle(self, reserved: int, spent: int) -> None:
        """Give a reservation back and book what was really spent."""
        self._used = max(0, self._used - reserved + spent)


class ModelScribe:
    """Asks the models of stories.

    Args:
        endpoints: where they answer.
        use_of: returns the model of a role, by the live policy.
        retries: returns the most calls after the first, by the live policy.
        purse: keeps what they cost within a budget.
    """

    def __init__(
        self, endpoints: Endpoints, use_of: Callable[[Role], ModelUse], retries: Callable[[], int], purse: DayPurse
    ) -> None:
        self._endpoints = endpoints
        self._use_of = use_of
        self._retries = retries
        self._purse = purse

    async def complete(self, task: ScribeTask) -> Completed:
        """Ask the model of the task's role.

        Raises:
            ScribeError: for every way in which it can fail.
        """
        errand = _Errand(task, self._use_of(task.role))
        try:
            await self._run(errand)
        except CallError as error:
            logger.warning(
                "story_model_failed",
                extra={"model": errand.use.name, "kind": error.kind, "attempt": errand.calls},
            )
            raise ScribeError(error.kind, error.because, errand.picodollars) from None
        return Completed(errand.text, errand.picodollars)

    async def _run(self, errand: "_Errand") -> None:
        use = errand.use
        limit = asyncio.timeout(use.timeout_ms / 1000)
        try:
            # Once per process this loads the client's library, which is no part of the model's time.
            opened = await self._endpoints.opened(use.endpoint)
            async with limit:
                await with_retries(partial(self._attempt, errand, opened, limit), self._retries(), limit)
        except CallError:
            raise
        except Exception as error:  # noqa: BLE001 - any exception at all is: this model failed (reliability.md, fact 3)
            if limit.expired():
                raise CallError("timeout", f"no answer within {use.timeout_ms} ms") from None
            raise CallError("unreachable", f"{type(error).__name__} while it was asked") from None

    async def _attempt(self, errand: "_Errand", opened: OpenEndpoint, limit: asyncio.Timeout) -> None:
        """Make one call, and another where the endpoint does not know the form of the first."""
        while True:
            form = opened.forms.of(errand.use)
            try:
                return await self._call(errand, opened, form, limit)
            except CallError as error:
                if not (error.form_refused and opened.forms.step_down(errand.use, form)):
                    raise

    async def _call(self, errand: "_Errand", opened: OpenEndpoint, form: Form, limit: asyncio.Timeout) -> None:
        call = errand.next_call(form)
        reserved = most_cost(errand.use.price, characters(call.messages), call.max_output_tokens)
        if (refused := self._purse.reserve(reserved)) is not None:
            raise CallError("budget", refused)
        before = errand.picodollars
        try:
            await opened.gate.through(partial(errand.make, opened.client, call), limit)
        finally:
            self._purse.settle(reserved, errand.picodollars - before)


class _Errand:
    """One task on its way.

    Attributes:
        calls: calls made so far.
        picodollars: their price; 0 where it is not known.
        text: what came back.
    """

    def __init__(self, task: ScribeTask, use: ModelUse) -> None:
        self.use = use
        self.calls = 0
        self.picodollars = 0
        self.text = ""
        self._task = task

    def next_call(self, form: Form) -> Call:
        """Return the next call, with a key of its own on cassettes."""
        task, use = self._task, self.use
        messages: tuple[Message, ...] = (
            {"role": "system", "content": task.system},
            {"role": "user", "content": task.user},
        )
        parameters = {"temperature": use.temperature, "max_output_tokens": use.max_output_tokens, "form": form}
        key = CallKey(
            member=task.role,
            prompt_hash=task.prompt_hash,
            model=use.name,
            parameters=canonical_json(parameters).decode(),
            request_hash=sha256_hex(canonical_json(messages)),
            round=task.round,
            variant="full",
            repeat=0,
            attempt=self.calls,
        )
        return Call(key, messages, use.model, use.temperature, use.max_output_tokens, form, task.schema, TOOL)

    async def make(self, client: ChatClient, call: Call) -> None:
        """Make a call, and keep what it brought and cost.

        Raises:
            CallError: where it brought nothing.
        """
        self.calls += 1
        try:
            completion = await client.complete(call)
        except asyncio.CancelledError:
            self._spend(cut_off(characters(call.messages), call.max_output_tokens))
            raise
        except CallError as error:
            self._spend(error.usage or spent_in_vain(call, error))
            raise
        self._spend(completion.usage or estimated(characters(call.messages), len(completion.text)))
        self.text = completion.text

    def _spend(self, usage: Usage) -> None:
        self.picodollars += cost(self.use.price, usage)


def open_writer(
    settings: Settings,
    current_policy: Callable[[], Policy],
    endpoints: Endpoints,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Writer:
    """Return who writes the prose of stories: a model where the settings name one, else the grammar alone.

    Args:
        settings: name the models.
        current_policy: returns the live policy, which knows endpoints and prices.
        endpoints: those of the process, shared with the council's members.
        now: the wall clock, aware.

    Raises:
        InvalidPolicyError: where a setting names an endpoint that the policy does not know.
    """
    uses = story_uses(settings, current_policy())
    if "story_writer" not in uses:
        return TemplateWriter()
    scribe = open_scribe(settings, current_policy, endpoints, now=now)
    return ModelWriter(scribe, has_critic="story_critic" in uses, timeout_s=settings.story_timeout_s)


def open_scribe(
    settings: Settings,
    current_policy: Callable[[], Policy],
    endpoints: Endpoints,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ModelScribe:
    """Return what asks the models of stories that the settings name."""
    purse = DayPurse(int(settings.story_day_usd * PICODOLLARS), now)
    return ModelScribe(
        endpoints,
        lambda role: story_uses(settings, current_policy())[role],
        lambda: current_policy().models.retries,
        purse,
    )
