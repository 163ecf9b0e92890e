"""What a review's models cost, as the ledger keeps it, and when an outage may be over. Pure."""

from collections.abc import Iterable
from typing import Final

from agents.asking import Reply
from council.ledger.port import Spend
from council.review import Review

OUTAGE_RETRY_S: Final = 30
"""Seconds after which a case that models could not judge may be sent again, where no endpoint has said how long."""
_WANT_OF_VOTES: Final = frozenset(("no_votes", "no_quorum", "required_member_absent"))
_OUT: Final = frozenset(("timeout", "unreachable"))


def spend_of(replies: Iterable[Reply]) -> tuple[Spend, ...]:
    """Return what a decision's replies cost, per member and model, sorted by both."""
    sums: dict[tuple[str, str], Spend] = {}
    for reply in replies:
        key = (reply.slot.member, reply.model)
        calls = len(reply.attempts)
        before = sums.get(key, Spend(*key, replies=0, calls=0, input_tokens=0, cached_tokens=0, output_tokens=0,
                                     picodollars=0, unpriced_calls=0))  # fmt: skip
        sums[key] = Spend(
            *key,
            replies=before.replies + 1,
            calls=before.calls + calls,
            input_tokens=before.input_tokens + reply.usage.input,
            cached_tokens=before.cached_tokens + reply.usage.cached,
            output_tokens=before.output_tokens + reply.usage.output,
            picodollars=before.picodollars + reply.picodollars,
            unpriced_calls=before.unpriced_calls + reply.unpriced_calls,
        )
    return tuple([sums[key] for key in sorted(sums)])


def retry_after_s(review: Review) -> int | None:
    """Return when a case held for want of votes may be sent again, seconds; None where that would change nothing.

    A verdict once recorded stands for its key; the same case is sent again under another one (reliability.md, rule b).
    """
    concluded = review.concluded
    if concluded is None or not _WANT_OF_VOTES & set(concluded.tags):
        return None
    out = [reply for reply in review.replies.values() if reply.failed in _OUT]
    if not out:
        return None
    return max([reply.retry_after_s or OUTAGE_RETRY_S for reply in out])
