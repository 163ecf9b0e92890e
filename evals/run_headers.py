"""The header of a run: what it is made of, so that it can be made again and told from another. Pure."""

from collections.abc import Sequence
from pathlib import Path

from agents.prompt_files import HERE, SHARED, prompt_file
from evals.results import Mode, RunHeader
from evals.suite import Suite
from evals.tasks import Selection, Task
from policies.canonical import canonical_json, sha256_hex
from policies.policy import Policy
from policies.verdicts import MEMBERS, Member


def header_of(
    suite: Suite,
    policy: Policy,
    mode: Mode,
    tasks: Sequence[Task],
    *,
    repeats: int,
    selection: Selection,
    started_at: str,
    version: str,
    prompts: Path = HERE,
) -> RunHeader:
    """Return the header of a run.

    Args:
        tasks: everything that it is to judge.
        started_at: ISO 8601 UTC with milliseconds and "Z".
        version: of this product.
        prompts: where the members' prompt files stand.
    """
    asks = mode in ("cassette", "live")
    models: dict[str, str] = {
        member: use.name for member in MEMBERS if asks and (use := policy.members[member].model) is not None
    }
    made_of = [suite.content_hash, policy.content_hash, mode, repeats, selection.text, started_at]
    return RunHeader(
        run_id=sha256_hex(canonical_json(made_of))[:16],
        suite=suite.suite_id,
        suite_hash=suite.content_hash,
        mode=mode,
        repeats=repeats,
        policy_id=policy.policy_id,
        policy_version=policy.version,
        policy_hash=policy.content_hash,
        models=models,
        prompts={member: prompt_hash(member, prompts) for member in MEMBERS if member in models},
        started_at=started_at,
        version=version,
        cases=tuple(dict.fromkeys(task.subject.case for task in tasks)),
        selection=selection.text,
    )


def prompt_hash(member: Member, prompts: Path = HERE) -> str:
    """Return the SHA-256 (hex) of a member's prompt files: what all members share, and its own."""
    return sha256_hex(canonical_json([prompt_file(SHARED, prompts).text, prompt_file(member, prompts).text]))
