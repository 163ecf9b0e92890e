"""The models of stories behind `story.writing.port.Scribe`: the council's endpoints, gates, retries, forms and cassettes.

One call is one errand: at most 1 + retries calls, and up to two more while it is found out which form an endpoint takes. Every
failure comes out as `ScribeError`, and then the grammar's text is what is told.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from agents.asking import Usage
from agents.models.calls import Call, CallError, CallKey, Form, Message
from agents.models.endpoints import ChatClient, Endpoints, OpenEndpoint
from agents.models.inquiry import spent_in_vain
from agents.models.pricing import characters, cost, cut_off, estimated, most_cost, total
from agents.models.retrying import with_retries
from gateway.settings import Settings
from gateway.story_answers import Answered
from gateway.story_model_uses import story_uses
from gateway.story_purse import DayPurse, Spending
from policies.canonical import canonical_json, sha256_hex
from policies.models import PICODOLLARS, ModelUse
from policies.policy import Policy
from story.service.composing import TemplateWriter, Writer
from story.writing.port import Completed, Role, ScribeError, ScribeTask
from story.writing.writer import ModelWriter

logger = logging.getLogger(__name__)
TOOL: Final = "answer"
"""What the form of a writer's or critic's reply is called at an endpoint."""


def _nobody(answer: Answered) -> None:
    """Count nothing."""


class ModelScribe:
    """Asks the models of stories.

    Args:
        endpoints: where they answer.
        use_of: returns the model of a role, by the live policy.
        retries: returns the most calls after the first, by the live policy.
        purse: keeps what they cost within a budget.
        answered: told of each task when it is done, well or not.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        use_of: Callable[[Role], ModelUse],
        retries: Callable[[], int],
        purse: DayPurse,
        answered: Callable[[Answered], None] = _nobody,
    ) -> None:
        self._endpoints = endpoints
        self._use_of = use_of
        self._retries = retries
        self._purse = purse
        self._answered = answered

    async def complete(self, task: ScribeTask) -> Completed:
        """Ask the model of the task's role.

        Raises:
            ScribeError: for every way in which it can fail.
        """
        errand, started = _Errand(task, self._use_of(task.role)), time.perf_counter()
        outcome = "timeout"  # where the whole writing's clock ends before the call's own
        try:
            await self._run(errand)
            outcome = "text"
        except CallError as error:
            outcome = error.kind
            logger.warning(
                "story_model_failed",
                extra={"model": errand.use.name, "kind": error.kind, "attempt": errand.calls},
            )
            raise ScribeError(error.kind, error.because, errand.picodollars) from None
        finally:
            self._answered(errand.answered(outcome, time.perf_counter() - started))
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
        held = await self._purse.reserve(reserved)
        if held.refused is not None:
            raise CallError("budget", held.refused)
        before = errand.picodollars
        try:
            await opened.gate.through(partial(errand.make, opened.client, call), limit)
        finally:
            await self._purse.settle(held, errand.picodollars - before)


class _Errand:
    """One task on its way.

    Attributes:
        calls: calls made so far.
        picodollars: their price; 0 where it is not known.
        text: what came back.
        usage: tokens of all calls.
    """

    def __init__(self, task: ScribeTask, use: ModelUse) -> None:
        self.use = use
        self.calls = 0
        self.picodollars = 0
        self.text = ""
        self.usage = Usage()
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
        self.usage = total(self.usage, usage)
        self.picodollars += cost(self.use.price, usage)

    def answered(self, outcome: str, seconds: float) -> Answered:
        """Return what became of it."""
        is_priced = self.use.price is not None
        return Answered(
            self._task.role, self.use.name, outcome, self.calls, self.usage, self.picodollars, is_priced, seconds
        )


def open_writer(
    settings: Settings,
    current_policy: Callable[[], Policy],
    endpoints: Endpoints,
    spending: Spending,
    *,
    answered: Callable[[Answered], None] = _nobody,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Writer:
    """Return who writes the prose of stories: a model where the settings name one, else the grammar alone.

    Args:
        settings: name the models.
        current_policy: returns the live policy, which knows endpoints and prices.
        endpoints: those of the process, shared with the council's members.
        spending: where the day's costs are kept.
        answered: told of each task that a model was given.
        now: the wall clock, aware.

    Raises:
        InvalidPolicyError: where a setting names an endpoint that the policy does not know.
    """
    uses = story_uses(settings, current_policy())
    if "story_writer" not in uses:
        return TemplateWriter()
    scribe = open_scribe(settings, current_policy, endpoints, spending, answered=answered, now=now)
    return ModelWriter(scribe, has_critic="story_critic" in uses, timeout_s=settings.story_timeout_s)


def open_scribe(
    settings: Settings,
    current_policy: Callable[[], Policy],
    endpoints: Endpoints,
    spending: Spending,
    *,
    answered: Callable[[Answered], None] = _nobody,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ModelScribe:
    """Return what asks the models of stories that the settings name."""
    purse = DayPurse(int(settings.story_day_usd * PICODOLLARS), spending, now)
    return ModelScribe(
        endpoints,
        lambda role: story_uses(settings, current_policy())[role],
        lambda: current_policy().models.retries,
        purse,
        answered,
    )
