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
    """Load the policy of an argument as it is written; without it the one in force.

    Raises:
        InvalidPolicyError: naming every fault with file, line and key.
        SettingsError: where no file is given and the settings cannot be used.
    """
    return load_policy(file) if file is not None else policy_in_force(None)


def policy_in_force(file: str | None) -> Policy:
    """Load the policy that decides: that of `--policy`, or else of the settings, with the models of COUNCIL_MODELS.

    Raises:
        InvalidPolicyError: naming every fault with file, line and key.
        SettingsError: where the settings cannot be used.
    """
    return load_policy(policy_path(file), read_settings().models)
