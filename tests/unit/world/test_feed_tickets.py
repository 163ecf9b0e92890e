"""One-time tickets of one process."""

from world.feed.frames import Audience
from world.feed.tickets import MAX_WAITING, TTL_S, LocalTickets, Ticket

TICKET = Ticket("realm-1", Audience("ana"))


class Turned:
    """A clock that tests turn."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_ticket_opens_once() -> None:
    tickets = LocalTickets(Turned())
    await tickets.give("secret", TICKET)

    assert [await tickets.take("secret"), await tickets.take("secret")] == [TICKET, None]
    assert await tickets.take("another") is None


async def test_a_ticket_waits_thirty_seconds_and_no_longer() -> None:
    clock = Turned()
    tickets = LocalTickets(clock)
    await tickets.give("early", TICKET)
    await tickets.give("late", TICKET)

    clock.now += TTL_S - 0.001
    assert await tickets.take("early") == TICKET
    clock.now += 0.001
    assert await tickets.take("late") is None


async def test_tickets_that_nobody_used_make_room() -> None:
    clock = Turned()
    tickets = LocalTickets(clock)
    for number in range(MAX_WAITING):
        await tickets.give(str(number), TICKET)

    assert not await tickets.give("one too many", TICKET)
    clock.now += TTL_S
    assert await tickets.give("after them", TICKET)
