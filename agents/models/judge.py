"""Asks one member's model, whatever happens: a reply with a vote in it, or one that says why there is none.

One wall clock per question holds over everything, waiting, retries and slow drips included (reliability.md, L1, L2). Calls:
at most 1 + retries (I10), and up to two more while it is found out which form an endpoint takes (`agents.models.forms`).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from agents.asking import Question, Reply
from agents.models.calls import CallError, Form
from agents.models.endpoints import Endpoints, OpenEndpoint
from agents.models.gate import NoPlaceError
from agents.models.inquiry import Inquiry
from agents.models.pricing import characters, most_cost
from agents.models.retrying import with_retries
from agents.ports import NoObserver, NoPurse, Observer, Purse
from agents.prompt_files import HERE

logger = logging.getLogger(__name__)

_NO_PURSE: Final = NoPurse()
_NO_OBSERVER: Final = NoObserver()


class ModelJudge:
    """The members' models behind the port `agents.ports.Judge`.

    Args:
        endpoints: where they answer.
        purse: keeps what they cost within budgets.
        observer: sees what they do, and the endpoints' breakers.
        clock: monotonic seconds, for latencies.
        prompts: where the prompt files stand; the packaged ones unless another version is tried.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        purse: Purse = _NO_PURSE,
        observer: Observer = _NO_OBSERVER,
        *,
        clock: Callable[[], float] = time.monotonic,
        prompts: Path = HERE,
    ) -> None:
        self._endpoints = endpoints
        self._purse = purse
        self._observer = observer
        self._clock = clock
        self._prompts = prompts
        endpoints.watch(observer.breaker)

    async def ask(self, question: Question) -> Reply:
        """Ask one member's model; never raises but when cancelled."""
        self._observer.asked(question)
        inquiry = Inquiry(question, self._clock, self._prompts)
        ended = await self._answered(inquiry)
        reply = inquiry.reply(ended)
        if ended is not None:
            _log(question, reply, ended)
        self._observer.replied(question, reply)
        return reply

    async def _answered(self, inquiry: Inquiry) -> CallError | None:
        """Ask until there is a vote; return None then, and else why no further call is made."""
        question = inquiry.question
        limit = asyncio.timeout(question.use.timeout_ms / 1000)
        try:
            # Once per process this loads the client's library, which is no fault of the model and no part of its time.
            opened = await self._endpoints.opened(question.use.endpoint)
            async with limit:
                await with_retries(partial(self._attempt, inquiry, opened, limit), question.models.retries, limit)
        except CallError as error:
            return error
        except Exception as error:  # noqa: BLE001 - any exception at all is: this member failed (reliability.md, fact 3)
            if limit.expired():
                return CallError("timeout", f"no call could be made within {question.use.timeout_ms} ms")
            return CallError("unreachable", f"{type(error).__name__} at {_place(error)} in its judge")
        return None

    async def _attempt(self, inquiry: Inquiry, opened: OpenEndpoint, limit: asyncio.Timeout) -> None:
        """Make one call, and another where the endpoint does not know the form of the first."""
        use = inquiry.question.use
        while True:
            form = opened.forms.of(use)
            try:
                return await self._call(inquiry, opened, form, limit)
            except CallError as error:
                if not (error.form_refused and opened.forms.step_down(use, form)):
                    raise

    async def _call(self, inquiry: Inquiry, opened: OpenEndpoint, form: Form, limit: asyncio.Timeout) -> None:
        question, use = inquiry.question, inquiry.question.use
        call = inquiry.next_call(form)
        reserved = most_cost(use.price, characters(call.messages), use.max_output_tokens)
        if (refused := await self._refused(question, reserved)) is not None:
            raise CallError("budget", refused)
        before = inquiry.picodollars
        try:
            await opened.gate.through(partial(inquiry.make, opened.client, call), limit)
        finally:
            self._purse.settle(question, reserved, inquiry.picodollars - before)

    async def _refused(self, question: Question, picodollars: int) -> str | None:
        """Return which budget is spent; None where the call may be paid. A purse that fails pays nothing."""
        try:
            return await self._purse.reserve(question, picodollars)
        except Exception as error:  # noqa: BLE001 - a purse may stand on a database, and money fails closed
            return f"what was spent so far could not be read ({type(error).__name__})"


def _log(question: Question, reply: Reply, ended: CallError) -> None:
    """Log a member without a vote: as an error where no retry helps but a person (keys, quotas, names, defects)."""
    needs_person = ended.kind == "unreachable" and not ended.is_retryable and not isinstance(ended, NoPlaceError)
    logger.log(
        logging.ERROR if needs_person else logging.WARNING,
        "model_failed",
        extra={
            "decision_id": question.decision_id,
            "member": question.slot.member,
            "endpoint": question.use.endpoint.name,
            "model": question.use.model,
            "kind": reply.failed,
            "attempt": len(reply.attempts),
            "latency_ms": reply.latency_ms,
        },
    )


def _place(error: BaseException) -> str:
    """Return where an exception was raised, as file:line."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return "nowhere" if at is None else f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}"
