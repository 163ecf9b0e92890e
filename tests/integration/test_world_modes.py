"""A realm's mode decides whether the council's verdict acts, and the world applies what was answered (S0-103 to S0-107)."""

from dataclasses import replace

import pytest

from council.graph import build_graph
from council.ledger.memory import MemoryLedger
from council.service import CouncilService
from gateway.decision_book import LedgerBook
from gateway.in_process import InProcessReviewClient
from policies.loading import default_policy_path, load_policy
from policies.policy import RealmPolicy
from policies.verdicts import RealmMode
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm
from world.persistence.memory import MemoryStore
from world.realm.sovereign import Proposal
from world.realm.state import Treasury
from world.service.audit import audit
from world.service.realms import first_snapshot
from world.service.verdicts import Verdicts

POLICY = load_policy(default_policy_path())


@pytest.mark.parametrize(
    ("mode", "happens", "tags"),
    [
        ("off", True, {"council_off"}),
        ("log_only", True, {"advisory:reject"}),
        ("review_only", True, {"review_only", "advisory:reject"}),
        ("enforce", False, set()),
    ],
)
async def test_what_breaks_canon_is_stopped_where_the_council_is_enforced_and_recorded_in_every_mode(
    mode: RealmMode, happens: bool, tags: set[str]
) -> None:
    policy = replace(POLICY, realms={"*": RealmPolicy(mode, 60)})
    ledger = MemoryLedger()
    service = CouncilService(ledger=ledger, current_policy=lambda: policy, graph=build_graph(lambda: policy))
    living = LivingRealm(MemoryStore())
    realm = replace(WORLD.new_realm(REALM), treasuries={"empire": Treasury(5_000_000)})
    await living.store.create(first_snapshot(realm, living.now))
    await living.sovereignty.propose(REALM, Proposal("a-1", "call_of_vorn", "empire", "kaen"))
    await living.ticks(9)
    verdicts = Verdicts(living.store, living.realms, WORLD.rules, InProcessReviewClient(service), lambda: living.now)
    assert await verdicts.settle(REALM) == 1
    now = await living.realms.current(REALM)
    assert (now.facts[("general-vorn", "status")] == "manifested") is happens
    assert (now.treasuries["empire"].points == 5_000_000) is not happens
    question = (await living.store.questions(REALM))[0]
    assert question.decision_id is not None
    recorded = await ledger.get(question.decision_id)
    assert recorded is not None
    assert all(tag.encode() in recorded.answer for tag in tags)
    assert (await audit(living.store, REALM, LedgerBook(ledger))).findings == ()
