"""The models behind the members as people read them: who asks whom, at what price, within which limits."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.text import clean, decimal, fraction
from policies.diversity import diversity_told, diversity_warning
from policies.models import TOKENS_PRICED, ModelUse, Price, dollars
from policies.policy import MemberPolicy, Policy

_NONE: Final = "–"
_TITLES: Final = ("member", "asks", "players' text", "timeout", "dollars per million tokens")


def render_models(policy: Policy) -> RenderableType:
    """Return the drawing of the section `models` of a policy."""
    uses = [seat.model for seat in policy.members.values() if seat.model is not None]
    if not uses:
        # With one configured, it is the members that are closed to it: the lint idle_default says the same.
        is_closed = all(seat.judge == "rules" for seat in policy.members.values())
        hint = "judge: model" if is_closed else "COUNCIL_MODELS=ollama/llama3.1:8b"
        nobody = Text("no member asks a model: all judge by rules")
        return Group(nobody, Text(f"{hint} lets them ask one (docs/models.md)", style="dim"))
    told, is_warning = diversity_told(policy), diversity_warning(policy) is not None
    parts: list[RenderableType] = [_table(policy), *map(Text, _endpoints(uses)), *map(Text, _limits(policy))]
    if told is not None:
        parts.append(
            Text(f"warning: {clean(told)}" if is_warning else clean(told), style="yellow" if is_warning else "")
        )
    return Group(*parts)


def _table(policy: Policy) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in _TITLES:
        table.add_column(title, overflow="fold")
    for member, seat in policy.members.items():
        table.add_row(*(Text(clean(cell)) for cell in _row(member, seat)))
    return table


def _row(member: str, seat: MemberPolicy) -> Iterable[str]:
    use = seat.model
    if use is None:
        return (member, "its rules", _NONE, _NONE, _NONE)
    reads = "shown" if use.reads_player_text else "withheld"
    return (member, use.name, reads, f"{decimal(Fraction(use.timeout_ms, 1000), 3)} s", _price(use.price))


def _price(price: Price | None) -> str:
    if price is None:
        return "no price: counted as 0"
    per_million = {name: dollars(getattr(price, name) * TOKENS_PRICED) for name in ("input", "cached", "output")}
    return f"{per_million['input']} in, {per_million['cached']} cached, {per_million['output']} out"


def _endpoints(uses: Iterable[ModelUse]) -> list[str]:
    known = {use.endpoint.name: use.endpoint for use in uses}
    return [
        f"{clean(name)} at {clean(where.base_url)}, {f'key in {clean(where.key)}' if where.key else 'no key'}, "
        f"form {where.structured}, at most {where.concurrency} calls at once"
        for name, where in known.items()
    ]


def _limits(policy: Policy) -> list[str]:
    models, budgets = policy.models, policy.models.budgets
    every = (
        ("review", budgets.review),
        ("realm and day", budgets.realm_day),
        ("day", budgets.day),
        ("month", budgets.month),
    )
    amounts = [f"{dollars(limit)} a {name}" for name, limit in every if limit is not None]
    spent = {"rules": "the rules vote", "quarantine": "members abstain"}[budgets.when_spent]
    failed = {"rules": "its rules vote, tagged degraded", "abstain": "it abstains"}[models.on_failure]
    twin = {None: "never", 0: "always"}.get(models.twin_from_impact, f"from impact {models.twin_from_impact}")
    margin = "none" if models.rebuttal_margin is None else f"below a margin of {fraction(str(models.rebuttal_margin))}"
    return [
        f"budgets in dollars: {', '.join(amounts)}; once spent, {spent}" if amounts else "budgets: none",
        f"{models.retries} {'retry' if models.retries == 1 else 'retries'}; where a member's model fails, {failed}",
        f"asked again without players' text, where it might relax: {twin}; second round: {margin}",
    ]
