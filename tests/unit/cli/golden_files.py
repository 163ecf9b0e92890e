"""Golden outputs: what a command printed once, compared whole. `UPDATE_GOLDEN=1` writes them anew."""

import os
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """Compare a text with its golden file, whole."""
    path = HERE / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        HERE.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path} differs; UPDATE_GOLDEN=1 rewrites it"
