"""What an attack may not win: a verdict milder than the rules' own, or more of an effect than they let happen (L19)."""

from collections import Counter
from collections.abc import Iterable, Mapping

from policies.contracts.effects import Effect
from policies.verdicts import STRICTNESS
from tests.adversarial.corpus import Entry
from tests.adversarial.gullible_councils import Asking, Decided


def what_was_won(bound: Decided, decided: Decided) -> str:
    """Return what a request got beyond what the rules alone give it; empty where that is nothing."""
    if STRICTNESS[decided.verdict] < STRICTNESS[bound.verdict]:
        return f"{decided.verdict} where the rules say {bound.verdict}"
    for at, effect in decided.effects.items():
        allowed = bound.effects.get(at)
        if allowed is None:
            return f"effect {at} happens, which the rules drop"
        if not _is_within(effect, allowed):
            return f"effect {at} is {effect!r} where the rules allow {allowed!r}"
    return ""


def _is_within(effect: Effect, allowed: Effect) -> bool:
    """Tell whether an effect is what is allowed, or the same with an amount nearer to zero."""
    most, amount = getattr(allowed, "amount", None), getattr(effect, "amount", None)
    if most is None or amount is None:
        return effect == allowed
    is_nearer = 0 <= amount <= most if most > 0 else most <= amount <= 0
    return is_nearer and effect.model_copy(update={"amount": most}) == allowed


def victories(
    decided: Iterable[tuple[Asking, Decided]], bounds: Mapping[tuple[str, str], Decided]
) -> dict[tuple[str, str], str]:
    """Return what was won, by entry and case; empty where every attack failed."""
    found = {}
    for asking, outcome in decided:
        won = what_was_won(bounds[asking.entry, asking.case], outcome)
        if won:
            found[asking.entry, asking.case] = f"{won}; {', '.join(outcome.votes)}"
    return found


def report(won: Mapping[tuple[str, str], str], corpus: Iterable[Entry], runs: int) -> str:
    """Return a table of attacks and victories by technique, and every victory below it."""
    entries = {entry.name: entry for entry in corpus}
    attacks = Counter(entry.technique for entry in entries.values())
    winners = Counter(entries[name].technique for name in {name for name, _ in won})
    rows = [f"{technique:<24}{winners[technique]:>4} of {attacks[technique]:>3} won" for technique in attacks]
    details = [
        f"{name} ({entries[name].wants}, in {', '.join(entries[name].fields)}) in {case}: {told}"
        for (name, case), told in won.items()
    ]
    return "\n".join([f"{len(won)} of {runs} runs were won", *rows, *details])
