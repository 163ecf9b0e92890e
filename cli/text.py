"""Words and numbers as people read them: untrusted text made safe, signals with their units, exact fractions.

Everything that came in with a request is untrusted: control characters could move the cursor, recolour or rewrite what
stands on the screen, and bidirectional marks could reorder it.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"\s*[\r\n\t]+\s*")


def clean(text: object) -> str:
    """Return text on one line with every control and invisible character made visible.

    >>> clean("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    flat = _SPACES.sub(" ", str(text))
    return _UNSAFE.sub(_visible, flat)


def shortened(text: str, width: int) -> str:
    """Return text of at most `width` characters, the last one an ellipsis where it was cut."""
    return text if len(text) <= width else text[: max(0, width - 1)].rstrip() + "…"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, which takes an s where there is not one of it.

    >>> counted(1, "label"), counted(0, "label")
    ('1 label', '0 labels')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def decimal(value: Fraction | int, places: int = 2) -> str:
    """Return a number rounded half to even to at most so many decimals, without trailing zeros.

    >>> decimal(Fraction(2, 3)), decimal(Fraction(1, 2)), decimal(3)
    ('0.67', '0.5', '3')
    """
    scale = 10**places
    units = round(Fraction(value) * scale)
    whole, rest = divmod(abs(units), scale)
    digits = f".{rest:0{places}d}".rstrip("0").rstrip(".") if rest else ""
    return f"{'−' if units < 0 else ''}{whole}{digits}"


def percent(share: Fraction) -> str:
    """Return a share of one as percent with one decimal at most."""
    return f"{decimal(share * 100, 1)} %"


def fraction(text: str) -> str:
    """Return an exact fraction as recorded, with its decimal beside it where that says more.

    >>> fraction("3/5"), fraction("1")
    ('3/5 (0.6)', '1')
    """
    value = Fraction(text)
    if value.denominator == 1:
        return str(value.numerator)
    sign = "" if Fraction(decimal(value).replace("−", "-")) == value else "≈ "
    return f"{value} ({sign}{decimal(value)})"


_DIVISORS: Final[Mapping[str, tuple[int, str]]] = {
    "ppm": (10_000, " %"),
    "permille": (1, " ‰"),
    "milli": (1_000, ""),
    "points": (1, " points"),
    "count": (1, ""),
    "ticks": (1, " ticks"),
}


def quantity(value: int, unit: str | None) -> str:
    """Return a signal's integer in the unit that people think in: ppm as percent, milli as points, flags as yes or no.

    >>> quantity(412_000, "ppm"), quantity(-8_000, "milli"), quantity(1, "flag")
    ('41.2 %', '−8', 'yes')
    """
    if unit == "flag":
        return "yes" if value else "no"
    divisor, suffix = _DIVISORS.get(unit or "", (1, ""))
    return decimal(Fraction(value, divisor), 3) + suffix


def number(value: float) -> str:
    """Return a wire number without a trailing ".0" and with a true minus sign."""
    text = str(int(value)) if float(value).is_integer() else repr(float(value))
    return text.replace("-", "−")


def signed(value: float) -> str:
    """Return a wire number with its sign."""
    return number(value) if value < 0 else f"+{number(value)}"


def effect_text(effect: Mapping[str, Any], snapshot: Mapping[str, Any]) -> str:
    """Return what one effect of a proposed change does, with the state that it starts from."""
    match effect["op"]:
        case "faction_delta":
            now = snapshot.get("factions", {}).get(effect["faction_id"], {}).get("influence")
            start = f", now at {number(now)} %" if now is not None else ""
            return clean(f"{effect['faction_id']} {signed(effect['amount'])} points of influence{start}")
        case "meter_delta":
            now = snapshot.get("meters", {}).get(effect["meter"])
            start = f", now at {number(now)}" if now is not None else ""
            return clean(f"{effect['meter']} {signed(effect['amount'])}{start}")
        case "territory_transfer":
            name = snapshot.get("territories", {}).get(effect["territory_id"], {}).get("name")
            named = f" ({name})" if name else ""
            return clean(f"{effect['territory_id']}{named}: {effect['from'] or 'nobody'} → {effect['to']}")
        case "trigger_fire":
            return clean(f"trigger {effect['trigger_id']} fires")
        case "canon_assert":
            return clean(f"canon: {effect['subject']} {effect['predicate']} = {effect['object']}")
        case op:
            return clean(op)


def condition_text(condition: Mapping[str, Any]) -> str:
    """Return what one required modification asks of its effect."""
    if condition.get("drop"):
        return "drop it"
    field = clean(condition["field"])
    if condition.get("value") is not None:
        return f"{field} = {clean(condition['value'])}"
    bounds = [
        f"{field} at {word} {number(condition[bound])}"
        for bound, word in (("max", "most"), ("min", "least"))
        if condition.get(bound) is not None
    ]
    return " and ".join(bounds)


def moment(recorded_at: str) -> str:
    """Return an ISO 8601 UTC time as people write it: "2026-11-03 10:12 UTC"."""
    return f"{clean(recorded_at)[:16].replace('T', ' ')} UTC"


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
