"""`council token`: keys and tokens for development, and why a token is refused."""

import time
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson
from cli.output import note, read_text, write_json, write_line
from cli.running import new_app
from cli.token_files import PUBLIC, SIGNING, read_public, read_signing, write_keys
from gateway.identity_inspecting import inspect as inspect_token
from gateway.identity_keys import Audience, Keys, read_keys
from gateway.identity_making import Jwk, Wanted, make_key, mint, public_half
from gateway.identity_tokens import Refusal, is_id
from gateway.roles import Role
from gateway.settings import Settings, read_settings

app = new_app()
FOLDER: Final = "council-keys"
For = Literal["user", "internal"]
_AUDIENCES: Final = {"user": Audience.USER, "internal": Audience.INTERNAL}
Folder = Annotated[Path, typer.Option("--dir", metavar="DIR", help="Folder of the development key set.")]


@app.callback()
def tokens() -> None:
    """Make development keys and tokens, and say why a token is refused: keys, mint, inspect."""


@app.command()
def keys(
    folder: Folder = Path(FOLDER),
    drop: Annotated[
        list[str] | None, typer.Option("--drop", metavar="KID", help="Take a key out: its tokens end within a second.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a development key set, or add a new key to it; --drop takes one out.

    keys.json holds public halves and is what COUNCIL_JWT_KEYS names; signing.json signs and stays with you. Run it again to
    rotate: new tokens are signed by the new keys, old tokens stay good until their keys are dropped. No key is ever printed.
    """
    before = read_public(folder)
    if drop:
        left, signing = _dropped(before, drop), [key for key in read_signing(folder) if key.get("kid") not in drop]
    else:
        signing = [make_key(audience) for audience in Audience]
        left = [*before, *(public_half(key) for key in signing)]
    write_keys(folder, left, signing)
    public = folder / PUBLIC
    if as_json:
        write_json({"keys": [_named(key) for key in left], "public": public, "signing": folder / SIGNING})
        return
    for key in left:
        write_line(f"{key['kid']:<20} {key['alg']}  {', '.join(key.get('audiences', [Audience.USER]))}")
    write_line(f"export COUNCIL_JWT_KEYS={public}")


@app.command("mint")
def mint_token(
    roles: Annotated[
        list[Role], typer.Argument(metavar="ROLE...", help="player, sim, designer, game_master or admin.")
    ],
    subject: Annotated[
        str, typer.Option("--subject", "-s", metavar="ID", help="User or service that it names.")
    ] = "dev",
    realm: Annotated[
        str | None, typer.Option("--realm", "-r", metavar="REALM", help="Good in this realm only.")
    ] = None,
    audience: Annotated[
        For | None,
        typer.Option("--for", help="Users call /api/*, services /internal/*; a sim is a service, others are users."),
    ] = None,
    lifetime: Annotated[
        int | None,
        typer.Option(
            "--lifetime", metavar="SECONDS", min=1, help="COUNCIL_JWT_MAX_LIFETIME_S unless given.", show_default=False
        ),
    ] = None,
    folder: Folder = Path(FOLDER),
    as_json: AsJson = False,
) -> None:
    """Sign a token for one or more roles with the development keys, and print it.

    Whoever has the token may do what its roles may do, until it expires: keep it out of files and chats.
    """
    settings = read_settings()
    chosen = _AUDIENCES[audience] if audience else Audience.INTERNAL if Role.SIM in roles else Audience.USER
    _check_ids(subject, realm)
    lasting = settings.jwt_max_lifetime_s if lifetime is None else lifetime
    if lasting > settings.jwt_max_lifetime_s:
        note(f"council: the service takes at most {settings.jwt_max_lifetime_s} s: COUNCIL_JWT_MAX_LIFETIME_S")
    wanted = Wanted(subject, tuple(dict.fromkeys(roles)), chosen, realm, settings.jwt_issuer, lasting)
    token = mint(read_signing(folder), wanted, int(time.time()))
    if as_json:
        write_json(
            {"token": token, "subject": subject, "roles": wanted.roles, "audience": chosen, "lifetime_s": lasting}
        )
    else:
        write_line(token)


@app.command("inspect")
def inspect_one(
    token: Annotated[
        str, typer.Argument(metavar="[TOKEN]", help="The token; standard input unless given.", show_default=False)
    ] = "-",
    key_file: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FILE", help="Key set; COUNCIL_JWT_KEYS unless given.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a token says, and whether the service would take it, or why not; a refused one exits with 1.

    The signature is checked and never shown.
    """
    settings = read_settings()
    sent = (read_text("-") if token == "-" else token).strip().removeprefix("Bearer ").strip()
    if not sent:
        raise CliError(
            "there is no token", "give one, or pipe it in: council token mint player | council token inspect"
        )
    now = time.time()
    keys = _keys(settings, key_file)
    found = inspect_token(sent.encode("utf-8", "replace"), keys, settings.jwt_issuer, settings.jwt_max_lifetime_s, now)
    # Late: rich costs a tenth of a second, which the other commands do without.
    from cli.render_token import inspected_document, render_inspected  # noqa: PLC0415

    if as_json:
        write_json(inspected_document(found))
    else:
        render_inspected(found, now)
    if isinstance(found.outcome, Refusal):
        raise typer.Exit(Exit.MISMATCH)


def _keys(settings: Settings, key_file: Path | None) -> Keys:
    path = key_file or settings.jwt_keys
    if path is None:
        raise CliError("no key set to check the signature with", "name one: --keys FILE, or COUNCIL_JWT_KEYS")
    from cli.output import read_bytes  # noqa: PLC0415

    return read_keys(read_bytes(str(path)), str(path))


def _dropped(before: list[Jwk], drop: list[str]) -> list[Jwk]:
    known = [str(key["kid"]) for key in before]
    if unknown := [kid for kid in drop if kid not in known]:
        raise CliError(f"no key is named {unknown[0]!r}", f"the key set has: {', '.join(known) or 'none'}")
    return [key for key in before if key["kid"] not in drop]


def _named(key: Jwk) -> dict[str, object]:
    return {name: key.get(name) for name in ("kid", "alg", "audiences")}


def _check_ids(subject: str, realm: str | None) -> None:
    for option, value in (("--subject", subject), ("--realm", realm)):
        if value is not None and not is_id(value):
            raise CliError(f"{option} is not an id", "use 1 to 128 letters, digits and . : @ / + - _")
