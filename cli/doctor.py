"""`council doctor`: every model endpoint, asked for real."""

import asyncio
from typing import Any

import typer

from agents.models.examining import Examined
from cli.console import draw, progress
from cli.exits import Exit
from cli.options import AsJson, PolicyFile
from cli.output import note, write_json
from cli.policy_files import policy_in_force
from cli.render_doctor import render_doctor
from cli.running import new_app
from gateway.settings import read_settings, unknown_variables
from policies.diversity import diversity_warning
from policies.policy import Policy
from policies.verdicts import MEMBERS, Member

app = new_app()


@app.command()
def doctor(*, policy: PolicyFile = None, as_json: AsJson = False) -> None:
    """Check every model endpoint for real, and say what to fix.

    Each model that a member asks is put one real question, on a made-up case: is the endpoint reachable, does it know the
    model, does structured output work and on which rung, how long does it take, is its price known. One question costs
    what one vote costs. The models that write and read stories are asked for one sentence. Nothing is recorded. Exits with 1
    where a model cannot vote, or cannot write.
    """
    for line in unknown_variables():
        note(f"council: {line}")
    checked = policy_in_force(policy)
    found = asyncio.run(_examine_all(checked))
    if as_json:
        write_json(_document(found, checked))
    elif found:
        draw(*render_doctor(found, diversity_warning(checked)))
    else:
        note(
            "no member has a model: rules decide. One line asks one: COUNCIL_MODELS=ollama/llama3.1:8b (docs/models.md)"
        )
    if any(each.state == "bad" for each in found):
        raise typer.Exit(Exit.MISMATCH)


async def _examine_all(policy: Policy) -> list[Examined]:
    # Late: whoever has no model does not wait for what asks one.
    from agents.models.endpoints import Endpoints  # noqa: PLC0415
    from agents.models.examining import examine  # noqa: PLC0415
    from agents.models.judge import ModelJudge  # noqa: PLC0415
    from gateway.made_up_case import question_to  # noqa: PLC0415
    from gateway.settings import key_variables  # noqa: PLC0415
    from gateway.story_examining import examine_story_models  # noqa: PLC0415

    environ = key_variables()
    endpoints = Endpoints(environ)
    judge = ModelJudge(endpoints)
    found = []
    groups = members_by_model(policy)
    # The client's library takes seconds to load, which is not the model's fault.
    await endpoints.warm(seat.model for seat in policy.members.values() if seat.model is not None)
    with progress("asking", len(groups)) as advance:
        for members in groups.values():
            use = policy.members[members[0]].model
            assert use is not None
            found.append(await examine(use, members, question_to(members[0], policy), judge, environ))
            advance()
    found += await examine_story_models(read_settings(), policy, endpoints, environ)
    await endpoints.close()
    return found


def members_by_model(policy: Policy) -> dict[str, tuple[Member, ...]]:
    """Return the members that ask each model, by its endpoint and name."""
    groups: dict[str, tuple[Member, ...]] = {}
    for member in MEMBERS:
        use = policy.members[member].model
        if use is not None:
            groups[use.name] = (*groups.get(use.name, ()), member)
    return groups


def _document(found: list[Examined], policy: Policy) -> dict[str, Any]:
    models = [
        {**each._asdict(), "state": each.state, "checks": [check._asdict() for check in each.checks]} for each in found
    ]
    return {"models": models, "warning": diversity_warning(policy)}
