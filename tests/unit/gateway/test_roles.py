"""What each role may do, written out once more by hand: a change of the table has to be meant."""

from pathlib import Path

import pytest

from gateway.roles import INTERNAL_CALLS, ROLES, Permission, Role, internal_permission, permissions_of

ALLOWED = {
    Role.PLAYER: {"read_own"},
    Role.SIM: {
        "read_hidden",
        "read_decisions",
        "submit_influence",
        "ask_council",
        "declare_action",
        "run_tick",
        "apply_decision",
        "tell_story",
    },
    Role.DESIGNER: {"read_own", "read_hidden", "read_decisions"},
    Role.GAME_MASTER: {
        "read_own",
        "read_hidden",
        "read_decisions",
        "ask_council",
        "declare_action",
        "apply_decision",
        "rule_on_acts",
    },
    Role.ADMIN: {permission.value for permission in Permission},
}


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_the_table_says_and_nothing_else(role: Role) -> None:
    assert {permission.value for permission in ROLES[role]} == ALLOWED[role]


def test_roles_add_up_and_no_role_may_do_nothing() -> None:
    assert permissions_of([]) == frozenset()
    assert permissions_of([Role.PLAYER, Role.SIM]) == ROLES[Role.PLAYER] | ROLES[Role.SIM]


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", "/internal/council/review", Permission.ASK_COUNCIL),
        ("GET", "/internal/council/decisions", Permission.READ_DECISIONS),
        ("HEAD", "/internal/council/decisions/d-1", Permission.READ_DECISIONS),
        ("POST", "/internal/influence/submit", Permission.SUBMIT_INFLUENCE),
        ("POST", "/internal/world/tick/run", Permission.RUN_TICK),
        ("POST", "/internal/world/apply-decision", Permission.APPLY_DECISION),
        ("POST", "/internal/world/queue/rulings", Permission.RULE_ON_ACTS),
        ("POST", "/internal/world/sovereign", Permission.DECLARE_ACTION),
        ("POST", "/internal/world/sovereign/a-1/objections", Permission.DECLARE_ACTION),
        ("GET", "/internal/world/queue", Permission.READ_HIDDEN),
        ("POST", "/internal/story/plan", Permission.TELL_STORY),
        ("POST", "/internal/story/s-1/chapters/1/close", Permission.TELL_STORY),
    ],
)
def test_an_internal_call_takes_its_permission(method: str, path: str, permission: Permission) -> None:
    assert internal_permission(method, path) is permission


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/internal/council/decisions"),
        ("DELETE", "/internal/council/decisions/d-1"),
        ("GET", "/internal/council/review"),
        ("GET", "/internal/council/decisionsx"),
        ("POST", "/internal/world/ticks"),
        ("POST", "/internal/world"),
        ("GET", "/internal/"),
        ("get", "/internal/world"),
    ],
)
def test_a_call_that_no_row_names_is_the_admins(method: str, path: str) -> None:
    assert internal_permission(method, path) is Permission.ADMINISTER


def test_no_permission_is_a_promise_that_no_call_asks_for() -> None:
    """A permission that nothing checks would tell operators of a guard that is not there; ADMINISTER is what is left over."""
    folder = Path(__file__).parents[3] / "gateway"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.py") if path.name != "roles.py"]
    asked = {call.permission for call in INTERNAL_CALLS} | {
        each for each in Permission if any(f"Permission.{each.name}" in text for text in texts)
    }
    assert set(Permission) - asked == {Permission.ADMINISTER}


def test_no_row_hides_another() -> None:
    for at, call in enumerate(INTERNAL_CALLS):
        assert internal_permission(call.method, call.prefix) is call.permission, at


def test_the_table_of_the_documentation_is_the_one_of_the_code() -> None:
    text = (Path(__file__).parents[3] / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith(("| may |", "| `"))]
    head = next(row for row in rows if row[0].strip() == "may")
    named = [row for row in rows if row[0].strip(" `").split("`")[0] in {permission.value for permission in Permission}]
    told = {
        role: {row[0].strip(" `").split("`")[0] for row in named if row[column].strip() == "✓"}
        for column, role in enumerate((cell.strip() for cell in head), start=0)
        if column
    }
    assert told == {role.value: allowed for role, allowed in ALLOWED.items()}
