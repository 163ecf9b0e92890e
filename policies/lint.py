"""Lints of a policy: what is valid, and still cannot work as it reads (docs/policy.md has the codes). Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.findings import SEVERITIES, Finding
from policies.lint_models import lint_models
from policies.lint_rules import lint_rules
from policies.lint_votes import lint_votes
from policies.policy import Policy

HARD_VETOES: Final[Mapping[str, str]] = {
    "canon_lock": "S0-62",
    "exploit_suspicion": "S0-63",
    "realm_collapse": "S0-64",
}
"""The three vetoes of 000 §7.3 by the ids that council.md fixes."""
_NAMING: Final = ("id", "version", "shadow")
_MODELS_THAT_DECIDE: Final = ("on_failure", "twin_from_impact", "rebuttal_margin")
_ASKING: Final = ("model", "temperature", "timeout_s", "max_output_tokens")
"""What a member says of whom it asks and how: a shadow asks nobody, it hears what the live policy's models said."""


def lint(policy: Policy) -> tuple[Finding, ...]:
    """Return everything found, gravest first, else in the order of the file."""
    found = [*lint_votes(policy), *lint_rules(policy), *_vetoes(policy), *lint_models(policy), *_realms(policy)]
    found += _shadows(policy)
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def _vetoes(policy: Policy) -> Iterator[Finding]:
    modes = {rule.rule_id: rule.mode for rule in policy.rules.rules}
    for rule_id, row in HARD_VETOES.items():
        if rule_id not in modes:
            yield Finding(
                "warning",
                "missing_hard_veto",
                "rules",
                f"there is no rule {rule_id!r}: the hard veto of {row} is gone",
                "copy it from the shipped policy; mode: log_only switches it off and keeps it on record",
            )
    for rule_id, mode in modes.items():
        if mode == "log_only":
            yield Finding(
                "hint",
                "log_only_rule",
                f"rules.{rule_id}.mode",
                "is recorded and never acts",
                "once its record convinces you: mode: enforce",
            )


def _realms(policy: Policy) -> Iterator[Finding]:
    if all(realm.mode in ("off", "log_only") for realm in policy.realms.values()):
        yield Finding(
            "hint",
            "nothing_acts",
            "realms",
            "in no realm does the council act, or ask a person",
            "mode: review_only, then enforce (000 §14)",
        )
    for name, realm in policy.realms.items():
        if realm.mode != "off" and realm.impact_threshold == 0:
            yield Finding(
                "warning",
                "threshold_convenes_all",
                f"realms.{name}.impact_threshold",
                "every change reaches a threshold of 0: none takes the fast path",
                "60 is the shipped number; 000 §13 aims at 5 to 15 % of events",
            )


def _shadows(policy: Policy) -> Iterator[Finding]:
    live = _decisive(policy)
    seen: dict[str, int] = {}
    for index, shadow in enumerate(policy.shadows):
        if _decisive(shadow) == live:
            yield Finding(
                "warning",
                "idle_shadow",
                f"shadow[{index}]",
                f"the policy {shadow.policy_id!r} decides everything as this one does",
                "change something in it, or take it off the list",
            )
        elif shadow.content_hash in seen:
            yield Finding(
                "warning",
                "repeated_shadow",
                f"shadow[{index}]",
                f"is the same policy as shadow[{seen[shadow.content_hash]}]",
                "list it once",
            )
        seen.setdefault(shadow.content_hash, index)


def _decisive(policy: Policy) -> dict[str, Any]:
    document: dict[str, Any] = {key: value for key, value in policy.document.items() if key not in _NAMING}
    models, members = document.get("models", {}), document["members"]
    when_spent = models.get("budgets", {}).get("when_spent")
    document["models"] = {"when_spent": when_spent, **{key: models.get(key) for key in _MODELS_THAT_DECIDE}}
    document["members"] = {
        member: {key: value for key, value in written.items() if key not in _ASKING}
        for member, written in members.items()
    }
    return document
