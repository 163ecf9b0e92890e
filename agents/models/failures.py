"""Every way a call can fail, as one `CallError`: what it is called, whether it may pass, and whose fault it is.

The sentences are our own words, the endpoint's name and codes of the protocol: never what the endpoint wrote, for that may
quote the key or the prompt (reliability.md, L7).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2
import openai
from langchain_openai.chat_models import base as langchain

from agents.models.calls import CallError, Form
from agents.models.replies import QUOTA_CODES
from agents.models.transport import ReplyTooLargeError
from policies.models import Endpoint

LONGEST_WAIT_S: Final = 86_400 * 30
"""A longer wait than a month is taken for garbage, seconds."""
_REFUSALS: Final = frozenset({"content_filter", "content_policy_violation", "invalid_prompt"})
"""Codes of HTTP 400 that say that the provider refused the text, not the request."""
_PASSING: Final = frozenset({408, 409, 425, 429})
"""Beside 5xx: what may succeed a moment later (L3, L6)."""
_NEVER_ABOUT_FORM: Final = frozenset({401, 402, 403, 408, 409, 413, 425, 429, 502, 503, 504, 529})
_FORM_WORDS: Final[Mapping[Form, re.Pattern[str]]] = {
    "json_schema": re.compile(
        r"response_format|response format|json_schema|json schema|structured output|grammar|guided"
    ),
    "function_calling": re.compile(r"\btools?\b|tool_choice|tool_calls?\b|function.call|json schema|grammar"),
}
_OUT_OF_CONTEXT: Final = re.compile(r"context[ _](length|window|size)|too long|maximum length")
_CODE: Final = re.compile(r"[a-z]{2,20}(_[a-z]{1,20}){0,4}")
_FIXES: Final = {
    404: "check the model's name and base_url",
    413: "the prompt is too large for it",
}
_LANGCHAIN: Final[tuple[tuple[type[openai.APIStatusError], type[openai.APIStatusError]], ...]] = (
    (openai.BadRequestError, langchain.OpenAIInvalidRequestError),
    (openai.AuthenticationError, langchain.OpenAIAuthenticationError),
    (openai.PermissionDeniedError, langchain.OpenAIPermissionDeniedError),
    (openai.NotFoundError, langchain.OpenAIModelNotFoundError),
    (openai.RateLimitError, langchain.OpenAIRateLimitError),
    (openai.InternalServerError, langchain.OpenAIAPIError),
)


def call_error(error: BaseException, endpoint: Endpoint, form: Form, *, now_s: float) -> CallError:
    """Return what a failed call means for the member.

    Args:
        error: whatever came out of the client.
        endpoint: where the call went.
        form: how the reply's form was asked for.
        now_s: seconds since 1970, for dates in Retry-After where the endpoint says no date of its own.
    """
    for each in _chain(error):
        if isinstance(each, CallError):
            return each
        if isinstance(each, openai.APIStatusError):
            return _status_error(each, endpoint, form, now_s)
        if isinstance(each, httpx2.RequestError):
            return _transport_error(each, endpoint.name)
    return _other(error, endpoint.name)


def for_langchain(error: openai.APIError) -> openai.APIError:
    """Return an error as LangChain's own ChatOpenAI raises it, so that its fallbacks and retries know it."""
    for kind, wrapped in _LANGCHAIN:
        if isinstance(error, kind):
            return wrapped(error.message, response=error.response, body=error.body)
    if isinstance(error, openai.APITimeoutError):
        return langchain.OpenAITimeoutError(error.request)
    if isinstance(error, openai.APIConnectionError):
        return langchain.OpenAIConnectionError(message=error.message, request=error.request)
    return error


def key_fault(endpoint: Endpoint, key: str | None) -> str | None:
    """Return what is wrong with an endpoint's key before any call, naming its variable and never the key; None if nothing is."""
    if endpoint.key is None:
        return None
    variable = f"environment variable {endpoint.key!r}"
    if not key:
        return f"{variable} is not set: put the key of endpoint {endpoint.name!r} into it"
    if not (key.isascii() and key.isprintable()) or " " in key:
        return f"{variable} holds no key: a key has no spaces, line breaks or characters beyond ASCII"
    return None


