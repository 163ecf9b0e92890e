"""The live policy: read again when its file changes, and kept where the new file is bad.

A review reads `PolicySource.current` once and uses that policy to its end, so a reload never splits one
(reliability.md S15).
"""

import asyncio
import logging
from pathlib import Path
from typing import Final, NamedTuple

from policies.loading import load_policy
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError, PolicyFault

logger = logging.getLogger(__name__)

RETRY_S: Final = 5.0
"""Seconds until the folder is watched again after it could not be."""

DEBOUNCE_MS: Final = 200
"""Changes of one folder within so many milliseconds are one."""


class Reload(NamedTuple):
    """What came of reading the file again."""

    policy: Policy
    """The policy in force from now on: the new one, or the old where the new one is bad."""
    is_changed: bool
    faults: tuple[PolicyFault, ...]
    """Why the new file was refused; empty where it was not."""


class PolicySource:
    """Holds the live policy of one file.

    Args:
        path: the policy file; its shadow policies are read with it.
        models: what COUNCIL_MODELS says, laid over the file whenever it is read.

    Raises:
        InvalidPolicyError: where the first reading fails: there is no old policy to keep.
    """

    def __init__(self, path: Path | str, models: str | None = None) -> None:
        self._path = Path(path)
        self._models = models
        self._current = load_policy(self._path, models)
        self._faults: tuple[PolicyFault, ...] = ()

    @property
    def path(self) -> Path:
        """The policy file."""
        return self._path

    @property
    def current(self) -> Policy:
        """The policy in force. Read it once per review."""
        return self._current

    @property
    def faults(self) -> tuple[PolicyFault, ...]:
        """What is wrong with the file as it stands now; empty where the file is the policy in force."""
        return self._faults

    def reload(self) -> Reload:
        """Read the file again; a bad one changes nothing and is logged with every fault."""
        try:
            policy = load_policy(self._path, self._models)
        except InvalidPolicyError as error:
            if error.faults != self._faults:
                faults = [str(fault) for fault in error.faults]
                logger.error("policy_refused", extra={"path": str(self._path), "faults": faults})
            self._faults = error.faults
            return Reload(self._current, False, error.faults)
        self._faults = ()
        if policy.content_hash == self._current.content_hash:
            return Reload(self._current, False, ())
        old, self._current = self._current, policy
        logger.info(
            "policy_reloaded",
            extra={"policy_id": policy.policy_id, "version": policy.version, "old": old.content_hash,
                   "new": policy.content_hash},
        )  # fmt: skip
        return Reload(policy, True, ())

    async def watch(self, stop: asyncio.Event | None = None, *, retry_s: float = RETRY_S) -> None:
        """Reload whenever the policy's folder changes, until stopped or cancelled.

        The folder is watched and not the file, because editors and deployments replace files. A folder that cannot be
        watched is logged and tried again after `retry_s` seconds: the old policy stays in force meanwhile.
        """
        # Late: only a running server watches, and the library starts a thread of its own.
        from watchfiles import awatch  # noqa: PLC0415

        stop = stop if stop is not None else asyncio.Event()
        while not stop.is_set():
            try:
                async for _ in awatch(*self._folders(), stop_event=stop, recursive=False, debounce=DEBOUNCE_MS):
                    await asyncio.to_thread(self.reload)
            except OSError:
                logger.exception("policy_watch_failed", extra={"path": str(self._path)})
                await _pause(stop, retry_s)

    def _folders(self) -> set[Path]:
        return {self._path.parent, self._path.resolve().parent}


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
