"""Policies from YAML files and from records: validated whole, every fault named at once, or refused.

The document that a policy keeps has every default written out, so that a record's copy rebuilds it without the file.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from policies.canonical import canonical_json, sha256_hex
from policies.cursor import Complaints, Place
from policies.document import written_out
from policies.model_choice import ModelChoice, read_choices, with_choices
from policies.models import Price
from policies.models_document import model_use, models_policy
from policies.policy import MemberPolicy, Policy, RealmPolicy
from policies.policy_faults import InvalidPolicyError, PolicyFault
from policies.rules import Rule, RuleSet, compile_rule
from policies.verdicts import DECISION_TYPES, MEMBERS
from policies.yaml_positions import MAX_CHARACTERS, Sheet, read_yaml

MAX_SHADOWS: Final = 8
RECORD: Final = "(record)"
REMEMBERED: Final = 1024
"""Triage reads flags and a score of 0 to 100, so its conditions meet the same few values again and again."""


def default_policy_path() -> Path:
    """Return the path of the shipped policy."""
    return Path(__file__).parent / "data" / "aelvyndor.yaml"


def load_policy(path: Path | str, models: str | None = None) -> Policy:
    """Load a policy file with its shadow policies.

    Args:
        path: the policy file.
        models: what COUNCIL_MODELS says (`policies.model_choice`), laid over the file; its shadow policies, which ask
            nobody, stay as they are.

    Raises:
        InvalidPolicyError: with every fault of the file and its shadows: unreadable, not YAML, unknown keys, wrong
            values, bad conditions; or of `models`.
    """
    return _load(Path(path), (), read_choices(models or ""))


def policy_from_document(document: Mapping[str, Any], shadows: Sequence[Policy] = ()) -> Policy:
    """Rebuild a policy from the document that its record keeps.

    The content hash is that of the document as given. Signals that no longer exist are let pass: a rule that names one
    finds it missing.

    Args:
        document: `Policy.document`, read back from JSON.
        shadows: its shadow policies, rebuilt from the documents of `shadow_hashes`.

    Raises:
        InvalidPolicyError: where it is not a policy, or a shadow given is not one of its own.
    """
    complaints = Complaints(RECORD, {}, is_recorded=True)
    root = Place(document, (), complaints)
    hashes = shadow_hashes(document)
    listed = document.get("shadow", []) if isinstance(document, Mapping) else []
    if not isinstance(listed, list | tuple) or list(listed) != list(hashes):
        complaints.add(("shadow",), "must be a list of content hashes")
    written = written_out(root, hashes)
    for shadow in shadows:
        if shadow.content_hash not in hashes:
            complaints.add(("shadow",), f"the policy {shadow.policy_id!r} given as a shadow is not one of its own")
    complaints.finish()
    return _built(written, document, tuple(shadows))


def shadow_hashes(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the content hashes of the shadow policies that a policy document lists."""
    listed = document.get("shadow", []) if isinstance(document, Mapping) else []
    return tuple([item for item in listed if isinstance(item, str)]) if isinstance(listed, list | tuple) else ()


def _load(path: Path, ancestors: tuple[Path, ...], choices: tuple[ModelChoice, ...] = ()) -> Policy:
    sheet = _read(path)
    complaints = Complaints(path.name, sheet.lines, sheet.faults)
    if sheet.value is None:
        complaints.add((), "holds no policy", "start from the shipped policy: council policy show")
        complaints.finish()
    root = Place(sheet.value, (), complaints)
    shadows = _shadows(root, path, (*ancestors, path.resolve()))
    written = written_out(root, [shadow.content_hash for shadow in shadows])
    complaints.finish()
    if choices:
        written = with_choices(written, choices)
    return _built(written, written, shadows)


def _read(path: Path) -> Sheet:
    name = path.name
    try:
        with path.open("rb") as file:
            raw = file.read(4 * MAX_CHARACTERS + 1)
        text = raw.decode("utf-8")
    except FileNotFoundError:
        return _unread(name, f"there is no file {str(path)!r}", "check the path")
    except OSError as error:
        return _unread(
            name, f"cannot be read: {error.strerror or type(error).__name__}", "check the path and its rights"
        )
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Sheet(None, {}, (PolicyFault(name, line, "", "is not UTF-8", "save it as UTF-8"),))
    except ValueError:
        return _unread(name, "is not a path", "check the path")
    return read_yaml(text, name)


