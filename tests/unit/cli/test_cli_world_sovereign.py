"""`council world sovereign`, as people and programs use it (S0-48)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from cli.main import main
from council.ledger.opening import migrate
from tests.unit.cli.golden_files import assert_golden
from tests.unit.world.living_realm import REALM, START, WORLD
from world.persistence.opening import open_world_store
from world.realm.state import Treasury
from world.service.realms import first_snapshot

PROPOSE = ["propose", "veil", "annexation", "--target", "far-wilds", "--user", "lord", "--id", "annex-1"]


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A realm of which two factions have earned something."""
    url = f"sqlite:///{tmp_path / 'council.db'}"
    migrate(url)

    async def seed() -> None:
        store = open_world_store(url)
        purses = {"veil": Treasury(5_000_000), "empire": Treasury(900_500)}
        await store.create(first_snapshot(replace(WORLD.new_realm(REALM), treasuries=purses), START))
        await store.close()

    asyncio.run(seed())
    return url


def _council(database: str, *arguments: str) -> int:
    return main(["world", "sovereign", *arguments, "--database", database])


def test_an_action_is_proposed_objected_to_and_listed(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _council(database, *PROPOSE) == 0
    assert _council(database, "object", "annex-1", "empire", "--user", "marshal-7") == 0
    assert _council(database, *PROPOSE) == 0
    assert _council(database) == 0
    told = capsys.readouterr()
    assert_golden("world_sovereign", told.out)
    assert "it had been said before: nothing was done now" in told.err


def test_programs_read_what_the_http_interface_returns(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _council(database, *PROPOSE, "--json") == 0
    proposed = orjson.loads(capsys.readouterr().out)
    assert _council(database, "list", "--json") == 0
    listed = orjson.loads(capsys.readouterr().out)
    assert (proposed["is_repeat"], proposed["snapshot_id"], proposed["realm_id"]) == (False, "snap-0.1", REALM)
    assert listed["actions"] == [proposed["action"]]
    assert [each["treasury"] for each in listed["factions"]] == [0, 900.5, 0, 3_500]


def test_a_new_action_is_named_where_nobody_names_it(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _council(database, *PROPOSE[:-2], "--json") == 0
    assert orjson.loads(capsys.readouterr().out)["action"]["action_id"].startswith("act-")


@pytest.mark.parametrize(
    ("arguments", "told", "fix"),
    [
        (
            ["propose", "veil", "annexatoin", "-u", "x"],
            "no sovereign action 'annexatoin'",
            "did you mean 'annexation'?",
        ),
        (["propose", "viel", "annexation", "-u", "x"], "no faction 'viel'", "known: council_of_pillars, empire"),
        (["propose", "veil", "annexation", "-u", "x"], "is done to a territory", "known: "),
        (["propose", "empire", "annexation", "-u", "x", "-t", "far-wilds"], "it costs 1500", "let the faction's acts"),
        (["propose", "veil", "annexation", "-u", "a b"], "--user 'a b' is no id", "write 1 to 128 letters"),
        ([*PROPOSE[:-1], "a b"], "--id 'a b' is no id", "write 1 to 128 letters"),
        (["object", "nothing", "empire", "-u", "x"], "no action 'nothing'", "read the realm's sovereign actions"),
        (["list", "--realm", "nowhere"], "there is no realm 'nowhere'", f"known: {REALM}"),
        (["propose", "veil"], "Missing argument 'KIND'", ""),
    ],
)
def test_what_cannot_be_done_is_told_with_its_fix_and_exits_with_2(
    database: str, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str, fix: str
) -> None:
    assert _council(database, *arguments) == 2
    said = capsys.readouterr().err
    assert told in said
    assert fix in said


def test_a_world_file_that_cannot_be_used_is_told_as_such_and_not_as_the_policy(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("schema: world/1\nactoins: {}\n", encoding="utf-8")
    for path, told in ((broken, "broken.yaml:2"), (tmp_path / "none.yaml", "none.yaml: cannot be read")):
        assert _council(database, "list", "--world", str(path)) == 2
        said = capsys.readouterr().err
        assert said.startswith("council: the world's file is refused\n")
        assert told in said
        assert "--world or COUNCIL_WORLD_PATH names the file" in said
