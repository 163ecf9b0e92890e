"""Proposals: what tuning found as a whole policy file, checked by loading it before it takes its name.

The proposal is the old file with its comments, with other numbers in it; where the old text cannot be edited safely, it is the
written-out document. Either way it is loaded and held against what it should say, so that nothing else changed on the way.
"""

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from council.merge import Seats
from evals.errors import EvalsError
from evals.policy_edits import PolicyText, UneditableError
from evals.tuning_ways import Scheme
from evals.whole_files import write_whole
from policies.document import MAX_NAME
from policies.lint_votes import lint_votes
from policies.loading import load_policy
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError
from policies.verdicts import DECISION_TYPES, MEMBERS, VERDICTS, DecisionType, Member

FIRST_LINE: Final = "# Proposed by `council eval tune`. Nothing of it is in force."
SUFFIX: Final = "-tuned"
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
"""Names that YAML takes for text without quotes."""


def write_proposal(path: Path, source: Path, policy: Policy, scheme: Scheme, told: Sequence[str]) -> Policy:
    """Write a proposal beside its target, load it, and give it its name.

    Args:
        path: the target; a file there is replaced only if it is a proposal itself.
        source: the file that `policy` was loaded from.
        policy: the policy as it stands.
        scheme: what to change.
        told: where the numbers come from, for the head of the file: lines without "#".

    Returns:
        The proposal, as loaded.

    Raises:
        EvalsError: where the target is a policy in use, or another file, or cannot be written.
    """
    _refuse_others(path, source, policy)
    text = source.read_text("utf-8")
    keeps_shadows = not policy.shadows or path.resolve().parent == source.resolve().parent
    wanted = proposed_document(policy, scheme)
    if not keeps_shadows:
        told = [*told, "Its shadow policies are left out: they are named relative to the old file."]
    wanted["shadow"] = list(wanted["shadow"]) if keeps_shadows else []
    partial = path.with_name(path.name + ".partial")
    try:
        return _written(path, partial, _texts(text, policy, scheme, wanted, told, keeps_shadows=keeps_shadows), wanted)
    except OSError as error:
        fix = "name a file in a directory that you may write to"
        raise EvalsError(f"cannot write {str(path)!r}: {(error.strerror or str(error)).lower()}", fix) from None
    finally:
        partial.unlink(missing_ok=True)


def proposed_document(policy: Policy, scheme: Scheme) -> dict[str, Any]:
    """Return the policy's document with the scheme in it, a new id and the next version."""
    document: dict[str, Any] = json.loads(json.dumps(policy.document))
    document["id"], document["version"] = _name(policy), policy.version + 1
    document["weights"] = _overrides(policy, scheme)
    document["merge"]["quotas"] = {verdict: str(scheme.quotas[verdict]) for verdict in VERDICTS[1:]}
    for member, steps in scheme.tables.items():
        document["members"][member] |= {"confidence": "use", "calibration": [list(step) for step in steps]}
    return document


def is_sound(policy: Policy, scheme: Scheme) -> bool:
    """Whether a policy with the scheme in it has no lint error about votes: nobody decides alone, nobody sits for nothing."""
    weights: dict[DecisionType, Mapping[Member, Fraction]] = dict(policy.weights)
    for kind in DECISION_TYPES:
        if kind in scheme.weights:
            weights[kind] = {member: scheme.weights[kind][member] for member in MEMBERS}
    changed = replace(policy, weights=weights, quotas=scheme.quotas)
    return not any(found.severity == "error" for found in lint_votes(changed))


def merge_policy(current: Seats, scheme: Scheme, decision_class: str) -> dict[str, Any]:
    """Return the scheme of a foreign jury as `council merge` reads it: one JSON document, {"policy": {...}}."""
    policy: dict[str, Any] = {
        "weights": {member: str(weight) for member, weight in scheme.weights[decision_class].items()},
        "quotas": {verdict: str(scheme.quotas[verdict]) for verdict in VERDICTS[1:]},
        "quorum": str(current.quorum),
    }
    if scheme.tables:
        policy["confidence"] = dict.fromkeys(scheme.tables, "use")
        policy["calibration"] = {member: [list(step) for step in steps] for member, steps in scheme.tables.items()}
    return {"policy": policy}


def write_merge_policy(path: Path, document: Mapping[str, Any]) -> None:
    """Write the policy of a foreign jury, beside its target first.

    Raises:
        EvalsError: where the target is there and is something else, or cannot be written.
    """
    if path.exists() and not path.read_bytes().startswith(b'{"policy":{"weights":'):
        raise EvalsError(f"{str(path)!r} is there already, and is no proposal", "name another file")
    write_whole(path, orjson.dumps(document) + b"\n")


