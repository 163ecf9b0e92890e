"""`council token`: development keys, tokens for roles, and why a token is refused. No key is ever printed."""

import json
import stat
from pathlib import Path

import pytest

from cli.main import main
from tests.unit.gateway.identity_samples import NOW, ed_jwk, keys_bytes, token


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with a new key set, which COUNCIL_JWT_KEYS names."""
    made = tmp_path / "keys"
    assert main(["token", "keys", "--dir", str(made)]) == 0
    monkeypatch.setenv("COUNCIL_JWT_KEYS", str(made / "keys.json"))
    capsys.readouterr()
    return made


def _minted(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["token", "mint", *options, "--dir", str(folder)]) == 0
    return capsys.readouterr().out.strip()


def _inspected(sent: str, capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, object]:
    assert main(["token", "inspect", sent, "--json"]) == code
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_a_key_set_is_made_with_a_key_for_each_audience(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "keys", "--dir", str(tmp_path / "a" / "b")]) == 0

    out = capsys.readouterr().out
    public, signing = tmp_path / "a" / "b" / "keys.json", tmp_path / "a" / "b" / "signing.json"
    assert f"export COUNCIL_JWT_KEYS={public}" in out
    keys = json.loads(public.read_bytes())["keys"]
    assert [key["audiences"] for key in keys] == [["council:user"], ["council:internal"]]
    assert all("d" not in key for key in keys)
    private = [key["d"] for key in json.loads(signing.read_bytes())["keys"]]
    assert len(private) == 2 and not any(key in out for key in private)
    assert stat.S_IMODE(signing.stat().st_mode) == 0o600
    assert sorted(path.name for path in public.parent.iterdir()) == ["keys.json", "signing.json"]


def test_a_minted_token_is_good_for_its_roles(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent = _minted(folder, capsys, "player", "designer", "-s", "u-7", "-r", "aelvyndor", "--lifetime", "60")
    found = _inspected(sent, capsys)

    assert found["good"] is True
    assert found["checked_for"] == "council:user"
    assert found["permissions"] == ["read_decisions", "read_hidden", "read_own"]
    claims = found["claims"]
    assert isinstance(claims, dict)
    assert (claims["sub"], claims["roles"], claims["realm"]) == ("u-7", ["player", "designer"], "aelvyndor")
    assert claims["exp"] - claims["iat"] == 60


def test_a_sim_is_a_service_and_others_are_where_it_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _inspected(_minted(folder, capsys, "sim"), capsys)["checked_for"] == "council:internal"
    assert _inspected(_minted(folder, capsys, "admin"), capsys)["checked_for"] == "council:user"
    assert (
        _inspected(_minted(folder, capsys, "admin", "--for", "internal"), capsys)["checked_for"] == "council:internal"
    )


def test_keys_are_rotated_and_dropped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = _minted(folder, capsys, "player")
    main(["token", "keys", "--dir", str(folder), "--json"])
    made = json.loads(capsys.readouterr().out)["keys"]
    assert len(made) == 4
    new = _minted(folder, capsys, "player")
    assert _inspected(old, capsys)["good"] is True and _inspected(new, capsys)["good"] is True

    assert main(["token", "keys", "--dir", str(folder), "--drop", made[0]["kid"]]) == 0
    capsys.readouterr()
    assert _inspected(old, capsys, 1)["reason"] == "unknown_key"
    assert _inspected(new, capsys)["good"] is True


def test_a_key_that_is_not_there_cannot_be_dropped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "keys.json").read_bytes()

    assert main(["token", "keys", "--dir", str(folder), "--drop", "nobody"]) == 2
    assert "no key is named 'nobody'" in capsys.readouterr().err
    assert (folder / "keys.json").read_bytes() == before


def test_a_refused_token_is_shown_with_its_reason_and_without_its_signature(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(keys_bytes(ed_jwk()))
    monkeypatch.setattr("time.time", lambda: float(NOW + 3_600))
    sent = token(claims={"sub": "u-\u202e7"}).decode()

    assert main(["token", "inspect", sent, "--keys", str(path)]) == 1
    out = capsys.readouterr().out
    assert "✗ refused: the token has expired" in out
    assert "2027-01-15 08:10:00 UTC (50 min ago)" in out
    assert "\u202e" not in out
    assert sent.rsplit(".", 1)[1] not in out


def test_without_a_key_set_nothing_can_be_judged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COUNCIL_JWT_KEYS", raising=False)

    assert main(["token", "inspect", token().decode()]) == 2
    assert "name one: --keys FILE, or COUNCIL_JWT_KEYS" in capsys.readouterr().err


def test_what_cannot_be_minted_is_told_with_its_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "mint", "player", "--dir", str(tmp_path)]) == 2
    assert "make a development key set: council token keys" in capsys.readouterr().err
    assert main(["token", "mint", "player", "-s", "a b", "--dir", str(tmp_path)]) == 2
    assert "--subject is not an id" in capsys.readouterr().err
    assert main(["token", "mint", "king", "--dir", str(tmp_path)]) == 2


def test_a_damaged_key_set_is_told_and_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keys.json").write_text('{"keys": [{"kid": "x"}]}')

    assert main(["token", "keys", "--dir", str(folder)]) == 2
    assert "keys.0.alg: is missing or not supported" in capsys.readouterr().err
    assert (folder / "keys.json").read_text() == '{"keys": [{"kid": "x"}]}'
