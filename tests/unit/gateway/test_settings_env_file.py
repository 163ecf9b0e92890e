"""The env file: settings and keys that nobody wants to export by hand; the environment wins, and nothing of it is ever shown."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.env_file import MAX_BYTES, file_variables
from gateway.errors import SettingsError
from gateway.settings import key_variables, read_settings, unknown_variables, variables
from gateway.settings_shown import shown_settings

CANARY = "canary-3f1c9a"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with nothing of ours in the environment."""
    for name in [name for name in os.environ if name.startswith("COUNCIL_") or name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused() -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        file_variables()
    assert CANARY not in str(caught.value)
    return caught.value.faults


def test_without_a_file_there_is_the_environment_alone() -> None:
    assert file_variables() == {}
    assert read_settings().port == 8080


def test_settings_are_read_from_the_file_and_the_environment_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("COUNCIL_PORT=9000\nCOUNCIL_HOST=0.0.0.0\nCOUNCIL_MODELS=ollama/x\n")
    monkeypatch.setenv("COUNCIL_HOST", "127.0.0.2")

    settings = read_settings(log_level="error")

    assert (settings.port, settings.host, settings.models, settings.log_level) == (
        9000,
        "127.0.0.2",
        "ollama/x",
        "error",
    )
    shown = {one.variable: (one.value, one.source) for one in shown_settings(settings)}
    assert shown["COUNCIL_PORT"] == ("9000", "env file")
    assert shown["COUNCIL_HOST"] == ("127.0.0.2", "environment")
    assert shown["COUNCIL_LOG_LEVEL"] == ("error", "command line")
    assert shown["COUNCIL_LOG_FORMAT"] == ("auto", "default")


def test_a_wrong_setting_of_the_file_is_named_like_any_other(folder: Path) -> None:
    (folder / ".env").write_text("COUNCIL_PORT=many\nCOUNCIL_PROT=1\n")

    with pytest.raises(SettingsError, match="COUNCIL_PORT='many'"):
        read_settings()
    assert unknown_variables() == ("COUNCIL_PROT names no setting; did you mean 'COUNCIL_PORT'?",)


def test_keys_come_from_the_environment_first_and_the_file_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text(f"OPENAI_API_KEY={CANARY}\nLAB_API_KEY=' of the file '\nEMPTY_API_KEY=\n")
    monkeypatch.setenv("LAB_API_KEY", "of the environment")
    monkeypatch.setenv("OPENAI_API_KEY", "")  # set to nothing, as compose files do: it hides nothing

    keys = key_variables()

    assert (keys["OPENAI_API_KEY"], keys["LAB_API_KEY"]) == (CANARY, "of the environment")
    assert "EMPTY_API_KEY" not in keys
    assert "OPENAI_API_KEY" not in repr(shown_settings(read_settings()))


def test_the_process_environment_is_left_as_it_was(folder: Path) -> None:
    (folder / ".env").write_text("OPENAI_API_KEY=x\nHTTPS_PROXY=http://elsewhere\n")
    before = dict(os.environ)

    key_variables()
    read_settings()

    assert dict(os.environ) == before


def test_another_file_may_be_named_and_must_then_exist(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("COUNCIL_PORT=1\n")
    (folder / "council.env").write_text("COUNCIL_PORT=2\n")
    monkeypatch.setenv("COUNCIL_ENV_FILE", "council.env")
    settings = read_settings()
    assert (settings.port, settings.env_file) == (2, "council.env")
    monkeypatch.setenv("COUNCIL_ENV_FILE", "")
    assert read_settings().port == 8080
    monkeypatch.setenv("COUNCIL_ENV_FILE", "none.env")
    assert refused() == ("COUNCIL_ENV_FILE='none.env': there is no such file; check the path, or unset it",)


def test_a_mapping_that_stands_in_for_the_environment_stands_in_for_the_file_too(folder: Path) -> None:
    (folder / ".env").write_text("COUNCIL_PORT=9000\n")
    assert read_settings({}).port == 8080


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\n\n# a remark\nB = two words \n", {"A": "1", "B": "two words"}),
        ("export A='single $HOME'\nB=\"a\\nb\"\n", {"A": "single $HOME", "B": "a\nb"}),
        ("A=pa$$word${B}\n", {"A": "pa$$word${B}"}),
        ("A=sk-1 # the key\n", {"A": "sk-1"}),
        ("A=1\r\nA=2\r\n", {"A": "2"}),
        ("\ufeffA=1\n", {"A": "1"}),
        ("A=\n", {"A": ""}),
    ],
)
def test_the_file_is_read_as_people_write_it(folder: Path, text: str, expected: dict[str, str]) -> None:
    """A dollar sign means itself: keys and passwords hold them."""
    (folder / ".env").write_text(text, encoding="utf-8", newline="")
    assert file_variables() == expected


def test_every_line_that_cannot_be_read_is_named_and_never_shown(folder: Path) -> None:
    (folder / ".env").write_text(f"A=1\n\n{CANARY}\nB='{CANARY}\nCOUNCIL_ENV_FILE=other\n")
    assert refused() == (
        ".env:3: is not NAME=value; quote values that hold quotes, begin remarks with #",
        ".env:4: is not NAME=value; quote values that hold quotes, begin remarks with #",
        ".env:5: COUNCIL_ENV_FILE says which file this is; set it in the environment",
    )


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"A=\xff\n", ".env: is not UTF-8; save it as UTF-8"),
        (b"A=" + b"x" * MAX_BYTES, f".env: longer than {MAX_BYTES} bytes; keep settings and keys in it, nothing else"),
    ],
)
def test_a_file_that_is_no_env_file_is_refused(folder: Path, raw: bytes, fault: str) -> None:
    (folder / ".env").write_bytes(raw)
    assert refused() == (fault,)


def test_a_folder_of_that_name_is_refused(folder: Path) -> None:
    (folder / ".env").mkdir()
    assert refused() == (".env: cannot be read: Is a directory; check its rights, or set COUNCIL_ENV_FILE to nothing",)


def test_a_name_that_is_no_path_is_refused() -> None:
    with pytest.raises(SettingsError, match="is not a path"):
        file_variables({"COUNCIL_ENV_FILE": "a\0b"})


@given(st.text(alphabet="AB=\"'#$ {}\\\n\r\té1", max_size=40))
def test_whatever_stands_in_the_file_it_is_read_or_refused(text: str) -> None:
    path = Path(".env")
    path.write_text(text, encoding="utf-8", newline="")
    try:
        read = variables()
    except SettingsError as error:
        assert all(fault.startswith(".env:") for fault in error.faults)
    else:
        assert all(isinstance(value, str) for value in read.values())
    finally:
        path.unlink()
