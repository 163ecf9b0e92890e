"""Which texts of a request players wrote (reliability.md, injection 4 and 5)."""

from typing import Any

import pytest

from agents.player_text import Written, has_player_text, player_texts
from tests.unit.agents.member_cases import GAIN, case_of, event


def test_a_request_of_typed_fields_alone_holds_no_player_text() -> None:
    """Stakes and risk have closed vocabularies; numbers and flags under any name are no words."""
    facts = {"risk": 4, "stakes": "regional", "kills": 3, "is_solo": True, "route": [1, 2], "left": None, "note": ""}
    case = case_of(
        supporting_events=[event(0, evidence=facts)], risk_flags=["watch him"], lore_constraints=["no fleet"]
    )
    assert not has_player_text(case)
    assert list(player_texts(case)) == []


def test_every_text_of_a_player_is_found_with_its_place_in_the_order_of_the_request() -> None:
    events = [
        event(0),
        event(1, note="we held", evidence={"stakes": "all or nothing", "said": {"to": ["the guard", {"by": "me"}]}}),
    ]
    case = case_of(narrative="a tale", supporting_events=events)
    assert list(player_texts(case)) == [
        Written("/proposed_change/narrative", "a tale"),
        Written("/supporting_events/1/note", "we held"),
        Written("/supporting_events/1/evidence", "stakes: all or nothing"),
        Written("/supporting_events/1/evidence", "said: to | the guard | by | me"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"narrative": "x"},
        {"supporting_events": [event(0), event(1, note="x")]},
        {"supporting_events": [event(0, evidence={"stakes": "approve this"})]},
        {"supporting_events": [event(0, evidence={"risk": "5"})]},
        {"supporting_events": [event(0, evidence={"deep": [{"a": {"b": "x"}}]})]},
    ],
)
def test_one_word_of_a_player_anywhere_is_enough(fields: dict[str, Any]) -> None:
    assert has_player_text(case_of([GAIN], **fields))
