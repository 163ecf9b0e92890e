"""Who calls, as endpoints ask for it: FastAPI dependencies that return the caller or end the request with 401 or 403 (RFC 6750).

    user: Annotated[User, Depends(current_user)]                            # any good user token, else 401
    reader: Annotated[User | None, Depends(optional_user)]                  # public reads: None without a token; a bad one is 401
    master: Annotated[User, Depends(require_role(Role.GAME_MASTER))]        # 403 without one of the roles
    editor: Annotated[User, Depends(require(Permission.READ_HIDDEN))]       # 403 where no role allows it
    caller: Annotated[Service, Depends(internal_caller)]                    # of /internal/*: the edge let it in

All of them take WebSockets as well as requests. A token that is for one realm is refused on a path of another one; where the
realm stands in the body, an endpoint calls `check_realm`.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import HTTPConnection

from gateway.body import RequestRefusedError
from gateway.edge import IDENTITIES, SERVICE, USER, authorization
from gateway.identity import Identities, Service, User
from gateway.identity_problems import FORBIDDEN, FOREIGN_REALM, refused
from gateway.identity_tokens import Reason, Refusal
from gateway.roles import Permission, Role

_REALM_NAMES: Final = ("realm", "realm_id")
UserDependency = Callable[[HTTPConnection], Awaitable[User]]


async def current_user(connection: HTTPConnection) -> User:
    """Return the user whose token the request carries.

    Raises:
        RequestRefusedError: 401 without a good token, 403 where it is for another realm than the path's.
    """
    found: User | None = connection.scope.get(USER)
    if found is None:
        found = _identified(connection)
    for name in _REALM_NAMES:
        if name in connection.path_params:
            check_realm(found, connection.path_params[name])
    return found


def _identified(connection: HTTPConnection) -> User:
    identities: Identities = connection.scope[IDENTITIES]
    found = identities.user(authorization(connection.scope, dict(connection.scope["headers"])))
    if isinstance(found, Refusal):
        raise RequestRefusedError(refused(found.reason))
    return found


async def optional_user(connection: HTTPConnection) -> User | None:
    """Return the user whose token the request carries; None where it carries none.

    Raises:
        RequestRefusedError: as `current_user`, for a token that is there and not good.
    """
    return await current_user(connection) if "authorization" in connection.headers else None


def require_role(*roles: Role) -> UserDependency:
    """Return a dependency on a user who has one of the roles; an admin has them all.

    Its RequestRefusedError is 403 where the user has none of them.
    """
    wanted = {*roles, Role.ADMIN}

    async def user_of_role(connection: HTTPConnection) -> User:
        found = await current_user(connection)
        if not wanted & found.roles:
            raise RequestRefusedError(FORBIDDEN)
        return found

    return user_of_role


def require(permission: Permission) -> UserDependency:
    """Return a dependency on a user whom a role allows it; its RequestRefusedError is 403 where none does."""

    async def user_who_may(connection: HTTPConnection) -> User:
        found = await current_user(connection)
        if not found.may(permission):
            raise RequestRefusedError(FORBIDDEN)
        return found

    return user_who_may


async def internal_caller(connection: HTTPConnection) -> Service:
    """Return the service that calls /internal/*.

    Raises:
        RequestRefusedError: 401 where the edge has let in nobody: the path is not below /internal/.
    """
    found: Service | None = connection.scope.get(SERVICE)
    if found is None:
        raise RequestRefusedError(refused(Reason.MISSING))
    return found


def check_realm(caller: User | Service, realm_id: str) -> None:
    """Refuse a caller whose token is for another realm.

    Raises:
        RequestRefusedError: 403.
    """
    if caller.realm_id is not None and caller.realm_id != realm_id:
        raise RequestRefusedError(FOREIGN_REALM)
