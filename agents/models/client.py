"""The client of one endpoint: a LangChain ChatOpenAI to everything around it, at a fraction of its CPU.

`ainvoke` and `Client.complete` both end in `CouncilChat._agenerate`: one request by the SDK's low-level `post`, one parse of
the body (0.14 of the CPU of `with_structured_output`; 0.20 where LangChain's callbacks run: benchmarks/model_call.py).
Importing this room takes seconds (langchain-openai): only what really asks a model may import it.
"""

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal, NoReturn
from urllib.parse import urlsplit

import httpx2
import openai
import orjson
from langchain_core.callbacks import AsyncCallbackManager, AsyncCallbackManagerForLLMRun
from langchain_core.globals import get_llm_cache
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables.config import var_child_runnable_config
from langchain_openai import ChatOpenAI
from openai._models import FinalRequestOptions
from pydantic import SecretStr

from agents.models.calls import Call, CallError, Completion, current_call, current_headers
from agents.models.failures import call_error, for_langchain, key_fault
from agents.models.replies import completion_of, read_result
from agents.models.transport import Sockets
from policies.models import Endpoint

Around = Callable[[httpx2.AsyncBaseTransport], httpx2.AsyncBaseTransport]
_OPENAI_HOSTS: Final = (".openai.com", ".openai.azure.com")
_OPTIONS: Final[Any] = {"headers": {}, "max_retries": 0, "timeout": None, "security": {}}
"""Written out, because the SDK copies the defaults of every option left out, deeply and with each request."""
_NO_TIMEOUT: Final[Any] = {"timeout": {}}
"""Of the library: it would count the pauses between bytes, never the whole (reliability.md, L2)."""


