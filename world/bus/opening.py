"""From the bus's URL to the bus. Each adapter is imported when it is chosen: nobody waits for another one's driver."""

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from world.bus.port import Bus, BusConfigError, Terms

if TYPE_CHECKING:
    from world.bus.database import DatabaseBus
    from world.bus.memory import MemoryBus

VARIABLE: Final = "COUNCIL_BUS_URL"
FORMS: Final = "database, redis://[:PASSWORD@]HOST[:PORT][/NUMBER], nats://HOST[:PORT] or kafka://HOST:PORT[,HOST:PORT]"
EXTRAS: Final = {"redis": "redis", "rediss": "redis", "unix": "redis", "nats": "nats", "tls": "nats", "kafka": "kafka"}
"""What must be installed beside the product, by scheme."""


def open_bus(url: str | None, database_url: str, terms: Terms | None = None) -> Bus:
    """Open the bus that a URL names; it is connected to at the first use.

    Args:
        url: None or "database" for the database's own.
        database_url: of the world's database, whose schema is current: the default bus, and the dead letters of brokers.

    Raises:
        BusConfigError: for a URL that cannot be used, which is not repeated: it may hold a password.
    """
    if url in (None, "", "database"):
        return _of_database(database_url, terms)
    scheme, _, rest = (url or "").partition("://")
    extra = EXTRAS.get(scheme)
    if extra is None or not rest:
        raise BusConfigError(f"{VARIABLE} cannot be used: {_fault(scheme, rest)}; accepted: {FORMS}")
    try:
        return _of_server(extra, url or "", rest, database_url, terms)
    except ImportError as error:
        raise BusConfigError(
            f"{VARIABLE} names a {scheme} bus, whose client is not installed: pip install 'world-council[{extra}]'"
        ) from error
    except ValueError as error:
        raise BusConfigError(f"{VARIABLE} cannot be used: {scheme} takes another form; accepted: {FORMS}") from error


def _of_database(database_url: str, terms: Terms | None) -> "MemoryBus | DatabaseBus":
    scheme, _, rest = database_url.partition("://")
    if scheme == "memory":
        from world.bus.memory import MemoryBus  # noqa: PLC0415

        return MemoryBus(terms)
    from world.bus.database import DatabaseBus  # noqa: PLC0415

    if scheme.startswith("sqlite"):
        return DatabaseBus(f"sqlite+aiosqlite:///{unquote(rest.partition('?')[0])[1:]}", terms)
    return DatabaseBus(f"postgresql+asyncpg://{rest}", terms)


def _of_server(extra: str, url: str, rest: str, database_url: str, terms: Terms | None) -> Bus:
    if extra == "redis":
        from world.bus.redis_streams import RedisBus  # noqa: PLC0415

        return RedisBus(url, terms)
    if extra == "nats":
        from world.bus.nats import nats_bus  # noqa: PLC0415

        return nats_bus(url, _of_database(database_url, terms), terms)
    from world.bus.kafka import kafka_bus  # noqa: PLC0415

    return kafka_bus(rest, _of_database(database_url, terms), terms)


def _fault(scheme: str, rest: str) -> str:
    if scheme in EXTRAS and not rest:
        return f"nothing stands behind {scheme}://"
    return f"the scheme {scheme[:20]!r} is not known"
