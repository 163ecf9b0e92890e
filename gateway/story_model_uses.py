"""Which models write and read stories, from the settings: at the endpoints and prices of the live policy."""

from typing import Final

from gateway.settings import PREFIX, Settings
from policies.model_choice import read_one, with_one
from policies.models import ModelUse
from policies.models_document import model_use
from policies.policy import Policy
from story.writing.port import Role

MAX_OUTPUT_TOKENS: Final = {"story_writer": 8_192, "story_critic": 1_024}
"""A chapter of 1,200 Vietnamese syllables takes some 4,000 tokens under an English tokenizer."""


def story_uses(settings: Settings, policy: Policy) -> dict[Role, ModelUse]:
    """Return the models of the writer and the critic; empty where the grammar writes alone.

    Raises:
        InvalidPolicyError: where a setting names an endpoint that the policy does not know, and no URL.
    """
    named: dict[Role, tuple[str, str | None]] = {
        "story_writer": (f"{PREFIX}STORY_MODEL", settings.story_model),
        "story_critic": (f"{PREFIX}STORY_CRITIC", settings.story_critic),
    }
    found = {role: _use(role, *each, settings.story_timeout_s, policy) for role, each in named.items()}
    return {role: use for role, use in found.items() if use is not None}


def _use(role: Role, variable: str, text: str | None, timeout_s: float, policy: Policy) -> ModelUse | None:
    choice = read_one(text or "", variable)
    if choice is None:
        return None
    member = {
        "judge": "model",
        "model": choice.model,
        "temperature": None,
        "timeout_s": str(timeout_s),
        "max_output_tokens": MAX_OUTPUT_TOKENS[role],
        "reads_player_text": False,
    }
    return model_use(member, with_one(policy.document, choice, variable)["models"], policy.models.prices)
