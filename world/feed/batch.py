"""What a feed hands its waiting readers at once: put together once for all who may see the same of it. Pure."""

from collections.abc import Sequence

from world.feed.frames import Audience, Frame


class Batch:
    """Frames that follow one place in a realm's sequence, as one chunk of an HTTP/1.1 response (RFC 9112, 7.1).

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
        self._parts: dict[Audience, bytes] = {}

    @property
    def is_beat(self) -> bool:
        """Whether this is a sign of life alone."""
        return self.behind == self.upto

    def chunk_for(self, audience: Audience) -> bytes:
        """Return what a reader may see of it; empty where that is nothing."""
        same = audience if audience.user_id in self._users else Audience(None, audience.sees_hidden)
        found = self._parts.get(same)
        if found is None:
            found = self._parts[same] = _chunk([frame for frame in self._frames if same.may_see(frame)])
        return found


def _chunk(frames: Sequence[Frame]) -> bytes:
    body = b"".join([frame.sse for frame in frames])
    return b"%x\r\n%b\r\n" % (len(body), body) if body else b""