def _refuse_others(path: Path, source: Path, policy: Policy) -> None:
    shadows = [source.parent / name for name in _shadow_names(source)] if policy.shadows else []
    if any(path.resolve() == used.resolve() for used in (source, *shadows)):
        fix = "name a new file; put it in force yourself once a backtest has convinced you"
        raise EvalsError(f"{str(path)!r} is a policy in use, and tuning never touches one", fix)
    if path.exists() and not path.read_bytes().startswith(FIRST_LINE.encode()):
        raise EvalsError(f"{str(path)!r} is there already, and is no proposal", "name another file")


def _shadow_names(source: Path) -> list[str]:
    document = yaml.safe_load(source.read_text("utf-8"))
    return [str(name) for name in document.get("shadow", [])]


def _written(path: Path, partial: Path, texts: Sequence[str], wanted: Mapping[str, Any]) -> Policy:
    """Write the first text that says what is wanted and nothing else."""
    for text in texts:
        partial.write_text(text, "utf-8")
        try:
            proposal = load_policy(partial)
        except InvalidPolicyError:
            continue
        if proposal.document == wanted:
            partial.replace(path)
            return proposal
    raise EvalsError(
        "the proposal does not load as a policy", "this is a defect: please report it with the policy file"
    )


def _texts(
    text: str,
    policy: Policy,
    scheme: Scheme,
    wanted: Mapping[str, Any],
    told: Sequence[str],
    *,
    keeps_shadows: bool,
) -> list[str]:
    head = "\n".join([FIRST_LINE, *[f"# {line}".rstrip() for line in told], "", ""])
    # A proposal of a proposal says where its own numbers come from, and not those of the one before.
    body = text.partition("\n\n")[2] if text.startswith(FIRST_LINE) else text
    found = []
    with contextlib.suppress(UneditableError):
        found.append(head + _edited(body, policy, scheme, wanted, keeps_shadows=keeps_shadows))
    if not policy.shadows or not keeps_shadows:
        found.append(head + yaml.safe_dump(dict(wanted), sort_keys=False, allow_unicode=True, width=120))
    return found


def _edited(text: str, policy: Policy, scheme: Scheme, wanted: Mapping[str, Any], *, keeps_shadows: bool) -> str:
    edit = PolicyText(text)
    edit.set(wanted["id"] if _PLAIN.fullmatch(wanted["id"]) else json.dumps(wanted["id"]), "id")
    edit.set(str(wanted["version"]), "version")
    if wanted["weights"] != policy.document["weights"]:
        _edit_weights(edit, wanted["weights"])
    if dict(scheme.quotas) != dict(policy.quotas):
        _edit_quotas(edit, wanted["merge"]["quotas"])
    for member in scheme.tables:
        _edit_calibration(edit, member, wanted["members"][member]["calibration"])
    if not keeps_shadows:
        edit.set("[]", "shadow")
    return edit.text


def _edit_weights(edit: PolicyText, overrides: Mapping[str, Mapping[str, str]]) -> None:
    block = [f"  {kind}: {_flow(weights)}" for kind, weights in overrides.items()]
    if not edit.has("weights"):
        edit.append(["weights:", *block])
    elif block:
        edit.set_block(block, "weights")
    else:
        edit.set("{}", "weights")


def _edit_quotas(edit: PolicyText, quotas: Mapping[str, str]) -> None:
    if all(edit.has("merge", "quotas", verdict) for verdict in quotas):
        try:
            for verdict, quota in quotas.items():
                edit.set(f'"{quota}"', "merge", "quotas", verdict)
        except UneditableError:
            edit.set(_flow(quotas), "merge", "quotas")
    elif edit.has("merge", "quotas"):
        edit.set(_flow(quotas), "merge", "quotas")
    elif edit.has("merge"):
        raise UneditableError
    else:
        edit.append(["merge:", f"  quotas: {_flow(quotas)}"])


def _edit_calibration(edit: PolicyText, member: str, steps: list[list[int]]) -> None:
    if edit.has("members", member, "calibration"):
        edit.set(json.dumps(steps), "members", member, "calibration")
        edit.set("use", "members", member, "confidence")
        return
    edit.set("use", "members", member, "confidence")
    edit.add_below(f"calibration: {json.dumps(steps)}", "members", member, "confidence")


def _flow(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{key}: "{value}"' for key, value in values.items()) + "}"


def _overrides(policy: Policy, scheme: Scheme) -> dict[str, dict[str, str]]:
    """Return the weights that differ from the members' own, per decision type."""
    found: dict[str, dict[str, str]] = {}
    own: Mapping[str, Fraction] = {member: seat.weight for member, seat in policy.members.items()}
    for kind in DECISION_TYPES:
        weights: Mapping[str, Fraction] = scheme.weights.get(
            kind, {str(name): weight for name, weight in policy.weights[kind].items()}
        )
        different = {member: str(weight) for member, weight in weights.items() if weight != own[member]}
        if different:
            found[kind] = different
    return found


def _name(policy: Policy) -> str:
    if policy.policy_id.endswith(SUFFIX):
        return policy.policy_id
    return policy.policy_id[: MAX_NAME - len(SUFFIX)] + SUFFIX
