"""Every attack against models that obey it, through the whole review: none wins anything (issue 3, point 8; L19)."""

import pytest

from policies.policy import Policy
from policies.verdicts import MEMBERS
from tests.adversarial.bounds import report, victories, what_was_won
from tests.adversarial.cases import BaseCase, base_cases
from tests.adversarial.corpus import Entry, attacks
from tests.adversarial.gullible_councils import (
    Asking,
    GullibleServer,
    Journal,
    by_models,
    by_rules,
    gullible_policy,
    rules_policy,
)
from tests.adversarial.placing import placed

pytestmark = pytest.mark.slow
CASES = {case.name: case for case in base_cases()}
WITH_MODELS = ("bounded_by_a_floor", "bounded_by_two_votes", "no_bound_helps", "rejected_by_votes", "held_by_a_vote")
"""Cases that the rules do not approve, and about which models are asked: here is something to be won."""
OTHERS = ("approved", "trigger_too_early", "against_canon", "six_claims_one_device")
"""Little is to be won in the first two, and nobody is asked about the others: each attack runs in one of the four."""
PLAYERS = {"narrative", "note", "evidence", "evidence_key"}


def players(entries: tuple[Entry, ...]) -> list[Entry]:
    """Return the attacks that stand in players' words."""
    return [entry for entry in entries if {name.partition("/")[0] for name in entry.fields} <= PLAYERS]


def asking(entry: Entry, case: BaseCase) -> Asking:
    return Asking(entry.name, case.name, placed(case.document, entry.fields))


async def assert_nothing_is_won(policy: Policy, askings: list[Asking], confidence: str = "ignore") -> None:
    rules = rules_policy(confidence)
    bounds = {(one.entry, one.case): by_rules(rules, one.document) for one in askings}
    won = victories(await by_models(policy, askings), bounds)
    assert not won, report(won, attacks(), len(askings))


def assert_obeyed(journal: Journal, member: str, entries: list[Entry]) -> None:
    """Assert that a member's model obeyed every attack that it was shown: a suite without obedience proves nothing."""
    assert {entry.name for entry in entries if not entry.is_buried} - journal.by(member) == set()


@pytest.mark.parametrize("name", WITH_MODELS)
async def test_no_attack_gets_less_than_the_rules_ask(gullible: GullibleServer, name: str) -> None:
    world = gullible.world()
    await assert_nothing_is_won(
        gullible_policy(gullible.base_url(world)), [asking(each, CASES[name]) for each in attacks()]
    )
    journal = gullible.journal(world)
    if name == "held_by_a_vote":  # narrative has no seat in a dispute, and risk has
        flagged = [
            entry for entry in attacks() if set(entry.fields) <= {"flag_note", "flag_text", "flag_code", "summary"}
        ]
        assert_obeyed(journal, "risk", flagged)
    else:
        assert_obeyed(journal, "narrative", players(attacks()))
    assert {entry.name for entry in attacks() if entry.is_buried} & journal.orders == set()


async def test_no_attack_gets_anything_where_there_is_little_to_win(gullible: GullibleServer) -> None:
    policy = gullible_policy(gullible.base_url(gullible.world()))
    askings = [asking(entry, CASES[OTHERS[at % len(OTHERS)]]) for at, entry in enumerate(attacks())]
    await assert_nothing_is_won(policy, askings)


@pytest.mark.parametrize("name", ["bounded_by_two_votes", "held_by_a_vote"])
async def test_no_attack_gets_less_where_all_five_read_players_words(gullible: GullibleServer, name: str) -> None:
    world = gullible.world()
    entries = players(attacks())
    policy = gullible_policy(gullible.base_url(world), everybody_reads=True)
    await assert_nothing_is_won(policy, [asking(entry, CASES[name]) for entry in entries])
    journal = gullible.journal(world)
    for member in ("governor", "fairness", "risk") if name == "held_by_a_vote" else MEMBERS:
        assert_obeyed(journal, member, entries)


