"""Follow a realm's live feed over SSE, through restarts and lost connections: python examples/feed_client.py REALM [--once N]

COUNCIL_URL names the server (http://127.0.0.1:8080), COUNCIL_USER_TOKEN a user's token for personal events; without it only what
everybody may see comes. `council token mint player` makes a token for development.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import orjson

URL = os.environ.get("COUNCIL_URL", "http://127.0.0.1:8080")
SILENCE_S = 45.0
"""Three missed signs of life: the connection is dead, whatever the socket says."""
MAX_WAIT_S = 30.0


def follow(realm_id: str) -> Iterator[dict[str, Any]]:
    """Yield events and notices for ever; each event comes once and in order.

    Raises:
        SystemExit: where the server will never serve this: no such realm, or a token that is not good.
    """
    last_id, wait_s = "", 1.0
    while True:
        try:
            for seen_id, document in _connection(realm_id, last_id):
                last_id, wait_s = seen_id, 1.0
                if document is not None:
                    yield document
        except httpx.TransportError as error:
            print(f"connection to {URL} lost ({error!r}); again in {wait_s:.0f} s", file=sys.stderr)
        time.sleep(wait_s)
        wait_s = min(2 * wait_s, MAX_WAIT_S)


def _connection(realm_id: str, last_id: str) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield the id to go on from, and the document where there is one."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    if token := os.environ.get("COUNCIL_USER_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    timeout = httpx.Timeout(10, read=SILENCE_S)
    with httpx.stream("GET", f"{URL}/api/world/{realm_id}/stream", headers=headers, timeout=timeout) as response:
        if response.status_code == 503:
            return
        if response.status_code != 200:
            raise SystemExit(f"{response.url} answered {response.status_code}: {response.read().decode()}")
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                last_id = value
                yield last_id, None
            elif name == "data":
                yield last_id, orjson.loads(value)


def main() -> None:
    """Print what happens."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("realm", metavar="REALM")
    parser.add_argument("--once", type=int, metavar="N", help="end after so many events and notices")
    arguments = parser.parse_args()
    for number, document in enumerate(follow(arguments.realm), 1):
        if document["kind"] == "stale":
            print(f"missed too much: read {URL}{document['summary']}, then go on from {document['sequence']}")
        else:
            told = document.get("payload", {key: document[key] for key in document if key in ("reason", "sequence")})
            print(f"{document['kind']:20} {orjson.dumps(told).decode()[:120]}", flush=True)
        if number == arguments.once:
            return


if __name__ == "__main__":
    main()
