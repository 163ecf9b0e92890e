"""An act as the ledger keeps it: the canonical form of what the contract read, and back."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
from hypothesis import given
from hypothesis import strategies as st

from policies.canonical import canonical_json
from policies.contracts.request import ImpactCandidate
from world.contribution import epoch_ms
from world.influence.recent import canonical_act, recent_from

_TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=8)
_ID = st.text("abcdef0123456789-", min_size=1, max_size=8)
_ZONES = st.one_of(
    st.just(UTC), st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
_FIRST = datetime(2000, 1, 1)  # noqa: DTZ001 - the strategy adds the zone
_POINTS = st.one_of(st.integers(-1_000_000, 1_000_000), st.floats(-1_000_000, 1_000_000))
_FACTS = st.one_of(_TEXT, st.integers(-(2**60), 2**60), st.none(), st.booleans(), st.floats(0, 9), st.just([1, None]))


@st.composite
def _acts(draw: st.DrawFn) -> ImpactCandidate:
    moment = draw(st.datetimes(_FIRST, timezones=_ZONES))
    evidence = draw(st.dictionaries(_TEXT, _FACTS, max_size=3))
    document = {
        "event_id": draw(_ID), "realm_id": draw(_ID), "user_id": draw(_ID), "action_type": draw(_ID),
        "base_points": draw(_POINTS), "created_at": moment.isoformat(),
        "evidence": {key: value for key, value in evidence.items() if not isinstance(value, int) or abs(value) < 2**53},
    }  # fmt: skip
    names = st.sampled_from(["story_id", "chapter_id", "faction_id", "device_id", "session_id", "target_id", "note"])
    return ImpactCandidate.model_validate({**document, **draw(st.dictionaries(names, _ID))})


@given(_acts())
def test_an_act_is_kept_in_the_canonical_form_of_what_the_contract_writes(act: ImpactCandidate) -> None:
    assert canonical_act(act) == canonical_json(act.model_dump(mode="json", exclude_none=True))


@given(_acts())
def test_an_act_that_was_kept_is_read_again_as_it_came(act: ImpactCandidate) -> None:
    kept = canonical_act(act)
    recent = recent_from(kept)
    assert recent.act() == ImpactCandidate.model_validate(orjson.loads(kept)) == act
    assert recent.created_at == act.created_at
    assert recent.moment == epoch_ms(act.created_at)
