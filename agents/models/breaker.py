"""A circuit breaker: leaves an endpoint alone while it fails. A pure state machine; the time is handed in.

    closed     calls go through; `FAULTS_TO_OPEN` straight faults open it, or one that asks for a wait beyond `LONGEST_WAIT_S`
    open       no call goes through until its time is over
    half_open  one call goes through, the probe: its success closes, its fault opens again for twice as long

"Straight" means one after another: faults of calls that were under way together count once, because one hiccup hits all five
members of a council at the same moment, and their retries may well succeed. A fault counts where its call began after the
last one that counted. Success is any answer, also one that refuses this request: the endpoint is there (reliability.md, L4,
L6, L20).
"""

from typing import Final, Literal, NamedTuple

State = Literal["closed", "open", "half_open"]

FAULTS_TO_OPEN: Final = 5
OPEN_S: Final = 1.0
"""How long it opens at first, seconds; each probe that fails doubles it. A short outage costs no vote: members can wait."""
LONGEST_OPEN_S: Final = 60.0
LONGEST_WAIT_S: Final = 120.0
"""Longest time limit that a policy may give a member, seconds: whoever asks for more cannot be waited for."""


class Breaker(NamedTuple):
    """A breaker at rest; every event returns the next one."""

    faults: int = 0
    """Straight faults that counted, since the last success."""
    begun: int = 0
    """Calls begun so far; a call is known by its number, the count when it began."""
    counted: int = 0
    """Calls begun when the last fault counted."""
    openings: int = 0
    """Times that it opened since it was last closed."""
    open_until_s: float | None = None
    """When the open time is over, monotonic seconds; None while closed."""
    probe: int | None = None
    """Number of the one call let through while half open; None where none is under way."""

    def state(self, now_s: float) -> State:
        """Return the state at a moment."""
        if self.open_until_s is None:
            return "closed"
        return "open" if now_s < self.open_until_s else "half_open"

    def wait_s(self, now_s: float) -> float:
        """Return how long it stays open, seconds; 0 where it is not."""
        return 0.0 if self.open_until_s is None else max(0.0, self.open_until_s - now_s)

    def allows(self, now_s: float) -> bool:
        """Tell whether a call may go through now."""
        state = self.state(now_s)
        return state == "closed" or (state == "half_open" and self.probe is None)

    def began(self, now_s: float) -> "Breaker":
        """Let a call through, which must be allowed; its number is `begun` of what is returned."""
        number = self.begun + 1
        return self._replace(begun=number, probe=number if self.state(now_s) == "half_open" else self.probe)

    def succeeded(self, number: int) -> "Breaker":
        """See a call answered. While not closed only the probe's success counts: others may have begun before the trouble."""
        if self.open_until_s is not None and number != self.probe:
            return self
        return Breaker(begun=self.begun, counted=self.counted)

    def abandoned(self, number: int) -> "Breaker":
        """See a call given up by its caller, which says nothing about the endpoint; another may be the probe."""
        return self._replace(probe=None) if number == self.probe else self

    def faulted(self, number: int, now_s: float, retry_after_s: float | None = None) -> "Breaker":
        """See a call fail by the endpoint's fault.

        Args:
            number: the call's.
            now_s: monotonic seconds.
            retry_after_s: how long the endpoint asked to be left alone, seconds.
        """
        told_s = retry_after_s if retry_after_s is not None and retry_after_s > LONGEST_WAIT_S else None
        if self.open_until_s is not None:
            return self._faulted_again(number, now_s, told_s)
        counts = number > self.counted
        after = self._replace(faults=self.faults + counts, counted=self.begun if counts else self.counted)
        if told_s is not None:
            return after._opened(now_s + told_s)
        return after._opened(now_s + OPEN_S) if after.faults >= FAULTS_TO_OPEN else after

    def _faulted_again(self, number: int, now_s: float, told_s: float | None) -> "Breaker":
        if number == self.probe:
            again_s = min(OPEN_S * 2.0 ** min(self.openings, 10), LONGEST_OPEN_S)
            return self._replace(faults=self.faults + 1, counted=self.begun)._opened(now_s + (told_s or again_s))
        if told_s is not None and self.open_until_s is not None:
            return self._replace(open_until_s=max(self.open_until_s, now_s + told_s))
        return self

    def _opened(self, until_s: float) -> "Breaker":
        return self._replace(openings=self.openings + 1, open_until_s=until_s, probe=None)
