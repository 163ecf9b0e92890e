"""The ladder of structured output: which form an endpoint understands, found out once and remembered for the process.

    json_schema -> function_calling -> prompt

Under `structured: auto` a model starts on the first rung, and steps down where its endpoint refuses the form itself. So one
question may cost up to two calls beyond 1 + retries, and only while the form is being found out (reliability.md, I10): the
first reviews after a start, and members who ask at the same moment each find out for themselves rather than wait. Name the
form in the policy, and no call is ever spent on it.
"""

from typing import Final, get_args

from agents.models.calls import Form
from policies.models import ModelUse

RUNGS: Final[tuple[Form, ...]] = get_args(Form)


class Forms:
    """What the models of one endpoint understand."""

    def __init__(self) -> None:
        self._rungs: dict[str, int] = {}

    def of(self, use: ModelUse) -> Form:
        """Return the form that a model is asked for now."""
        structured = use.endpoint.structured
        return RUNGS[self._rungs.get(use.model, 0)] if structured == "auto" else structured

    def step_down(self, use: ModelUse, refused: Form) -> bool:
        """Remember that a form was refused; return whether there is another one to try."""
        rung = RUNGS.index(refused) + 1
        if use.endpoint.structured != "auto" or rung == len(RUNGS):
            return False
        self._rungs[use.model] = max(rung, self._rungs.get(use.model, 0))
        return True