class CouncilChat(ChatOpenAI):
    """ChatOpenAI whose asynchronous calls take one request and one parse.

    Callbacks, tracing, caches, `bind`, `with_structured_output` and LangChain's errors work as ever; streams come in one piece.
    The model's name is given with each call (`model=…`). It is awaited only.
    """

    limit_name: Literal["max_tokens", "max_completion_tokens"] = "max_completion_tokens"
    """What this endpoint calls the most output tokens. OpenAI's newer models refuse `max_tokens`; Ollama ignores the other name
    without a word and answers without end (ollama#7125); vLLM, LM Studio and llama.cpp know `max_tokens`."""

    async def ask(self, call: Call) -> AIMessage:
        """Send one call, by way of LangChain's callbacks where anybody listens to them."""
        messages = [_message(each["role"], each["content"]) for each in call.messages]
        parameters = _parameters(call)
        if self._is_watched():
            return await self.ainvoke(messages, **parameters)
        result = await self._agenerate(messages, **parameters)
        message = result.generations[0].message
        assert isinstance(message, AIMessage)
        return message

    def _is_watched(self) -> bool:
        """Tell whether LangChain would do anything around the call: a callback, a tracer, a cache, a rate limiter."""
        if get_llm_cache() is not None or self.cache or self.rate_limiter:
            return True
        config = var_child_runnable_config.get()
        inherited = config.get("callbacks") if config else None
        return bool(AsyncCallbackManager.configure(inherited, self.callbacks, self.verbose).handlers)

    def _get_request_payload(self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        if "max_completion_tokens" in payload:
            payload[self.limit_name] = payload.pop("max_completion_tokens")
        return payload

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if isinstance(kwargs.get("response_format"), type):
            return await super()._agenerate(messages, stop, run_manager, **kwargs)  # the SDK builds pydantic classes
        content = orjson.dumps(self._get_request_payload(messages, stop=stop, **kwargs))
        try:
            response = await self.root_async_client.post(
                f"{self.openai_api_base}/chat/completions", content=content, cast_to=httpx2.Response, options=_OPTIONS
            )
        except openai.APIError as error:
            raise for_langchain(error) from error
        return read_result(response.content)

    def _generate(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError("the council's models are awaited: use ainvoke")


class Client:
    """One endpoint, open for calls. Built once: building costs as much as many calls.

    Attributes:
        chat: the endpoint as LangChain sees it.
    """

    def __init__(self, endpoint: Endpoint, chat: CouncilChat, *, key_fault: str | None) -> None:
        self.chat = chat
        self._endpoint = endpoint
        self._key_fault = key_fault

    async def complete(self, call: Call) -> Completion:
        """Make one call. How long it may take is the caller's affair: a cancelled call closes its connection.

        Raises:
            CallError: for every failure there is, and nothing else (reliability.md, L1 to L20).
        """
        if self._key_fault is not None:
            raise CallError("unreachable", self._key_fault)
        token = current_call.set(call.key)
        try:
            return completion_of(await self.chat.ask(call), call.form, call.tool)
        except Exception as error:  # noqa: BLE001 - any exception at all is: this member failed
            failed = call_error(error, self._endpoint, call.form, now_s=time.time())
        finally:
            current_call.reset(token)
        # Raised here, it carries no context: what the libraries raised may quote the key or the prompt.
        raise failed

    async def close(self) -> None:
        """Close all connections."""
        await self.chat.root_async_client.close()


class _Wire(openai.AsyncOpenAI):
    """The SDK's client with the HTTP client's headers alone: nothing from the environment (OPENAI_ORG_ID …), which any endpoint
    would receive, and nothing about the machine.
    """

    def _build_headers(self, options: FinalRequestOptions, *, retries_taken: int = 0) -> httpx2.Headers:
        given: Any = options.headers if isinstance(options.headers, Mapping) else {}
        return httpx2.Headers({**given, **current_headers.get()})

    def _build_request(self, options: FinalRequestOptions, *, retries_taken: int = 0) -> httpx2.Request:
        if not isinstance(options.content, bytes):
            return super()._build_request(options, retries_taken=retries_taken)
        # The same request at a fifth less CPU per call: the SDK parses the URL twice and merges the headers four times.
        headers = self._client.headers.copy()
        headers.update(current_headers.get())
        url = _parsed(options.url)
        return httpx2.Request("POST", url, headers=headers, content=options.content, extensions=_NO_TIMEOUT)


def open_client(endpoint: Endpoint, *, key: str | None, around: Around | None = None) -> Client:
    """Build the client of an endpoint. Opens no connection yet.

    Args:
        endpoint: where it answers.
        key: value of the environment variable that the endpoint names; None where it names none or that is not set.
        around: wraps the transport: what stands between client and socket, such as a recorder.
    """
    key = key.strip() if key is not None else None
    fault = key_fault(endpoint, key)
    url = urlsplit(endpoint.base_url)
    sockets: httpx2.AsyncBaseTransport = Sockets(
        limit=endpoint.concurrency, is_secure=url.scheme == "https", secret=key
    )
    transport = sockets if around is None else around(sockets)
    wire = _Wire(
        api_key="in the headers",
        base_url=endpoint.base_url,
        max_retries=0,
        timeout=None,
        http_client=httpx2.AsyncClient(
            transport=transport,
            headers=_headers(None if fault else key),
            timeout=None,
            trust_env=False,
            follow_redirects=False,
        ),
    )
    chat = CouncilChat(
        model=endpoint.name,
        api_key=SecretStr("in the headers"),
        base_url=endpoint.base_url,
        max_retries=0,
        use_responses_api=False,
        disable_streaming=True,
        async_client=wire.chat.completions,
        root_async_client=wire,
        client=wire.chat.completions,
        root_client=wire,
        http_socket_options=(),
        openai_proxy=None,
        limit_name="max_completion_tokens" if f".{url.hostname}".endswith(_OPENAI_HOSTS) else "max_tokens",
    )
    return Client(endpoint, chat, key_fault=fault)


@lru_cache(maxsize=64)
def _parsed(url: str) -> httpx2.URL:
    return httpx2.URL(url)


def _headers(key: str | None) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": "world-council",
    }
    return headers if not key else {**headers, "Authorization": f"Bearer {key}"}


def _message(role: str, content: str) -> BaseMessage:
    return SystemMessage(content) if role == "system" else HumanMessage(content)


def _parameters(call: Call) -> dict[str, Any]:
    parameters: dict[str, Any] = {"model": call.model, "max_tokens": call.max_output_tokens}
    if call.temperature is not None:
        parameters["temperature"] = call.temperature
    schema = {"name": call.tool, "strict": True}
    if call.form == "json_schema":
        parameters["response_format"] = {"type": "json_schema", "json_schema": {**schema, "schema": call.schema}}
    elif call.form == "function_calling":
        parameters["tools"] = [{"type": "function", "function": {**schema, "parameters": call.schema}}]
        parameters["tool_choice"] = {"type": "function", "function": {"name": call.tool}}
    return parameters