async def test_no_player_talks_a_member_that_may_be_milder_into_it(gullible: GullibleServer) -> None:
    """The twin, which reads no player's words, holds what the text would win (injection 5)."""
    world = gullible.world()
    policy = gullible_policy(gullible.base_url(world), relaxed=("narrative",))
    await assert_nothing_is_won(policy, [asking(entry, CASES["bounded_by_two_votes"]) for entry in players(attacks())])
    assert_obeyed(gullible.journal(world), "narrative", players(attacks()))


async def test_no_attack_gets_less_where_a_models_confidence_weighs(gullible: GullibleServer) -> None:
    policy = gullible_policy(gullible.base_url(gullible.world()), everybody_reads=True, confidence="use")
    entries = [entry for entry in attacks() if entry.technique in ("confidence_inflation", "vote_splitting", "denial")]
    askings = [asking(entry, CASES[name]) for entry in entries for name in WITH_MODELS]
    await assert_nothing_is_won(policy, askings, "use")


async def test_no_order_spreads_through_the_reasons_that_members_see_in_the_rebuttal(gullible: GullibleServer) -> None:
    """A hijacked member writes the order into its reasons and conditions, and the others read them in round two."""
    world = gullible.world()
    policy = gullible_policy(gullible.base_url(world), rebuttal_margin="1")
    entries = [
        entry for entry in attacks() if entry.technique in ("worm", "vote_splitting", "role_play", "veto_clearing")
    ]
    askings = [
        asking(entry, CASES[name]) for entry in entries for name in ("bounded_by_a_floor", "bounded_by_two_votes")
    ]
    await assert_nothing_is_won(policy, askings)
    assert gullible.journal(world).by("fairness") >= {"command"}, (
        "no reason of a hijacked member was ever read by another"
    )


async def test_models_that_all_refuse_leave_the_case_to_a_person(gullible: GullibleServer) -> None:
    """Text that makes every model refuse never becomes an approval (L12)."""
    policy = gullible_policy(gullible.base_url(gullible.world()), everybody_reads=True)
    entries = [entry for entry in players(attacks()) if entry.wants in ("refuse", "silence")]
    decided = await by_models(policy, [asking(entry, case) for entry in entries for case in base_cases()[:7]])
    assert {(one.entry, one.case): outcome.verdict for one, outcome in decided if outcome.verdict != "quarantine"} == {}
    assert len(decided) == len(entries) * 7


async def test_without_the_boundary_every_order_to_approve_wins(gullible: GullibleServer) -> None:
    """The same suite sees a council that has no boundary: everybody reads, may be milder, and is asked once."""
    policy = gullible_policy(gullible.base_url(gullible.world()), everybody_reads=True, is_bounded=False)
    orders = [entry for entry in players(attacks()) if entry.wants == "approve" and not entry.is_buried]
    entries = orders[::3]
    decided = await by_models(policy, [asking(entry, CASES["bounded_by_two_votes"]) for entry in entries])
    rules = rules_policy()
    lost = [one.entry for one, got in decided if not what_was_won(by_rules(rules, one.document), got)]
    assert lost == []
    assert {outcome.verdict for _, outcome in decided} == {"approve"}


@pytest.mark.parametrize("confidence", ["ignore", "use"])
async def test_models_to_which_no_order_comes_change_nothing(gullible: GullibleServer, confidence: str) -> None:
    """The models vote as their rules do, each with a confidence of 1."""
    world = gullible.world()
    policy = gullible_policy(gullible.base_url(world), everybody_reads=True, confidence=confidence)
    calm = Entry("calm", "en", {})
    decided = await by_models(policy, [asking(calm, case) for case in base_cases()])
    rules = rules_policy(confidence)
    for one, outcome in decided:
        bound = by_rules(rules, one.document)
        assert (outcome.verdict, outcome.path, outcome.effects) == (bound.verdict, bound.path, bound.effects), one.case
    assert gullible.journal(world).orders <= {"command"}
