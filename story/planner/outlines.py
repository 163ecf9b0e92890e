"""Outlines: one sentence in English per beat, for people and models who read a plan; prose has texts of its own."""

import re
from collections.abc import Mapping
from typing import Final

from story.tale.tale import CastMember

OUTLINES: Final[Mapping[str, str]] = {
    "clue_found": "The hero finds {thing} in {place}; it bears on {question}.",
    "witness_speaks": "{npc}, the {role}, tells what they saw of {question}.",
    "witness_refuses": "{npc}, the {role}, knows something of {question} and will not say it.",
    "promise_made": "The hero gives {npc}, the {role}, a word: {promise}.",
    "promise_kept": "The hero keeps the word given to {npc}, the {role}: {promise}.",
    "promise_broken": "The hero must own to {npc}, the {role}, that a word is broken: {promise}.",
    "old_wound": "An old wound, {wound}, comes back to the hero and touches {question}.",
    "want_and_need": "The hero must choose between {want} and {need}, with {stake} to lose.",
    "followed": "Somebody follows the hero through {place}, because of {question}.",
    "accusation": "The hero accuses {npc}, the {role}, over {question}; {stake} hangs on it.",
    "answer_found": "With {thing} in hand the hero learns {question}; {stake} is settled.",
    "question_opens": "{thing} raises a new question: {question}.",
    "stranger_met": "The hero meets {npc}, the {role}, who asks about {question}.",
    "ally_helps": "{npc}, the {role}, helps the hero with {question}.",
    "loss_suffered": "The hero loses {thing}, and with it some hope for {stake}.",
    "shared_meal": "The hero eats with {npc}, the {role}; they speak around {question}.",
    "letter_arrives": "A messenger brings {thing}; it concerns {question}.",
    "crossing": "The hero leaves {place} for {destination}, after {question}.",
    "bargain_offered": "{npc}, the {role}, offers to sell what they know of {question}; the hero weighs it against {stake}.",
    "place_searched": "The hero searches a place in {place} for traces of {question}.",
    "night_watch": "The hero and {npc}, the {role}, keep watch through a night and leave {question} alone.",
    "honest_work": "The hero does a day's work in {place} and is alone with {question}.",
    "banner_raised": "Over a ruin in {territory} the hero's company raises its banner, for {question}; {stake} hangs on it.",
    "oath_sworn": "Before {npc}, the {role}, the hero swears an oath in the name of {faction}, over {question}.",
    "veil_rite": "In {place} the hero holds a rite against {trigger}, and it touches {question}.",
    "quiet_hour": "A quiet hour in {place}; the hero thinks of {question}.",
    "laid_aside": "The hero lays {question} aside for now.",
    "control_changed": "In {place} it shows that {territory} is now held by {controller} and no longer by {former}.",
    "territory_contested": "In {place} it shows that {rival} wants {territory}, which {controller} holds.",
    "ranking_told": "In {place} people feel that {faction} {direction}.",
    "trigger_felt": "In {place} the hero feels {trigger}.",
    "campaign_heard": "In {place} people whisper of what {faction} prepares: {campaign}.",
    "deeds_told": "In {place} people tell what the hero did for {faction} in {territory}.",
    "verdict_approved": "Word comes to {place}: what {faction} asked for {subject} was granted.",
    "verdict_modified": "Word comes to {place}: what {faction} asked for {subject} was granted under a condition: {condition}",
    "verdict_rejected": "Word comes to {place}: what {faction} asked for {subject} was refused, because of {reason}.",
    "watcher_sign": "A sign that somebody watches: {sign}.",
    "patrol_met": "Soldiers of the Empire stand in the hero's way in {place}, in the manner of {style}.",
    "unit_near": "{unit} stands in the hero's way in {place}.",
    "unit_behind": "{unit} waits behind the one who speaks.",
    "tower_shifts": "The Tower is not as it was: {sign}.",
    "echo_speaks": "A voice of somebody who went before speaks to the hero: {echo}.",
    "experiment_asks": "Something that was once a soldier asks the hero a question: {sign}.",
    "anomaly_seen": "Something happens that nobody explains: {sign}.",
}
"""By storylet; the holes are its slots."""
_PLAIN: Final = "The story goes on in {place}."
_HOLE: Final = re.compile(r"\{(\w+)\}")
_NUMBERS: Final = re.compile(r"[0-9]")
_SPLIT: Final = re.compile(r"[-_]+")


def description(storylet: str, slots: Mapping[str, str], cast: Mapping[str, CastMember]) -> str:
    """Return what happens in a beat, in a sentence.

    A condition that holds digits is told without its words: it stands whole in the beat's slots.
    """
    conditions = [value for name, value in slots.items() if name.startswith("condition")]
    values = {**slots, "condition": " ".join(conditions)} if conditions else slots

    def word(hole: re.Match[str]) -> str:
        name = hole[1]
        value = values.get(name, name)
        if name == "condition":
            return value if not _NUMBERS.search(value) else "see the conditions of this beat."
        return cast[value].name if value in cast else in_words(value)

    text = _HOLE.sub(word, OUTLINES.get(storylet, _PLAIN))
    return text[:1].upper() + text[1:]


def in_words(name: str) -> str:
    """Return an id as words.

    >>> in_words("who-burned-the-archive")
    'who burned the archive'
    """
    return _SPLIT.sub(" ", name)
