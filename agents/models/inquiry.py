"""One question on its way: the calls made for it so far, what they brought and cost, and the reply that comes of it."""

import asyncio
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agents.asking import Attempt, Question, Reply, Usage
from agents.models.calls import Call, CallError, CallKey, Form
from agents.models.endpoints import ChatClient
from agents.models.pricing import characters, cost, cut_off, estimated, total
from agents.parsing import NoVoteError, read_vote
from agents.prompt_files import HERE
from agents.prompting import Prompt, write_prompt
from policies.canonical import canonical_json, sha256_hex
from policies.verdicts import Abstention


class Inquiry:
    """What became of one question so far.

    Args:
        question: what is asked.
        clock: monotonic seconds.
        prompts: where the prompt files stand.

    Attributes:
        picodollars: price of the calls made so far; 0 where it is not known.
    """

    def __init__(self, question: Question, clock: Callable[[], float], prompts: Path = HERE) -> None:
        self.question = question
        self._prompts = prompts
        self.picodollars = 0
        self._clock = clock
        self._asked_s = clock()
        self._attempts: list[Attempt] = []
        self._usage = Usage()
        self._is_short = False
        self._retry_after_s: float | None = None
        self._prompt = Prompt("", "", (), {})
        self._parameters: Mapping[str, Any] = {}
        self._request_hash = ""

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return len(self._attempts)

    def next_call(self, form: Form) -> Call:
        """Write the next call. What an earlier reply said is never part of it (reliability.md, L14)."""
        question, use = self.question, self.question.use
        self._prompt = prompt = write_prompt(question, form=form, is_short=self._is_short, folder=self._prompts)
        self._parameters = {
            "temperature": use.temperature,
            "max_output_tokens": use.max_output_tokens,
            "form": form,
        }
        self._request_hash = sha256_hex(canonical_json(prompt.messages))
        key = CallKey(
            member=question.slot.member,
            prompt_hash=prompt.static_hash,
            model=use.name,
            parameters=canonical_json(self._parameters).decode(),
            request_hash=self._request_hash,
            round=question.slot.round,
            variant=question.slot.variant,
            repeat=question.repeat,
            attempt=self.calls,
        )
        return Call(key, prompt.messages, use.model, use.temperature, use.max_output_tokens, form, prompt.schema)

    async def make(self, client: ChatClient, call: Call) -> None:
        """Make a call, and keep what came of it.

        Raises:
            CallError: where there is no vote in what came.
        """
        began_s = self._clock()
        try:
            completion = await client.complete(call)
        except asyncio.CancelledError:
            because = f"no answer within {self.question.use.timeout_ms} ms"
            self._failed(call, began_s, CallError("timeout", because))
            raise
        except CallError as error:
            self._failed(call, began_s, error)
            raise
        except Exception as error:
            failed = CallError("unparsed", f"the reply could not be read ({type(error).__name__})")
            self._failed(call, began_s, failed)
            raise failed from error
        usage = completion.usage or estimated(characters(call.messages), len(completion.text))
        unread = self._unread(completion.text)
        if unread is None:
            self._keep(Attempt(completion.text, None, "", _ms(self._clock() - began_s)), usage)
            return
        self._keep(Attempt(completion.text, unread.kind, unread.because, _ms(self._clock() - began_s)), usage)
        raise unread

    def reply(self, ended: CallError | None) -> Reply:
        """Return what came back.

        Args:
            ended: why no further call is made; None where the last one was read into a vote.
        """
        use = self.question.use
        kind, because = self._outcome(ended)
        told_s = None if ended is None else (ended.retry_after_s or self._retry_after_s)
        return Reply(
            slot=self.question.slot,
            prompt=self._prompt.name,
            prompt_hash=self._prompt.static_hash,
            model=use.name,
            parameters=self._parameters,
            request_hash=self._request_hash,
            attempts=tuple(self._attempts),
            failed=kind,
            because=because,
            usage=self._usage,
            picodollars=self.picodollars,
            is_priced=use.price is not None or not self._attempts,
            latency_ms=_ms(self._clock() - self._asked_s),
            retry_after_s=None if told_s is None else max(1, math.ceil(told_s)),
        )

    def _outcome(self, ended: CallError | None) -> tuple[Abstention | None, str]:
        """Return why there is no vote: the last call's failure, and what kept another one from being made."""
        if ended is None:
            return None, ""
        if not self._attempts:
            return ended.kind, ended.because
        last = self._attempts[-1]
        if ended.because == last.because or ended.kind == last.failed == "timeout":
            return last.failed, last.because
        return last.failed, f"{last.because}; not asked again: {ended.because}"

    def _unread(self, text: str) -> CallError | None:
        """Return why there is no vote in a text; None where there is one."""
        question = self.question
        try:
            read_vote(text, question.slot.member, question.case, question.evidence, question.rules)
        except NoVoteError as error:
            return CallError(error.kind, error.because, is_retryable=True)
        except Exception as error:  # noqa: BLE001 - any exception at all is: this member failed (reliability.md, fact 3)
            return CallError("unparsed", f"the reply could not be read ({type(error).__name__})", is_retryable=True)
        return None

    def _failed(self, call: Call, began_s: float, error: CallError) -> None:
        self._is_short = self._is_short or error.is_truncated
        self._retry_after_s = error.retry_after_s
        attempt = Attempt(error.raw, error.kind, error.because, _ms(self._clock() - began_s))
        self._keep(attempt, error.usage or spent_in_vain(call, error))

    def _keep(self, attempt: Attempt, usage: Usage) -> None:
        self._attempts.append(attempt)
        self._usage = total(self._usage, usage)
        self.picodollars += cost(self.question.use.price, usage)


def spent_in_vain(call: Call, error: CallError) -> Usage:
    """Return the tokens of a call that failed without saying what it used: none where the endpoint did no work."""
    if error.kind == "unreachable":
        return Usage()
    if error.kind == "timeout":
        return cut_off(characters(call.messages), call.max_output_tokens)
    return estimated(characters(call.messages), len(error.raw or ""))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
