"""The live policy with its reloads counted: an edit that was refused must be seen by whoever watches the service."""

from pathlib import Path

from gateway.metrics import Metrics
from policies.reloading import PolicySource, Reload


class CountedPolicySource(PolicySource):
    """Counts edits taken up and refused, and shows whether the file as it stands is in force."""

    def __init__(self, path: Path | str, metrics: Metrics, models: str | None = None) -> None:
        super().__init__(path, models)
        self._reloads = metrics.policy_reloads
        metrics.policy_refused.set_function(lambda: int(bool(self.faults)))
        metrics.policy_version.set_function(lambda: self.current.version)

    def reload(self) -> Reload:
        """Read the file again and count what came of it."""
        reload = super().reload()
        if reload.faults:
            self._reloads.labels("refused").inc()
        elif reload.is_changed:
            self._reloads.labels("taken_up").inc()
        return reload
