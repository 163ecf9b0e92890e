"""Sockets to one endpoint: as few as it has places, kept open, and no more read from them than a reply may hold.

The transport speaks httpx2 to the openai client and aiohttp to the network: aiohttp's parser costs half the CPU of httpx2's own.
openai ships such a bridge too, but it turns every refused or broken connection into a timeout, caps nothing and decompresses.

No environment variable sends a call elsewhere (no HTTP_PROXY, no .netrc): the policy's base_url alone says where prompts and
keys go. SSL_CERT_FILE and SSL_CERT_DIR are heeded: they choose whom to trust, not whom to ask.
"""

from typing import Final

import aiohttp
import httpx2
from yarl import URL

from agents.asking import MAX_RAW

MAX_BODY: Final = 4 * MAX_RAW
"""Longest HTTP body that is read, bytes (reliability.md, L16): a text of `MAX_RAW` with its characters escaped takes up to three
times its size, and some servers send the model's thoughts beside it."""
_KEEP_S: Final = 60.0
"""How long an idle connection is kept, seconds: longer than the pause between two rounds, shorter than common balancers wait."""
_SHORTEST_KEY: Final = 8


class ReplyTooLargeError(httpx2.TransportError):
    """the body of a reply is larger than may be read; the rest was left unread and the connection closed"""


class Sockets(httpx2.AsyncBaseTransport):
    """Connections to one endpoint.

    Limits of time are the caller's (`asyncio.timeout`): a cancelled call closes its connection, however slowly it drips (L2).

    Args:
        limit: most connections open at once.
        is_secure: whether the endpoint speaks TLS.
        secret: the endpoint's key, blotted out where a reply repeats it: neither records nor recordings may hold it (L7).
    """

    def __init__(self, *, limit: int, is_secure: bool, secret: str | None = None) -> None:
        self._limit = limit
        # Reading the system's certificates takes tens of milliseconds: here, where no event loop waits for it.
        self._tls = httpx2.create_ssl_context() if is_secure else True
        # A shorter one is a placeholder such as "none", which may well occur in a reply.
        self._secret = secret.encode() if secret is not None and len(secret) >= _SHORTEST_KEY else None
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and read its whole reply.

        Raises:
            ReplyTooLargeError: for a body beyond `MAX_BODY`.
            httpx2.TransportError: where no connection could be opened, or it broke.
        """
        try:
            return await self._exchange(request)
        except aiohttp.ClientConnectorError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx2.ReadError(_innermost(error), request=request) from error

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        session = self._session or self._opened()
        url = URL(str(request.url), encoded=True)
        headers = request.headers.multi_items()
        reply = await session.request(
            request.method, url, data=request.content or None, headers=headers, allow_redirects=False
        )
        try:
            body = await _body(reply, request)
        finally:
            reply.close()  # does nothing where the body was read to its end: that connection is kept
        if self._secret is not None and self._secret in body:
            body = body.replace(self._secret, b"*" * len(self._secret))
        return httpx2.Response(reply.status, headers=reply.raw_headers, content=body, request=request)

    def _opened(self) -> aiohttp.ClientSession:
        """Open the session: not before the first request, because it belongs to the running event loop."""
        connector = aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=_KEEP_S, ssl=self._tls)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
        )
        return self._session


def _innermost(error: BaseException) -> str:
    """Return the class of what an error was caused by in the end: it says most about what broke."""
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__


async def _body(reply: aiohttp.ClientResponse, request: httpx2.Request) -> bytes:
    if reply.headers.get("Content-Encoding", "identity") != "identity":
        # A few bytes may unpack to gigabytes; nobody asked for compression.
        raise httpx2.DecodingError("the reply is compressed", request=request)
    if (reply.content_length or 0) > MAX_BODY:
        raise ReplyTooLargeError(f"the reply is larger than {MAX_BODY} bytes", request=request)
    parts: list[bytes] = []
    size = 0
    async for part in reply.content.iter_any():
        size += len(part)
        if size > MAX_BODY:
            raise ReplyTooLargeError(f"the reply is larger than {MAX_BODY} bytes", request=request)
        parts.append(part)
    return b"".join(parts)
