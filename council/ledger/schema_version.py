"""The revision that this code reads and writes; a test holds it to the newest migration."""

from typing import Final

REVISION: Final = "0007"