def _unread(name: str, message: str, fix: str) -> Sheet:
    return Sheet(None, {}, (PolicyFault(name, 0, "", message, fix),))


def _shadows(root: Place, path: Path, ancestors: tuple[Path, ...]) -> tuple[Policy, ...]:
    if not isinstance(root.value, Mapping) or "shadow" not in root.value:
        return ()
    place = root.at("shadow", root.value["shadow"])
    items = place.items()
    if len(items) > MAX_SHADOWS:
        place.fault(f"more than {MAX_SHADOWS} shadow policies", "each one decides every case once more")
        return ()
    if items and len(ancestors) > 1:
        place.fault("a shadow policy has shadows of its own", "write [] in the shadow policy")
        return ()
    found = [_shadow(item, path, ancestors) for item in items]
    return tuple([shadow for shadow in found if shadow is not None])


def _shadow(item: Place, path: Path, ancestors: tuple[Path, ...]) -> Policy | None:
    name = item.text(255)
    if not name:
        return None
    file = path.parent / name
    if file.resolve() in ancestors:
        item.fault("a policy cannot be its own shadow", "name another file")
        return None
    try:
        return _load(file, ancestors)
    except InvalidPolicyError as error:
        item.fault(f"the shadow policy {name!r} is not valid", "its faults are listed below")
        item.complaints.include(error.faults)
        return None


def _built(written: Mapping[str, Any], document: Mapping[str, Any], shadows: tuple[Policy, ...]) -> Policy:
    """Build the policy of a document that has passed every check."""
    merge, impact, models = written["merge"], written["impact"], models_policy(written["models"])
    return Policy(
        policy_id=written["id"],
        version=written["version"],
        content_hash=sha256_hex(canonical_json(document)),
        document=document,
        members={member: _member(written["members"][member], written["models"], models.prices) for member in MEMBERS},
        weights={kind: _weights(written, kind) for kind in DECISION_TYPES},
        quotas={verdict: Fraction(quota) for verdict, quota in merge["quotas"].items()},
        quorum=Fraction(merge["quorum"]),
        merge_rule=merge["rule"],
        absent_counts_as=merge["absent_counts_as"],
        confidence_floor=Fraction(merge["confidence_floor"]),
        required={kind: tuple(written["required"][kind]) for kind in DECISION_TYPES},
        seating=RuleSet(
            [compile_rule(member, written["seating"][member], when_missing="quarantine") for member in MEMBERS],
            remembered=REMEMBERED,
        ),
        invocation=RuleSet([_reason(item) for item in written["invocation"]], remembered=REMEMBERED),
        impact_weights=impact["weights"],
        impact_floors=impact["floors"],
        rules=RuleSet([_rule(item) for item in written["rules"]]),
        models=models,
        realms={realm: RealmPolicy(**item) for realm, item in written["realms"].items()},
        shadows=shadows,
    )


def _member(written: Mapping[str, Any], models: Mapping[str, Any], prices: Mapping[str, Price]) -> MemberPolicy:
    steps = written.get("calibration")
    return MemberPolicy(
        weight=Fraction(written["weight"]),
        use_confidence=written["confidence"] == "use",
        judge=written["judge"],
        models_may=written["models_may"],
        thresholds=written["thresholds"],
        model=model_use(written, models, prices),
        calibration=None if steps is None else tuple([(confidence, worth) for confidence, worth in steps]),
    )


def _weights(written: Mapping[str, Any], kind: str) -> dict[Any, Fraction]:
    overrides = written["weights"].get(kind, {})
    return {member: Fraction(overrides.get(member, written["members"][member]["weight"])) for member in MEMBERS}


def _reason(written: Mapping[str, Any]) -> Rule:
    return compile_rule(
        written["id"],
        written["when"],
        because=written["because"],
        when_missing="quarantine" if written["when_missing"] == "convene" else "skip",
    )


def _rule(written: Mapping[str, Any]) -> Rule:
    return compile_rule(
        written["id"],
        written["when"],
        outcome=written["outcome"],
        mode=written["mode"],
        threshold=written["threshold"],
        because=written["because"],
        when_missing=written["when_missing"],
    )
