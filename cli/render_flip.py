"""What would have turned a verdict, in sentences."""

from fractions import Fraction
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from cli.console import verdict_text
from cli.render_parts import lines, section
from cli.text import fraction

if TYPE_CHECKING:
    from council.flip import Flips, QuotaFlip, VoteFlip, WeightFlip


def render_flips(flips: "Flips", verdict: str) -> list[RenderableType]:
    """Return the drawing of the smallest changes that would turn a verdict."""
    return [section("Flip", lines(_sentences(flips, verdict)))]


def _sentences(flips: "Flips", verdict: str) -> list[str | Text]:
    if flips.held_by_rules:
        return [Text.assemble(verdict_text(verdict), " is held by the rules that fired: no vote could turn it")]
    found: list[str | Text] = [_votes_sentence(flip) for flip in flips.votes]
    if not found:
        found.append("no change of votes alone turns it")
    found.append(_weight_sentence(flips.weight) if flips.weight else "no change of one weight turns it")
    found.append(_quota_sentence(flips.quota) if flips.quota else "no change of one quota turns it")
    return found


def _votes_sentence(flip: "VoteFlip") -> Text:
    votes = Text(" and ").join(
        Text.assemble((member, "bold"), " voting ", verdict_text(vote)) for member, vote in flip.changes
    )
    alone = "" if len(flip.changes) > 1 else ", alone"
    return Text.assemble("→ ", verdict_text(flip.verdict), ": ", votes, f"{alone}")


def _weight_sentence(flip: "WeightFlip") -> Text:
    words = f" with weight {_beyond(flip.weight, flip.beyond, is_strict=flip.is_strict)} instead of {flip.weight}"
    return Text.assemble("→ ", verdict_text(flip.verdict), ": ", (flip.member, "bold"), words)


def _quota_sentence(flip: "QuotaFlip") -> Text:
    words = f" at {_beyond(flip.quota, flip.beyond, is_strict=flip.is_strict)} instead of {flip.quota}"
    level = verdict_text(flip.level, sign=False)
    return Text.assemble("→ ", verdict_text(flip.verdict), ": the quota of ", level, words)


def _beyond(now: Fraction, beyond: Fraction, *, is_strict: bool) -> str:
    past = "" if not is_strict else "above " if beyond >= now else "below "
    return past + fraction(str(beyond))
