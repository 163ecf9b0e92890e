"""Programs that a fault test starts as processes of their own, to kill, starve or race them.

python -m tests.faults.ledger_programs append URL FIRST COUNT PRODUCERS
python -m tests.faults.ledger_programs fill URL LIMIT_BYTES
"""

import asyncio
import resource
import signal
import sys
from collections.abc import Iterator

from council.ledger.opening import open_ledger
from council.ledger.port import KeyTakenError, Ledger, LedgerUnavailableError
from tests.contract.ledger_samples import POLICY, POLICY_HASH, sample


async def append(url: str, first: int, count: int, producers: int) -> None:
    """Append records by several producers; write each id to standard output once its append is answered.

    An id is followed by "taken" where another process had recorded it before.
    """
    ledger = open_ledger(url)
    await ledger.put_policy(POLICY_HASH, POLICY)
    numbers = iter(range(first, first + count))
    await asyncio.gather(*[_produce(ledger, numbers) for _ in range(producers)])
    await ledger.close()


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


def _tell(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "append":
        asyncio.run(append(sys.argv[2], *map(int, sys.argv[3:6])))
    else:
        asyncio.run(fill(sys.argv[2], int(sys.argv[3])))
