"""Golden outputs: what a command printed once, compared whole. `UPDATE_GOLDEN=1` writes them anew."""

import os
from difflib import unified_diff
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """Compare a text with its golden file, whole."""
    path = HERE / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        HERE.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    kept = path.read_text(encoding="utf-8")
    changed = "\n".join(unified_diff(kept.splitlines(), text.splitlines(), "kept", "now", n=0, lineterm=""))
    assert text == kept, f"{path.name} differs, UPDATE_GOLDEN=1 rewrites it:\n{changed}"
