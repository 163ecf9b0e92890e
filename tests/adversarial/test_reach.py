"""Whom an attack reaches: the shipped policy shows players' words to one member, and hidden words to nobody (injection 4)."""

import pytest

from agents.prompting import write_prompt
from council.review import Review
from policies.contracts.reading import validate_request
from policies.policy import Policy
from policies.verdicts import MEMBERS, Member
from tests.adversarial.cases import base_cases
from tests.adversarial.corpus import Entry, attacks
from tests.adversarial.gullible_councils import gullible_policy
from tests.adversarial.placing import placed
from tests.adversarial.reading import Reader
from world.case import open_case

PLAYERS = {"narrative", "note", "evidence", "evidence_key"}
NOWHERE = "http://127.0.0.1:9/v1"
CASE = base_cases()[0]  # all five sit, and a territory changes hands, so that its name is shown


def heard_by(entry: Entry, policy: Policy, reader: Reader) -> set[Member]:
    """Return the members in whose prompts an attack is found."""
    case = open_case(validate_request(placed(CASE.document, entry.fields)))
    realm = policy.realm(case.request.realm_id)
    assert realm is not None
    review = Review(case, policy, realm)
    review.open()
    review.assess()
    assert review.asked == MEMBERS
    prompts = [
        write_prompt(question, form="json_schema") for member in MEMBERS for question in review.questions(member)
    ]
    members = [question.slot.member for member in MEMBERS for question in review.questions(member)]
    orders = [reader.heard(prompt.messages[1]["content"]) for prompt in prompts]
    return {
        member for member, order in zip(members, orders, strict=True) if order is not None and order.name == entry.name
    }


@pytest.fixture(scope="module")
def reached() -> dict[str, set[Member]]:
    policy, reader = gullible_policy(NOWHERE), Reader(attacks())
    return {entry.name: heard_by(entry, policy, reader) for entry in attacks()}


def test_every_attack_is_read_by_somebody_but_those_that_the_prompt_hides(reached: dict[str, set[Member]]) -> None:
    unread = {name for name, members in reached.items() if not members}
    assert unread == {entry.name for entry in attacks() if entry.is_buried}


def test_players_words_reach_the_narrative_member_and_no_other(reached: dict[str, set[Member]]) -> None:
    told = [entry for entry in attacks() if {name.partition("/")[0] for name in entry.fields} <= PLAYERS]
    readers = {entry.name: reached[entry.name] for entry in told if not entry.is_buried}
    assert len(readers) > len(attacks()) // 3
    assert {name: members for name, members in readers.items() if members != {"narrative"}} == {}


def test_where_everybody_reads_players_words_everybody_is_reached() -> None:
    policy, reader = gullible_policy(NOWHERE, everybody_reads=True), Reader(attacks())
    told = [entry for entry in attacks() if set(entry.fields) <= PLAYERS and not entry.is_buried][::5]
    assert {entry.name for entry in told if heard_by(entry, policy, reader) != set(MEMBERS)} == set()
