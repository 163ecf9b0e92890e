"""Laws of what acts are worth and of how meters move (domain.md C1, C4): splitting up gains nothing, nobody decides alone."""

from hypothesis import given
from hypothesis import strategies as st

from policies.numbers import apportion
from world.change import METER_MAX
from world.contribution import saturated
from world.influence.scoring import FULL_TRUST, RISK, STAKES, effective, score, trust_of
from world.realm.meters import MOST_STEP, MeterRule, settled

POINTS = st.dictionaries(st.sampled_from([f"u-{number}" for number in range(30)]), st.integers(1, 500_000), min_size=1)


@given(st.integers(1, 2_000_000), st.integers(2, 20))
def test_splitting_up_over_linked_accounts_gains_nothing(points: int, accounts: int) -> None:
    """Clusters come before saturation, so that whoever splits up counts as the one that they are."""
    others = {f"o-{number}": 50_000 for number in range(40)}
    alone = effective({**others, "whale": points}, {})
    parts = {f"whale-{number}": points // accounts + (number < points % accounts) for number in range(accounts)}
    parts = {user: part for user, part in parts.items() if part}
    split = effective({**others, **parts}, dict.fromkeys(parts, "whale-0"))
    mine = sum(split.by_user[user] for user in parts)
    # An account is capped below its cluster: at most the same, and at most one milli-point of rounding per account more.
    whole = 120_000 * points // (points + 120_000)
    assert mine <= max(
        alone.by_user["whale"], _cluster_cap(sum(_saturated(each) for each in (*others.values(), points)), 41)
    )
    assert mine <= whole + accounts


@given(
    POINTS, st.dictionaries(st.sampled_from([f"u-{number}" for number in range(30)]), st.sampled_from(["u-0", "u-7"]))
)
def test_no_account_and_no_cluster_counts_above_its_cap(points: dict[str, int], cluster_of: dict[str, str]) -> None:
    """A cluster at most max(8 %, 2/n), an account at most max(5 %, 1.5/n) of the total before the caps."""
    found = effective(points, cluster_of)
    clusters: dict[str, int] = {}
    for user, counted in found.by_user.items():
        root = cluster_of.get(user, user)
        clusters[root] = clusters.get(root, 0) + counted
    total, n = found.total + found.dropped, len(clusters)
    assert all(counted <= _cluster_cap(total, n) for counted in clusters.values())
    assert all(counted <= max(50 * total // 1_000, 3 * total // (2 * n)) for counted in found.by_user.values())
    assert all(0 <= counted <= points[user] for user, counted in found.by_user.items())


@given(POINTS)
def test_the_order_in_which_accounts_are_listed_says_nothing(points: dict[str, int]) -> None:
    assert effective(dict(reversed(points.items())), {}) == effective(points, {})


@given(
    st.one_of(
        POINTS,
        # Of so many that the cap of an account is above all that saturation leaves: 5 % of 41 * 60 points and more.
        st.dictionaries(st.text("uvw", min_size=4), st.integers(120_000, 10**9), min_size=41, max_size=60),
    )
)
def test_accounts_that_stand_alone_are_saturated_one_by_one_and_capped_against_the_whole(
    points: dict[str, int],
) -> None:
    """The rule as it is written, in order of ids: whatever is left out of it for speed."""
    alone = {user: _saturated(points[user]) for user in sorted(points)}
    total, n = sum(alone.values()), len(points)
    cap = max(50 * total // 1_000, 3 * total // (2 * n))
    found = effective(points, {})
    assert list(found.by_user.items()) == [(user, min(amount, cap)) for user, amount in alone.items()]
    assert found.dropped == total - found.total


@given(st.sampled_from(sorted(RISK)), st.sampled_from(sorted(STAKES)), st.integers(0, 50), st.integers(0, FULL_TRUST))
def test_repeating_oneself_never_pays_more_and_trust_never_pays_less(
    risk: int, stakes: str, repeats: int, trust: int
) -> None:
    once = score(25_000, risk=risk, stakes=stakes, repeats=repeats, trust=trust).normalized
    assert score(25_000, risk=risk, stakes=stakes, repeats=repeats + 1, trust=trust).normalized <= once
    assert (
        score(25_000, risk=risk, stakes=stakes, repeats=repeats, trust=min(FULL_TRUST, trust + 50)).normalized >= once
    )


@given(st.integers(0, 30 * 86_400_000), st.integers(0, 86_400_000))
def test_an_account_is_never_trusted_less_for_being_older(age: int, more: int) -> None:
    assert trust_of(age + more) >= trust_of(age)


@given(st.integers(0, METER_MAX), st.integers(0, METER_MAX), st.integers(0, 1_000), st.integers(-METER_MAX, METER_MAX))
def test_a_meter_stays_on_its_scale_and_moves_two_points_a_tick_at_most(
    level: int, target: int, pull: int, effect: int
) -> None:
    after = settled({"chaos": level}, {"chaos": MeterRule(target, pull)}, {"chaos": effect})["chaos"]
    assert 0 <= after <= METER_MAX
    assert abs(after - level) <= MOST_STEP


def _cluster_cap(total: int, n: int) -> int:
    return max(80 * total // 1_000, 2 * total // n)


def _saturated(points: int) -> int:
    return points * 120_000 // (points + 120_000)


ACCOUNTS = ("ana", "binh", "chi", "dao", "giang", "hoa")


@given(
    st.dictionaries(st.sampled_from(ACCOUNTS), st.integers(1, 10**6)),
    st.sampled_from([{}, {"chi": "binh"}, {"binh": "ana", "hoa": "ana", "giang": "dao"}, {"zoe": "ana", "hoa": "yen"}]),
)
def test_accounts_that_stand_alone_count_as_clusters_of_one(points: dict[str, int], cluster_of: dict[str, str]) -> None:
    """Most accounts do, so they take a short way: against the definition, which makes a cluster of each."""
    clusters: dict[str, dict[str, int]] = {}
    for user, amount in points.items():
        clusters.setdefault(cluster_of.get(user, user), {})[user] = amount
    shared = [apportion(users, saturated(sum(users.values()))) for users in clusters.values()]
    total, n = sum(sum(users.values()) for users in shared), max(1, len(clusters))
    cluster_cap, user_cap = max(80 * total // 1_000, 2 * total // n), max(50 * total // 1_000, 3 * total // (2 * n))
    counted: dict[str, int] = {}
    for users in shared:
        capped = {user: min(amount, user_cap) for user, amount in users.items()}
        counted |= capped if sum(capped.values()) <= cluster_cap else apportion(capped, cluster_cap)
    found = effective(points, cluster_of)
    assert (found.by_user, found.dropped) == (counted, total - sum(counted.values()))
    assert list(found.by_user) == sorted(points)
