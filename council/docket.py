"""The docket: cases that wait for the graph, taken together where no model is asked.

One run of the graph costs a fixed millisecond of its own whatever it carries. Cases that only rules decide therefore share
a run, as records share a commit: whatever has arrived by the next turn of the event loop goes together
(docs/decisions/0003). A case whose members have models runs alone, its branches in parallel.
"""

import asyncio
from collections import deque
from contextvars import Context
from typing import Final

from council.graph import CouncilGraph
from council.review import Review

MAX_TOGETHER: Final = 32
"""Most cases of one run: bounds how long the event loop is held, some twenty milliseconds."""


class Docket:
    """Carries reviews through the graph.

    Args:
        graph: the compiled council.
    """

    def __init__(self, graph: CouncilGraph) -> None:
        self._graph = graph
        self._waiting: deque[tuple[Review, asyncio.Future[None]]] = deque()
        self._is_called = False

    async def decide(self, review: Review) -> None:
        """Return once the review is concluded and handed on.

        Raises:
            Exception: whatever a step raised for this case; the others on its docket are not touched by it.
        """
        if review.asked:
            await self._graph.ainvoke({"docket": (review,)})
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((review, future))
        if not self._is_called:
            self._is_called = True
            # Without the first caller's context: its correlation id is not that of the others on the docket.
            loop.call_soon(self._call, loop, context=Context())
        await future

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        together = [self._waiting.popleft() for _ in range(min(MAX_TOGETHER, len(self._waiting)))]
        self._is_called = bool(self._waiting)
        if self._is_called:
            loop.call_soon(self._call, loop, context=Context())
        try:
            self._graph.invoke({"docket": tuple([review for review, _ in together])})
        except Exception:  # noqa: BLE001 - whatever it is, it belongs to one case
            for review, future in together:
                self._alone(review, future)
            return
        for _, future in together:
            if not future.done():
                future.set_result(None)

    def _alone(self, review: Review, future: asyncio.Future[None]) -> None:
        try:
            self._graph.invoke({"docket": (review,)})
        except Exception as error:  # noqa: BLE001 - handed to the caller it belongs to
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(None)
