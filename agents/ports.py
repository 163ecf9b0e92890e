"""The members' models as the council sees them, and what they need from outside: a purse, and somebody who watches."""

from typing import Protocol

from agents.asking import Question, Reply


class Judge(Protocol):
    """The members' minds beyond their rules: models, or scripts in tests."""

    async def ask(self, question: Question) -> Reply:
        """Ask one member's model. Whatever it raises, its member has no vote."""
        ...


class Purse(Protocol):
    """Keeps model costs within the policy's budgets."""

    async def reserve(self, question: Question, picodollars: int) -> str | None:
        """Set the most that a call may cost aside before it is made.

        Returns:
            None where it may be spent; else which budget is spent, in a sentence.
        """
        ...

    def settle(self, question: Question, reserved: int, spent: int) -> None:
        """Give a reservation back and book what was really spent, picodollars."""
        ...


class Observer(Protocol):
    """Sees what the models do; must return at once and never raise."""

    def asked(self, question: Question) -> None:
        """See that a member is asked."""
        ...

    def replied(self, question: Question, reply: Reply) -> None:
        """See what came back."""
        ...

    def breaker(self, endpoint: str, state: str) -> None:
        """See a circuit breaker change: closed, open or half_open."""
        ...


class NoPurse:
    """No budget: everything may be spent."""

    async def reserve(self, question: Question, picodollars: int) -> str | None:
        """Let it be spent."""
        return None

    def settle(self, question: Question, reserved: int, spent: int) -> None:
        """Book nothing."""


class NoObserver:
    """Nobody watches."""

    def asked(self, question: Question) -> None:
        """Look away."""

    def replied(self, question: Question, reply: Reply) -> None:
        """Look away."""

    def breaker(self, endpoint: str, state: str) -> None:
        """Look away."""
