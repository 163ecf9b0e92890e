"""Keyed pseudonyms: the same name gives the same pseudonym under one key, and nobody without the key can tell which. Pure.

HMAC-SHA256 (RFC 2104). A plain hash would not do: whoever can guess a name could hash his guess and look for it.
"""

import hashlib
import hmac
from typing import Final

MIN_KEY_BYTES: Final = 16
"""Shortest key: one that cannot be tried out."""
_SYLLABLES: Final = tuple([first + second for first in "bdfgklmnprstvz" for second in "aeiou"])
_WORD: Final = 3
"""Syllables a word."""


class Pseudonyms:
    """Pseudonyms of one export.

    Args:
        key: secret, at least MIN_KEY_BYTES long.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"a key of {len(key)} bytes can be tried out; it needs {MIN_KEY_BYTES}")
        self._key = key

    def name(self, name: str) -> str:
        """Return what stands for an id, wherever it stands: 80 bits, so that two ids of an export never share one.

        >>> Pseudonyms(b"sixteen bytes...").name("u-nhat")
        'p-e5ddc9915007a7122e3b'
        """
        return f"p-{self._digest('name', name).hex()[:20]}"

    def hash(self, value: str) -> str:
        """Return what stands for a hash of contents, which would confirm a guess of them: 64 hex digits."""
        return self._digest("hash", value).hex()

    def text(self, text: str) -> str:
        """Return what stands for a text: meaningless words of its length, equal for equal texts, "" for ""."""
        words: list[str] = []
        length, block = -1, 0
        while length < len(text):
            digest = self._digest("text", f"{block} {text}")
            syllables = [_SYLLABLES[byte % len(_SYLLABLES)] for byte in digest]
            for at in range(0, len(syllables) - _WORD + 1, _WORD):
                words.append("".join(syllables[at : at + _WORD]))
                length += 1 + len(words[-1])
            block += 1
        return _cut(" ".join(words), len(text))

    def _digest(self, purpose: str, value: str) -> bytes:
        return hmac.new(self._key, f"{purpose}:{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _cut(text: str, length: int) -> str:
    """Return the beginning of a text, without a space at its end."""
    cut = text[:length]
    return f"{cut[:-1]}a" if cut.endswith(" ") else cut
