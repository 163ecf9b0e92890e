"""What every class of metrics of a process shares: children looked up once."""

from typing import Any


class MetricChildren:
    """Remembers the children of metrics by their label values."""

    def __init__(self) -> None:
        self._children: dict[tuple[Any, ...], Any] = {}

    def child(self, metric: Any, *labels: str) -> Any:
        """Return a metric's child for label values; the library's own look-up costs more than counting."""
        key = (id(metric), *labels)
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = metric.labels(*labels)
        return found
