"""Hot reload: a good file takes over, a bad one changes nothing and is told (reliability.md S15)."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.policy_faults import InvalidPolicyError
from policies.reloading import PolicySource
from policies.verdicts import MEMBERS
from tests.unit.policies.policy_files import write_policy


def test_a_changed_file_takes_over_and_the_old_policy_stays_whole(tmp_path: Path) -> None:
    source = PolicySource(write_policy(tmp_path / "p.yaml"))
    old = source.current
    write_policy(tmp_path / "p.yaml", version=2)
    reload = source.reload()
    assert (reload.is_changed, reload.faults, reload.policy) == (True, (), source.current)
    assert (old.version, source.current.version) == (1, 2)


def test_a_bad_file_keeps_the_old_policy_and_names_every_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = PolicySource(write_policy(tmp_path / "p.yaml"))
    old = source.current
    write_policy(tmp_path / "p.yaml", version="two", merge={"quorum": 2})
    with caplog.at_level(logging.ERROR):
        reload = source.reload()
        again = source.reload()
    assert (reload.is_changed, reload.policy, source.current) == (False, old, old)
    assert {fault.key for fault in reload.faults} == {"version", "merge.quorum"}
    assert source.faults == reload.faults == again.faults
    assert caplog.messages == ["policy_refused"]


def test_a_mended_file_clears_the_faults(tmp_path: Path) -> None:
    source = PolicySource(write_policy(tmp_path / "p.yaml"))
    (tmp_path / "p.yaml").write_text("", encoding="utf-8")
    assert source.reload().faults
    write_policy(tmp_path / "p.yaml")
    assert (source.reload().is_changed, source.faults) == (False, ())


def test_a_file_that_vanishes_changes_nothing(tmp_path: Path) -> None:
    source = PolicySource(write_policy(tmp_path / "p.yaml"))
    (tmp_path / "p.yaml").unlink()
    assert source.reload().is_changed is False
    assert source.current.version == 1


def test_an_edit_of_a_shadow_is_a_change_of_the_policy(tmp_path: Path) -> None:
    write_policy(tmp_path / "trial.yaml")
    source = PolicySource(write_policy(tmp_path / "p.yaml", shadow=["trial.yaml"]))
    write_policy(tmp_path / "trial.yaml", merge={"quorum": 1})
    assert source.reload().is_changed is True
    assert source.current.shadows[0].quorum == 1


def test_the_models_of_the_environment_stay_over_a_reload(tmp_path: Path) -> None:
    source = PolicySource(write_policy(tmp_path / "p.yaml", models={"default": "openai/y"}), "ollama/x,lore=rules")
    asked = {name: seat.model and seat.model.name for name, seat in source.current.members.items()}
    write_policy(tmp_path / "p.yaml", version=2, models={"default": "openai/z", "retries": 3})
    reload = source.reload()
    assert (reload.is_changed, reload.policy.version, reload.policy.models.retries) == (True, 2, 3)
    again = {name: seat.model and seat.model.name for name, seat in source.current.members.items()}
    assert asked == again == {**dict.fromkeys(asked, "ollama/x"), "lore": None}


def test_an_edit_that_takes_away_the_endpoint_of_the_environment_is_refused(tmp_path: Path) -> None:
    lab = {"endpoints": {"lab": {"base_url": "http://10.0.0.7/v1"}}}
    source = PolicySource(write_policy(tmp_path / "p.yaml", models=lab), "lab/x")
    old = source.current
    write_policy(tmp_path / "p.yaml", version=2)
    assert [fault.file for fault in source.reload().faults] == ["COUNCIL_MODELS"]
    assert source.current is old
    write_policy(tmp_path / "p.yaml", version=3, models=lab)
    assert (source.reload().is_changed, source.faults, source.current.version) == (True, (), 3)


def test_an_edit_that_stops_all_models_is_taken_up_whatever_the_environment_says(tmp_path: Path) -> None:
    """`judge: rules` is the designers' word, and how a model that went mad is stopped without a restart."""
    source = PolicySource(write_policy(tmp_path / "p.yaml"), "ollama/x")
    assert all(seat.model for seat in source.current.members.values())
    write_policy(tmp_path / "p.yaml", members={name: {"judge": "rules"} for name in MEMBERS})
    assert source.reload().is_changed is True
    assert [seat.model for seat in source.current.members.values()] == [None] * 5


def test_a_first_file_that_is_bad_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidPolicyError):
        PolicySource(write_policy(tmp_path / "p.yaml", version=0))


async def test_a_running_server_picks_up_an_edit_and_survives_a_bad_one(tmp_path: Path) -> None:
    source = PolicySource(write_policy(tmp_path / "p.yaml"))
    stop = asyncio.Event()
    watching = asyncio.create_task(source.watch(stop))
    try:
        await _until(tmp_path, source, 2)
        (tmp_path / "p.yaml").write_text("version: [", encoding="utf-8")
        await _eventually(lambda: bool(source.faults))
        assert source.current.version == 2
        await _until(tmp_path, source, 3)
    finally:
        stop.set()
        await asyncio.wait_for(watching, 20)


async def _until(folder: Path, source: PolicySource, version: int) -> None:
    """Write the file as editors do, a new one in its place, again and again until the source has seen it."""

    def is_seen() -> bool:
        write_policy(folder / "p.new", version=version).replace(folder / "p.yaml")
        return source.current.version == version

    await _eventually(is_seen, every_s=0.3)


async def _eventually(is_so: Callable[[], bool], every_s: float = 0.02) -> None:
    for _ in range(int(20 / every_s)):
        if is_so():
            return
        await asyncio.sleep(every_s)
    raise AssertionError("not within 20 seconds")


async def test_a_folder_that_cannot_be_watched_is_logged_and_watched_again_once_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    source = PolicySource(write_policy(folder / "p.yaml"))
    (folder / "p.yaml").unlink()
    folder.rmdir()
    stop = asyncio.Event()
    with caplog.at_level(logging.ERROR):
        watching = asyncio.create_task(source.watch(stop, retry_s=0.01))
        await _eventually(lambda: caplog.messages.count("policy_watch_failed") > 1)
        assert (source.path, source.current.version) == (folder / "p.yaml", 1)
        folder.mkdir()
        await _until(folder, source, 2)
        stop.set()
        await asyncio.wait_for(watching, 20)
