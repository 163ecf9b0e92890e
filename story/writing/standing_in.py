"""A name for the hero that the house gave, in place of the one that a player wrote: no player's word reaches a prompt. Pure."""

import re
from typing import Final

from story.prose.naming import members_of
from story.service.composing import Draft

NAMES: Final = ("Arden", "Ilven", "Corin", "Sael", "Teren")
"""The first one that nobody in the chapter bears, in part or in whole, stands in."""


def stand_in(draft: Draft) -> str:
    """Return the name that stands for the hero's in prompts and replies."""
    cast = members_of(draft.plan, draft.tale).values()
    taken = " ".join([*[member.name for member in cast], *draft.names.values()]).lower()
    return next((name for name in NAMES if name.lower() not in taken), NAMES[0])


def swapped(text: str, name: str, other: str) -> str:
    """Return a text with one name in place of another, wherever it stands as a word of its own."""
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: other, text)
