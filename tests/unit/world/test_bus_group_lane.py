"""What a group knows of a lane, as a value, and as it is written beside a stream and beside a Kafka offset."""

from hypothesis import given
from hypothesis import strategies as st

from world.bus.brokered import escaped, headers_of, message_from, only_from
from world.bus.courier import NOBODY, Delivery
from world.bus.group_lane import GroupLane, Handed, read, written
from world.bus.kafka_lanes import LONGEST, metadata_of, state_of
from world.bus.port import Message, Terms

TEXTS = st.text(st.characters(codec=None), max_size=20)
HANDED = st.builds(Handed, st.integers(0, 9), st.integers(0, 2_000_000_000_000))
STATES = st.builds(
    lambda waiting, more: GroupLane(max(waiting, default=0) + more, waiting),
    st.dictionaries(st.integers(1, 5_000), HANDED, max_size=60),
    st.integers(0, 9),
)


@given(STATES, st.none() | st.text(max_size=9), st.integers(0, 2**50))
def test_a_state_is_read_as_it_was_written(state: GroupLane, holder: str | None, until: int) -> None:
    whole = state._replace(holder=holder, until=until)
    assert read(written(whole)) == whole


@given(STATES)
def test_kafkas_offset_and_metadata_say_what_waits_and_how_often_it_was_tried(state: GroupLane) -> None:
    found = state_of(state.settled_to, metadata_of(state), 7)
    assert found.position == state.position
    assert found.waiting == {place: Handed(tries, 7) for place, (tries, _) in state.waiting.items()}


def test_metadata_of_another_program_says_nothing() -> None:
    for metadata in (None, "", "[9]", "moved by hand"):
        assert state_of(4, metadata, 7) == GroupLane(4)


def test_metadata_stay_within_what_kafkas_brokers_take() -> None:
    # The longest that may still get a batch, and then the worst that can become of that batch: every second message failed.
    far, waiting = 10**12, dict[int, Handed]()
    while len(metadata_of(GroupLane(far, waiting))) <= LONGEST:
        waiting[far - 2 * len(waiting)] = Handed(1, 0)
    batch = {far + 2 * place: Handed(1, 0) for place in range(Terms().batch // 2)}
    assert len(metadata_of(GroupLane(far + 100, {**waiting, **batch}))) <= 4_096


def test_a_lane_has_one_holder_until_its_lease_ends() -> None:
    held = GroupLane().held("one", 1_000, 2_000)
    assert held is not None
    assert held.held("other", 1_999, 9_000) is None
    assert held.held("one", 1_999, 9_000) == held._replace(until=9_000)
    assert held.held("other", 2_000, 9_000) == held._replace(holder="other", until=9_000)
    assert held.left("other") is None
    assert held.left("one") == held._replace(holder=None)


def test_a_try_is_counted_once_and_taken_back_only_where_nobody_has_counted_another() -> None:
    state = GroupLane().handed_out([3, 5], 1_000)
    five = Delivery("5", NOBODY, 1)
    again = state.again(five, 2_000)
    assert again is not None
    assert again.waiting == {3: Handed(1, 1_000), 5: Handed(2, 2_000)}
    assert again.again(five, 3_000) is None, "somebody was faster"
    assert again.settled([], [five]) == again
    assert state.settled([], [five]).waiting[5] == Handed(0, 1_000)
    assert state.settled([Delivery("3", NOBODY, 1)]).settled_to == 4
    assert state.settled([Delivery("3", NOBODY, 1), five]).settled_to == 5


@given(TEXTS, TEXTS, TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.binary())
def test_a_message_crosses_headers_that_hold_ascii_alone(
    message_id: str, topic: str, key: str, correlation_id: str | None, only: str | None, payload: bytes
) -> None:
    sent = Message(message_id, topic, key, payload, correlation_id, key)
    headers = headers_of(sent, only)
    assert all(text.isascii() and text.isprintable() and text == text.strip() for text in headers.values())
    assert message_from(headers, payload) == sent
    assert only_from(headers) == only


def test_a_groups_name_is_one_token_of_a_subject() -> None:
    assert not set(" .*>\t") & set(escaped("a.b *>\t", "").replace(".", "%2E"))
