"""Policies of old decisions, from the ledger that keeps them."""

from council.shelf import PolicyMissingError, PolicyShelf
from policies.faults import PoliciesError
from policies.policy import Policy


async def policy_or_none(shelf: PolicyShelf, policy_hash: str) -> Policy | None:
    """Return the policy of a record from its stored document; None where it is not stored or no longer valid."""
    try:
        return await shelf.policy(policy_hash)
    except (PolicyMissingError, PoliciesError):
        return None