def retry_after_s(headers: Mapping[str, str], *, now_s: float) -> float | None:
    """Return how long the endpoint asked to be left alone, seconds; None where it did not say so in a way that can be read (L3).

    A date counts from the reply's own Date, so that neither clock's error matters; only without one from `now_s`.
    """
    for header, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(header, "").strip()
        if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", value):
            return _wait(float(value) / divisor)
    until = _date_s(headers.get("retry-after"))
    if until is None:
        return None
    sent = _date_s(headers.get("date"))
    return _wait(max(0.0, until - (now_s if sent is None else sent)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes: libraries wrap what they catch. A context may be an older call's error."""
    while error is not None:
        yield error
        error = error.__cause__


def _transport_error(error: httpx2.RequestError, name: str) -> CallError:
    if isinstance(error, ReplyTooLargeError):
        return CallError("unparsed", f"the reply of endpoint {name!r} is larger than may be read")
    if isinstance(error, httpx2.DecodingError):
        because = f"endpoint {name!r} compressed its reply, which nobody asked for"
        return CallError("unparsed", because, is_retryable=True, is_endpoint_fault=True)
    if isinstance(error, httpx2.TimeoutException):
        return _slow(name)
    if isinstance(error, httpx2.ConnectError):
        return _unreachable(f"no connection to endpoint {name!r} ({_line(error)})")
    return _unreachable(f"the connection to endpoint {name!r} broke ({_kind(error)})")


def _other(error: BaseException, name: str) -> CallError:
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return _slow(name)
    if isinstance(error, openai.APIConnectionError | OSError):
        return _unreachable(f"the connection to endpoint {name!r} broke ({type(error).__name__})")
    if isinstance(error, openai.LengthFinishReasonError):
        because = "the reply was cut off at the most output tokens allowed"
        return CallError("unparsed", because, is_retryable=True, is_truncated=True)
    if isinstance(error, openai.ContentFilterFinishReasonError):
        return CallError("refused", "the provider's content filter stopped the answer")
    if isinstance(error, langchain.OpenAIRefusalError):
        return CallError("refused", "the model refused to answer")
    return CallError(
        "unparsed", f"the reply of endpoint {name!r} could not be read ({type(error).__name__})", is_retryable=True
    )


def _status_error(error: openai.APIStatusError, endpoint: Endpoint, form: Form, now_s: float) -> CallError:
    status, codes = error.status_code, _codes(error)
    said = " ".join([f"endpoint {endpoint.name!r} answered HTTP {status}", *codes[:1]])
    if _is_about_form(error, form):
        return CallError("unreachable", f"{said}: it does not know structured output by {form}", form_refused=True)
    if not _REFUSALS.isdisjoint(codes):
        return CallError("refused", f"{said}: the provider refused the text")
    wait_s = retry_after_s(error.response.headers, now_s=now_s)
    if status == 402 or not QUOTA_CODES.isdisjoint(codes):
        because = f"{said}: the quota or the money at the provider is spent"
        return CallError("unreachable", because, is_endpoint_fault=True, retry_after_s=wait_s)
    if status in _PASSING or status >= 500:
        return _unreachable(said, retry_after_s=wait_s)
    return CallError("unreachable", f"{said}: {_fix(error, endpoint)}", is_endpoint_fault=status == 401)


def _fix(error: openai.APIStatusError, endpoint: Endpoint) -> str:
    """Return what to do about a status that no retry changes (L7)."""
    status = error.status_code
    if status < 400:
        return "it answers elsewhere, write that address as its base_url"
    if status in (401, 403) and endpoint.key is None:
        return "it wants a key: name the environment variable that holds it as the endpoint's key"
    if status in (401, 403):
        return f"it refuses the key in environment variable {endpoint.key!r}: check that key"
    parameter = f" ({error.param})" if isinstance(error.param, str) and _CODE.fullmatch(error.param) else ""
    return _FIXES.get(status, "the request is not accepted: check the model's parameters") + parameter


def _is_about_form(error: openai.APIStatusError, form: Form) -> bool:
    """Tell whether an endpoint does not know the form: servers say so with 400, 404, 422, 500 and 501, in words of their own."""
    if form == "prompt" or error.status_code in _NEVER_ABOUT_FORM or not error.status_code >= 400:
        return False
    words = f"{error.code} {error.param} {_words(error.body)}".lower()[:1000]
    return bool(_FORM_WORDS[form].search(words)) and not _OUT_OF_CONTEXT.search(words)


def _words(body: object) -> str:
    """Return the message of an error: {"message": …}, {"error": "…"}, {"detail": …} or bare text."""
    if isinstance(body, Mapping):
        body = next((body[name] for name in ("message", "detail", "msg") if body.get(name)), "")
    return str(body)


def _codes(error: openai.APIStatusError) -> list[str]:
    """Return an error's code and type, as far as they look like words of the protocol."""
    return [each for each in (error.code, error.type) if isinstance(each, str) and _CODE.fullmatch(each)]


def _wait(seconds: float) -> float | None:
    return seconds if seconds <= LONGEST_WAIT_S else None


def _date_s(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None


def _unreachable(because: str, *, retry_after_s: float | None = None) -> CallError:
    return CallError("unreachable", because, is_retryable=True, is_endpoint_fault=True, retry_after_s=retry_after_s)


def _slow(name: str) -> CallError:
    because = f"endpoint {name!r} did not answer in time"
    return CallError("timeout", because, is_retryable=True, is_endpoint_fault=True)


def _kind(error: BaseException) -> str:
    """Return what broke, as the transport names it: recorded and replayed calls say the same."""
    told = str(error)
    return told if told.isidentifier() else type(error).__name__


def _line(error: httpx2.ConnectError) -> str:
    """Return on one line what is wrong with a connection: its host, and the system's words about it."""
    return " ".join(str(error).split())[:200]
