"""Who a story may be about: names that prose can carry, that canon does not keep, that nobody else has (S4-67, domain.md C8)."""

import unicodedata

import pytest

from policies.faults import InvalidInputError
from story.planner.plan import Plan
from story.service.beginning import begin
from tests.unit.story.told_stories import LIBRARY, TellingRealm, hero, plan_of
from tests.unit.world.living_realm import REALM, WORLD

REALM_NOW = WORLD.new_realm(REALM)


@pytest.mark.parametrize("name", ["Vorn", "General Vorn", "azen", "The Tower", "Archon Linh"])
def test_a_name_that_canon_keeps_is_refused_with_what_canon_says(name: str) -> None:
    """Every chapter about a hero called Vorn would break the lock of General Vorn, who is never seen in the flesh."""
    with pytest.raises(InvalidInputError) as refused:
        begin(hero(name=name), "s", "ana", seed=1, pools=LIBRARY.pools, realm=REALM_NOW, locks=WORLD.locks)
    (fault,) = refused.value.faults
    assert (fault.path, fault.fix) == ("/hero_name", "give the hero another name")
    assert fault.message.startswith("is a name that canon keeps: ")


@pytest.mark.parametrize("name", ["Azenor", "Vornella", "Towerwright", "Linh", "Nguyễn Thị Hương", "María José"])
def test_a_name_that_only_sounds_like_one_is_free(name: str) -> None:
    tale = begin(hero(name=name), "s", "ana", seed=1, pools=LIBRARY.pools, realm=REALM_NOW, locks=WORLD.locks)
    assert tale.hero_name == name


@pytest.mark.parametrize("name", [unicodedata.normalize("NFD", "Đặng Ánh"), "  Đặng  Ánh "])
def test_a_name_is_taken_as_it_was_meant(name: str) -> None:
    """A keyboard may send a letter and its marks apart: the marks alone are no letters."""
    assert hero(name=name).name == "Đặng Ánh"


async def test_nobody_in_a_story_is_called_like_its_hero() -> None:
    names = LIBRARY.pools.names[:6]
    for at, name in enumerate(names):
        realm = await TellingRealm().seed()
        first = await realm.plan(f"s-{at}", hero=hero(name=f"{name} Trần"))
        plan: Plan = plan_of(first)
        people = [each.name for each in (await realm.tale(f"s-{at}")).cast.values()]
        assert name not in [*people, *[each.name for each in plan.new_characters]]
    for seed in range(300):
        tale = begin(hero(name=names[0]), "s", "ana", seed=seed, pools=LIBRARY.pools, realm=REALM_NOW)
        assert names[0] not in [each.name for each in tale.cast.values()]
