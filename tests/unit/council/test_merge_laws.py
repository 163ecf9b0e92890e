"""Laws of the merge, each over at least 10,000 councils (council.md, the merge; S0-56, S0-59, S0-60)."""

from dataclasses import dataclass
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from council.merge import Ballot, FiredRule, Seats, merge
from policies.verdicts import STRICTNESS, VERDICTS, RuleOutcome, Verdict

LAW = settings(max_examples=10_000, deadline=None)
OUTCOMES: tuple[RuleOutcome, ...] = ("modify", "reject", "quarantine")

Member = tuple[Verdict | None, int, bool, Fraction, bool]


@dataclass
class Case:
    """A random council and everything a law may want to vary, all from one drawn seed: one draw keeps 10,000 cheap."""

    council: list[Member]
    quotas: list[Fraction]
    quorum: Fraction
    random: Random

    @property
    def seats(self) -> Seats:
        return seats_of(self.council, self.quotas, self.quorum)

    @property
    def ballots(self) -> list[Ballot]:
        return ballots_of(self.council)

    def fired(self, most: int) -> list[FiredRule]:
        count = self.random.randint(0, most)
        return [FiredRule(f"r{index}", self.random.choice(OUTCOMES)) for index in range(count)]


def case_of(seed: int) -> Case:
    random = Random(seed)
    council: list[Member] = [
        (
            random.choice((*VERDICTS, *VERDICTS, None)),
            random.choice((0, 1, 500, 999, 1000, random.randint(0, 1000))),
            random.random() < 0.3,
            Fraction(random.randint(1, 9), random.randint(1, 4)),
            random.random() < 0.2,
        )
        for _ in range(random.randint(1, 6))
    ]
    quotas = sorted(Fraction(part := random.randint(1, 9), part + random.randint(1, 9)) for _ in range(3))
    return Case(council, quotas, Fraction(random.randint(0, 10), 10), random)


CASE = st.integers(0, 2**63).map(case_of)


def seats_of(council: list[Member], quotas: list[Fraction], quorum: Fraction, scale: int = 1) -> Seats:
    names = [f"m{index}" for index in range(len(council))]
    return Seats(
        weights={name: member[3] * scale for name, member in zip(names, council, strict=True)},
        quotas=dict(zip(VERDICTS[1:], quotas, strict=True)),
        quorum=quorum,
        required=frozenset(name for name, member in zip(names, council, strict=True) if member[4]),
        use_confidence=frozenset(name for name, member in zip(names, council, strict=True) if member[2]),
    )


def ballots_of(council: list[Member]) -> list[Ballot]:
    return [Ballot(f"m{index}", member[0], member[1]) for index, member in enumerate(council)]


def rank(seats: Seats, ballots: list[Ballot], fired: list[FiredRule] | None = None) -> int:
    return STRICTNESS[merge(seats, ballots, fired or []).verdict]


@LAW
@given(CASE)
def test_the_order_of_members_and_votes_is_irrelevant(case: Case) -> None:
    seats, ballots = case.seats, case.ballots
    expected = merge(seats, ballots)
    shuffled, members = list(ballots), list(seats.weights.items())
    case.random.shuffle(shuffled)
    case.random.shuffle(members)
    again = merge(Seats(dict(members), seats.quotas, case.quorum, seats.required, seats.use_confidence), shuffled)
    assert again._replace(terms=()) == expected._replace(terms=())
    assert sorted(again.terms) == sorted(expected.terms)


@LAW
@given(CASE, st.integers(2, 1_000))
def test_scaling_all_weights_changes_nothing(case: Case, scale: int) -> None:
    once = merge(case.seats, case.ballots)
    scaled = merge(seats_of(case.council, case.quotas, case.quorum, scale), case.ballots)
    assert scaled._replace(terms=()) == once._replace(terms=())


@LAW
@given(CASE)
def test_splitting_a_member_into_two_of_half_its_weight_changes_nothing(case: Case) -> None:
    council = case.council
    index = case.random.randrange(len(council))
    verdict, confidence, uses, weight, required = council[index]
    half: Member = (verdict, confidence, uses, weight / 2, required)
    split = [*council[:index], half, *council[index + 1 :], half]
    whole = merge(case.seats, case.ballots)
    halves = merge(seats_of(split, case.quotas, case.quorum), ballots_of(split))
    assert halves._replace(terms=()) == whole._replace(terms=())


@LAW
@given(CASE)
def test_a_stricter_vote_never_makes_the_verdict_milder(case: Case) -> None:
    index, other = case.random.randrange(len(case.council)), case.random.choice(VERDICTS)
    seats, ballots = case.seats, case.ballots
    changed = list(ballots)
    changed[index] = ballots[index]._replace(verdict=other)
    before = ballots[index].verdict
    if before is None:
        return
    first, second = rank(seats, ballots), rank(seats, changed)
    if STRICTNESS[other] >= STRICTNESS[before]:
        assert second >= first
    else:
        assert second <= first


