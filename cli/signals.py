"""What signals mean: unit and sentence from the catalogue, or nothing where an old record names one it has lost."""

from policies.evidence import SignalSpec
from policies.signals.catalogue import CATALOGUE


def unit_of(name: str) -> str | None:
    """Return the unit of a signal, None where the catalogue does not know it."""
    spec = spec_of(name)
    return spec.unit if spec else None


def spec_of(name: str) -> SignalSpec | None:
    """Return the catalogue's entry of a signal."""
    return CATALOGUE.get(name)
