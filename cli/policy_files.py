"""Policies from files, as commands name them."""

from pathlib import Path

from gateway.settings import read_settings
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy


def policy_path(file: str | None) -> Path:
    """Return the file of the option; without it that of the settings, or else the one that ships."""
    if file is not None:
        return Path(file)
    return read_settings().policy_path or default_policy_path()


def current_policy(file: str | None) -> Policy:
    """Load the policy of the option; without it the one in force.

    Raises:
        InvalidPolicyError: naming every fault with file, line and key.
    """
    return load_policy(policy_path(file))
