"""The running HTTP service: one process, one event loop, a policy that is taken up anew, and a stop that loses nothing.

SIGTERM and SIGINT end it alike: no new connections, requests under way are finished within the grace, decisions that nobody waits
for any more are recorded, then the process exits 0 (reliability.md, S5).
"""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI

from council.ledger.port import LedgerError
from gateway.app import build_app
from gateway.bootstrap import Council, open_council
from gateway.errors import GatewayError
from gateway.feed_protocols import WS_MAX_BYTES, WiredHttp, WiredSocket
from gateway.logs import configure_logging
from gateway.settings import Settings, unknown_variables
from gateway.story_bootstrap import LivingStory, open_story
from gateway.world_bootstrap import LivingWorld, open_world
from world.feed.feeds import Feeds

_log = logging.getLogger("gateway.serving")
TAKE_UP_S = 15.0
"""Seconds between looks for reviews whose process is gone."""
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class CannotListenError(GatewayError):
    """the address cannot be listened on"""


def serve(settings: Settings) -> None:
    """Serve until told to stop.

    Raises:
        SettingsError: where no service token is set.
        CannotListenError: where the address is taken or is none of this machine's.
        InvalidPolicyError: where the policy file is not valid.
        LedgerError: where the record store cannot be opened.
    """
    settings.required_token()
    configure_logging(settings.log_level, settings.log_format)
    for line in unknown_variables():
        _log.warning("unknown variable", extra={"hint": line})
    with _listening(settings) as listener:
        uvloop.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    council = await open_council(settings)
    world = await open_world(settings, council)
    story = open_story(settings, council, world)
    parts = replace(council.parts(), world=world.parts(), story=story.parts())
    app = build_app(parts, settings, _lifespan(council, world, story, settings))
    config = uvicorn.Config(
        app,
        http=WiredHttp,
        ws=WiredSocket,
        ws_max_size=WS_MAX_BYTES,
        ws_per_message_deflate=False,  # a window of its own for each reader would cost more than its events
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # nothing here asks where a caller comes from
        timeout_keep_alive=65,  # longer than the idle time of common load balancers
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )
    await _Server(config, world.feed.feeds).serve(sockets=[listener])
    _log.info("stopped")


def _lifespan(council: Council, world: LivingWorld, story: LivingStory, settings: Settings) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        beside = [asyncio.create_task(_take_up(council)), asyncio.create_task(world.watch.run())]
        if settings.policy_watch:
            beside.append(asyncio.create_task(council.policies.watch()))
        # What is loaded now stays: the collector need not look at it again on every review.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await story.close()
            await world.close()
            await council.close()

    return lifespan


async def _take_up(council: Council) -> None:
    """Decide reviews that a killed process left, at the start and ever again: another process may be killed later."""
    while True:
        try:
            await council.service.resume()
        except LedgerError:
            _log.warning("reviews not taken up", extra={"hint": "the record store could not be read"})
        await asyncio.sleep(TAKE_UP_S)


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        told = (error.strerror or "no such address").lower()
        fix = "set COUNCIL_HOST and COUNCIL_PORT to an address of this machine that nothing listens on"
        raise CannotListenError(f"cannot listen on {settings.host}:{settings.port}: {told}; {fix}") from error
    with listener:
        yield listener


class _Server(uvicorn.Server):
    """uvicorn's server, but one that ends well when it is told to stop: uvicorn kills itself once it has finished.

    Readers of the feed are told first: nothing else would end what they hold open, and the grace would pass in waiting for them.
    """

    def __init__(self, config: uvicorn.Config, feeds: Feeds) -> None:
        super().__init__(config)
        self._feeds = feeds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feeds.stop()
        await asyncio.sleep(0.05)  # they write before uvicorn closes WebSockets with a code of its own
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            _log.info("serving", extra={"host": host, "port": port})

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _STOPPING:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _STOPPING:
                loop.remove_signal_handler(number)