@LAW
@given(CASE)
def test_unanimous_votes_carry_with_full_confidence(case: Case) -> None:
    verdict = case.random.choice(VERDICTS)
    everyone: list[Member] = [(verdict, max(1, member[1]), *member[2:]) for member in case.council]
    merged = merge(seats_of(everyone, case.quotas, Fraction(1)), ballots_of(everyone))
    assert merged.verdict == verdict
    assert merged.confidence == merged.coverage == 1
    assert (merged.decided_by, merged.tags) == ("votes", ())


@LAW
@given(CASE)
def test_silencing_a_member_never_makes_the_verdict_milder(case: Case) -> None:
    index = case.random.randrange(len(case.council))
    seats, ballots = case.seats, case.ballots
    silenced = list(ballots)
    silenced[index] = ballots[index]._replace(verdict=None, abstained="timeout")
    assert rank(seats, silenced) >= rank(seats, ballots)
    assert rank(seats, silenced[:index] + silenced[index + 1 :]) >= rank(seats, ballots)


@LAW
@given(CASE)
def test_no_vote_clears_a_rule(case: Case) -> None:
    fired = case.fired(3)
    merged = merge(case.seats, case.ballots, fired)
    for rule in fired:
        assert STRICTNESS[merged.verdict] >= STRICTNESS[rule.outcome]


@LAW
@given(CASE)
def test_one_more_fired_rule_never_makes_the_verdict_milder(case: Case) -> None:
    seats, ballots, fired = case.seats, case.ballots, case.fired(2)
    more = case.random.choice(OUTCOMES)
    assert rank(seats, ballots, [*fired, FiredRule("more", more)]) >= rank(seats, ballots, fired)


@LAW
@given(CASE)
def test_every_figure_stays_in_its_range_and_shares_never_rise(case: Case) -> None:
    merged = merge(case.seats, case.ballots, case.fired(2))
    shares = list(merged.shares.values())
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= figure <= 1 for figure in (*shares, merged.confidence, merged.coverage))


@LAW
@given(CASE)
def test_the_verdict_is_the_strictest_whose_share_reaches_its_quota(case: Case) -> None:
    """Known answer by a second, slower way: fractions over the definition's own words."""
    council, seats, ballots = case.council, case.seats, case.ballots
    merged = merge(seats, ballots)
    mass = dict.fromkeys(VERDICTS, Fraction(0))
    voted = Fraction(0)
    for ballot, (_, _, uses, weight, _) in zip(ballots, council, strict=True):
        if ballot.verdict is None or (uses and ballot.confidence == 0):
            mass["quarantine"] += weight * 1000
        else:
            voted += weight
            mass[ballot.verdict] += weight * (ballot.confidence if uses else 1000)
    total = sum(mass.values())
    shares = {x: sum(mass[y] for y in VERDICTS[STRICTNESS[x] :]) / total for x in VERDICTS}
    assert merged.shares == shares
    assert merged.coverage == voted / sum(member[3] for member in council)
    if merged.tags:
        assert merged.verdict == "quarantine"
        assert merged.confidence == 0
        return
    carried = [x for x in VERDICTS if x == "approve" or shares[x] >= seats.quotas[x]]
    verdict = carried[-1]
    assert merged.verdict == verdict
    at = (shares[verdict] - seats.quotas.get(verdict, 0)) / (1 - seats.quotas.get(verdict, Fraction(0)))
    stricter = VERDICTS[STRICTNESS[verdict] + 1 :]
    margin = min([at, *((seats.quotas[y] - shares[y]) / seats.quotas[y] for y in stricter)])
    assert merged.confidence == merged.coverage * margin


@LAW
@given(CASE)
def test_exaggerating_gains_a_member_nothing(case: Case) -> None:
    """Single-peaked members cannot pull the verdict nearer to their own by voting otherwise (Moulin 1980)."""
    council, seats, ballots = case.council, case.seats, case.ballots
    index, exaggerated = case.random.randrange(len(council)), case.random.choice(VERDICTS)
    own = ballots[index].verdict
    if own is None or index in [i for i, member in enumerate(council) if member[2] and member[1] == 0]:
        return
    honest = rank(seats, ballots)
    changed = list(ballots)
    changed[index] = ballots[index]._replace(verdict=exaggerated)
    other = rank(seats, changed)
    assert abs(other - STRICTNESS[own]) >= abs(honest - STRICTNESS[own])
