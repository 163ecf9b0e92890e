"""Programs that a fault test starts as processes of their own, to kill, starve or race them.

python -m tests.faults.ledger_programs append URL FIRST COUNT PRODUCERS
python -m tests.faults.ledger_programs decide URL FIRST COUNT PRODUCERS
python -m tests.faults.ledger_programs resume URL
python -m tests.faults.ledger_programs fill URL LIMIT_BYTES
"""

import asyncio
import resource
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Final

from council.ledger.opening import open_ledger
from council.ledger.port import KeyTakenError, Ledger, LedgerUnavailableError, NewRecord
from tests.contract.journal_samples import open_sample, spend_sample
from tests.contract.ledger_samples import POLICY, POLICY_HASH, sample

COUNCIL: Final = "council"
"""The path of the decisions that ask models."""


async def append(url: str, first: int, count: int, producers: int) -> None:
    """Append records by several producers; write each id to standard output once its append is answered.

    An id is followed by "taken" where another process had recorded it before.
    """
    ledger = open_ledger(url)
    await ledger.put_policy(POLICY_HASH, POLICY)
    numbers = iter(range(first, first + count))
    await asyncio.gather(*[_produce(ledger, numbers) for _ in range(producers)])
    await ledger.close()


async def decide(url: str, first: int, count: int, producers: int) -> None:
    """Decide as a council does: even numbers ask models, and go through the journal; the others are recorded at once.

    Writes what was answered, after it was: "opened ID", "replied ID SLOT", then "recorded ID" or "taken ID".
    """
    ledger = open_ledger(url)
    await ledger.put_policy(POLICY_HASH, POLICY)
    numbers = iter(range(first, first + count))
    await asyncio.gather(*[_decide_all(ledger, numbers) for _ in range(producers)])
    await ledger.close()


async def resume(url: str) -> None:
    """Claim what other processes left, and decide it; writes "claimed ID" and "recorded ID" or "taken ID"."""
    ledger = open_ledger(url)
    while orphans := await ledger.claim_orphans("9998", "9999", 5):
        for orphan in orphans:
            _tell(f"claimed {orphan.decision_id}\n")
            await _record(ledger, asked_sample(int(orphan.request_key.removeprefix("key-"))))
    await ledger.close()


def asked_sample(number: int) -> NewRecord:
    """Return the record of a decision that asked models."""
    return sample(number, path=COUNCIL, was_opened=True, spend=(spend_sample("lore"), spend_sample("risk")))


async def fill(url: str, limit: int) -> None:
    """Append until no file may grow any more, then let them grow again and append once more.

    Prints how many were answered, how many were refused, and how many were answered afterwards.
    """
    ledger = open_ledger(url)
    await ledger.put_policy(POLICY_HASH, POLICY)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    outcomes = await _until_refused(ledger)
    found = await ledger.find_by_key("key-0")
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    after = await asyncio.gather(*[ledger.append(sample(number)) for number in range(10**6, 10**6 + 50)])
    await ledger.close()
    print(sum(outcomes), len(outcomes) - sum(outcomes), len(after), found is not None)  # noqa: T201 - the answer


async def _produce(ledger: Ledger, numbers: Iterator[int]) -> None:
    for number in numbers:
        new = sample(number)
        try:
            await ledger.append(new)
        except KeyTakenError:
            _tell(f"{new.decision_id} taken\n")
        else:
            _tell(f"{new.decision_id}\n")


async def _until_refused(ledger: Ledger) -> list[bool]:
    outcomes: list[bool] = []
    number = 0
    while all(outcomes) and number < 100_000:
        news = [sample(number + offset) for offset in range(64)]
        results = await asyncio.gather(*[ledger.append(new) for new in news], return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, LedgerUnavailableError):
                raise result
        outcomes += [not isinstance(result, BaseException) for result in results]
        number += len(news)
    return outcomes


async def _decide_all(ledger: Ledger, numbers: Iterator[int]) -> None:
    for number in numbers:
        if number % 2:
            await _record(ledger, sample(number))
            continue
        decision_id = (await ledger.open_review(open_sample(number))).decision_id
        _tell(f"opened {decision_id}\n")
        await asyncio.gather(*[_reply(ledger, decision_id, slot) for slot in ("lore/1/full", "risk/1/full")])
        await _record(ledger, asked_sample(number))


async def _reply(ledger: Ledger, decision_id: str, slot: str) -> None:
    await ledger.journal_reply(decision_id, slot, slot.encode())
    _tell(f"replied {decision_id} {slot}\n")


async def _record(ledger: Ledger, new: NewRecord) -> None:
    try:
        await ledger.append(new)
    except KeyTakenError:
        _tell(f"taken {new.decision_id}\n")
    else:
        _tell(f"recorded {new.decision_id}\n")


def _tell(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    programs: dict[str, Callable[..., Coroutine[None, None, None]]]
    programs = {"append": append, "decide": decide, "resume": resume, "fill": fill}
    asyncio.run(programs[sys.argv[1]](sys.argv[2], *map(int, sys.argv[3:])))
