"""What a feed hands its waiting readers at once: put together once for all who may see the same of it. Pure."""

from collections.abc import Sequence
from typing import Final

from world.feed.frames import Audience, Frame
from world.feed.wire import Framing

EVERYBODY: Final = Audience()


class Batch:
    """Frames that follow one place in a realm's sequence.

    Args:
        frames: oldest first.
        behind: sequence that they follow.
        upto: sequence of the newest; a sign of life moves nothing, so that it is `behind`.
    """

    def __init__(self, frames: Sequence[Frame], behind: int, upto: int) -> None:
        self.behind = behind
        self.upto = upto
        self._frames = frames
        self._users = {frame.user_id for frame in frames}
        """Who has something of their own in it; all others see the same."""
        self.is_for_all = self._users <= {None} and not any(frame.is_hidden for frame in frames)
        """Whether everybody sees all of it."""
        self._parts: dict[tuple[Framing, Audience], bytes] = {}

    @property
    def is_beat(self) -> bool:
        """Whether this is a sign of life alone."""
        return self.behind == self.upto

    def bytes_for(self, framing: Framing, audience: Audience = EVERYBODY) -> bytes:
        """Return what a reader may see of it; empty where that is nothing."""
        same = audience if audience.user_id in self._users else Audience(None, audience.sees_hidden)
        found = self._parts.get((framing, same))
        if found is None:
            found = self._parts[framing, same] = framing([frame for frame in self._frames if same.may_see(frame)])
        return found
