"""Settings: read once from the environment and the env file, every variable with the prefix `COUNCIL_`.

The core never sees this class; it takes values. Tunables of game balance live in the policy, not here.
"""

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.env_file import DEFAULT as DEFAULT_ENV_FILE
from gateway.env_file import file_variables
from gateway.errors import SettingsError
from policies.faults import did_you_mean
from policies.model_choice import read_choices, read_one
from policies.policy_faults import InvalidPolicyError

PREFIX: Final = "COUNCIL_"
MIN_TOKEN: Final = 16
"""Shortest service token accepted, characters."""
_SECRET: Final = ("service_token", "database_url", "redis_url", "bus_url", "council_token", "influence_secret")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_REDIS = re.compile(r"(?:rediss?://(?:[^\s/@]*@)?[^\s/:@]+(?::[0-9]{1,5})?(?:/[0-9]*)?|unix://\S+)")
MAKE_TOKEN: Final = f"export {PREFIX}SERVICE_TOKEN=\"$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')\""
"""The shell line that makes a service token."""


class Settings(BaseSettings):
    """Everything that an operator may set. The docstring of a field is its meaning in `council config`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    database_url: SecretStr = SecretStr("sqlite:///council.db")
    """Where decisions are recorded: sqlite:///FILE, postgresql://USER:PASSWORD@HOST/NAME or memory://."""
    service_token: SecretStr | None = None
    """Bearer token that callers of /internal/* send; at least 16 characters; `council serve` needs it."""
    policy_path: Path | None = None
    """Policy file; without it the policy that ships with the product."""
    models: str | None = None
    """Models that the members ask: ENDPOINT/MODEL[@URL] for all of them, MEMBER=ENDPOINT/MODEL for one; or: rules."""
    story_model: str | None = None
    """Model that rewrites chapters of stories: ENDPOINT/MODEL[@URL]; unset: the grammar's own text is what is told."""
    story_critic: str | None = None
    """Model that reads what it wrote and may send it back: ENDPOINT/MODEL[@URL]; unset: the lint alone reads it."""
    story_timeout_s: Annotated[float, Field(gt=0, le=600)] = 90.0
    """Wall clock over the whole writing of a chapter, rewrites included, seconds."""
    story_day_usd: Annotated[Decimal, Field(ge=0, le=1_000_000)] = Decimal(5)
    """Most that writing may cost a day (UTC), dollars, in all processes of a database; models without a price are not counted."""
    env_file: str = DEFAULT_ENV_FILE
    """File with further settings and the endpoints' keys; the environment wins over it; empty: none."""
    cassette: Annotated[str, Field(pattern=r"^(record|replay):.+$")] | None = None
    """What models answer, on file: record:FILE keeps it, replay:FILE serves it and never asks a model."""
    policy_watch: bool = True
    """Whether a running server takes up edits of the policy file."""
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address that the HTTP service listens on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    """TCP port that the HTTP service listens on; 0 takes a free one."""
    metrics_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """TCP port on which `council worker` shows its metrics to Prometheus; unset: nowhere. The service has /metrics."""
    max_body_bytes: Annotated[int, Field(ge=1_024, le=16_777_216)] = 1_048_576
    """Largest request body, bytes."""
    body_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """How long a caller may take to send its body, seconds."""
    default_deadline_ms: Annotated[int, Field(ge=1, le=600_000)] = 8_000
    """How long a request without `deadline_ms` waits for its verdict before it is answered 202, milliseconds."""
    max_in_flight: Annotated[int, Field(ge=1, le=100_000)] = 1_024
    """Reviews under way at once; further ones are answered 503 with Retry-After."""
    jwt_keys: Path | None = None
    """Key set (JWKS file) of the JWTs of users and services; read again when it changes; without it no JWT is taken."""
    jwt_issuer: Annotated[str, Field(min_length=1, max_length=256)] = "council"
    """Issuer that JWTs must name (`iss`)."""
    jwt_max_lifetime_s: Annotated[int, Field(ge=60, le=2_592_000)] = 3_600
    """Longest time from `iat` to `exp` of a JWT, seconds."""
    cors_origins: str | None = None
    """Origins whose pages may call /api/* from a browser, separated by commas, such as https://play.example; unset: none."""
    redis_url: SecretStr | None = None
    """Redis that several processes share, redis://[:PASSWORD@]HOST[:PORT][/NUMBER]; unset: each process counts for itself."""
    rate_user_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    """Acts a minute that a user may have reported over a longer time."""
    rate_user_burst: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    """Acts of a user at once, after a rest."""
    rate_device_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    """Acts a minute of one device; so many at once after a rest."""
    rate_session_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """Acts a minute of one session; so many at once after a rest."""
    rate_plan_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Chapters a minute that may be planned for a user over a longer time; one that was told before is not counted."""
    rate_plan_burst: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """Chapters of a user at once, after a rest."""
    world_path: Path | None = None
    """World file: what acts are worth, meters, triggers, canon locks; without it the world that ships with the product."""
    tick_s: Annotated[int, Field(ge=1, le=86_400)] = 900
    """Length of a tick of the shared world, seconds."""
    council_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] | None = None
    """Council that the world asks, such as http://council:8080; unset: the one in its own process."""
    council_token: SecretStr | None = None
    """Service token of that council; unset: COUNCIL_SERVICE_TOKEN."""
    bus_url: SecretStr | None = None
    """Bus that the worker relays messages to: database, redis://, nats:// or kafka://; unset: the database's own."""
    influence_secret: SecretStr | None = None
    """Secret that signs the bodies of /internal/influence/submit (X-Council-Signature); unset: none is asked for."""
    feed_kept: Annotated[int, Field(ge=1, le=100_000_000)] = 100_000
    """Events of a realm back from its newest up to which a reader of the feed may go on where it was."""
    feed_heartbeat_s: Annotated[float, Field(ge=1, le=300)] = 15.0
    """Silence after which a reader of the feed is shown that the connection lives, seconds."""
    feed_readers: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Readers of the feed in this process; further ones are answered 503 with Retry-After."""
    feed_realm_readers: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    """The same for one realm."""
    shutdown_grace_s: Annotated[int, Field(ge=0, le=300)] = 10
    """How long a stopping server lets requests finish, seconds."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log line that is written."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """Form of log lines; auto: text on a terminal, else JSON."""

    def required_token(self) -> str:
        """Return the service token.

        Raises:
            SettingsError: where it is missing; the message shows how to make one.
        """
        if self.service_token is None:
            raise SettingsError([f"{PREFIX}SERVICE_TOKEN is not set; make one: {MAKE_TOKEN}"])
        return self.service_token.get_secret_value()

    def allowed_origins(self) -> tuple[str, ...]:
        """Return the origins of `cors_origins`."""
        return tuple(origin.strip() for origin in (self.cors_origins or "").split(",") if origin.strip())


def read_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings from the environment and the env file.

    Args:
        environ: stands in for both.
        overrides: values of the command line, by field name; None means not given.

    Raises:
        SettingsError: naming every variable that cannot be used, the type expected and the fix.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = _from_mapping(variables() if environ is None else environ, given)
    except ValidationError as error:
        faults = [_fault(detail["loc"], detail["msg"], detail["input"]) for detail in error.errors(include_url=False)]
        raise SettingsError(faults) from None
    _check_token(settings)
    _check_models(settings)
    _check_origins(settings)
    _check_redis(settings)
    return settings


def variables() -> Mapping[str, str]:
    """Return what the process was given: its environment, and beneath it the env file.

    Raises:
        SettingsError: where the env file cannot be read.
    """
    return {**file_variables(), **os.environ}


def key_variables(environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Return the variables that endpoints' keys are looked up in: the environment, and beneath it the env file.

    A variable that is set to nothing is as good as not set: it does not hide the file's.

    Args:
        environ: stands in for the process's environment; the env file is read all the same.

    Raises:
        SettingsError: where the env file cannot be read.
    """
    given = os.environ if environ is None else environ
    found = [*file_variables(environ).items(), *given.items()]
    return {name: value.strip() for name, value in found if value.strip()}


def unknown_variables(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return a line for each variable with our prefix that names no setting: most often a typing error."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    ours = sorted(name for name in (variables() if environ is None else environ) if name.startswith(PREFIX))
    return tuple(f"{name} names no setting; {did_you_mean(name, known)}" for name in ours if name not in known)


def _from_mapping(environ: Mapping[str, str], given: Mapping[str, Any]) -> Settings:
    read = {name: environ[PREFIX + name.upper()] for name in Settings.model_fields if PREFIX + name.upper() in environ}
    # `Settings(...)` would read the process's own environment, and not our env file; validation alone does not.
    return Settings.model_validate(Settings.model_construct().model_dump() | read | dict(given))


def _fault(loc: tuple[str | int, ...], message: str, value: Any) -> str:
    name = str(loc[0]).lower().removeprefix(PREFIX.lower())
    field: FieldInfo | None = Settings.model_fields.get(name)
    told = message[0].lower() + message[1:]
    if field is None:
        return f"{name}: {told}"
    meaning = (field.description or "").rstrip(".")
    if name in _SECRET:
        return f"{PREFIX}{name.upper()}: {told} (meaning: {meaning})"
    return f"{PREFIX}{name.upper()}={value!r}: {told} (meaning: {meaning}; default: {field.default!r})"


def _check_token(settings: Settings) -> None:
    if settings.service_token is None:
        return
    token = settings.service_token.get_secret_value()
    if len(token) < MIN_TOKEN:
        fault = f"{PREFIX}SERVICE_TOKEN is shorter than {MIN_TOKEN} characters; make one: {MAKE_TOKEN}"
        raise SettingsError([fault])
    if not (token.isascii() and token.isprintable() and " " not in token):
        fault = f"{PREFIX}SERVICE_TOKEN holds characters that no header can carry; make one: {MAKE_TOKEN}"
        raise SettingsError([fault])


def _check_origins(settings: Settings) -> None:
    wrong = [origin for origin in settings.allowed_origins() if not _ORIGIN.fullmatch(origin)]
    fix = "write each as a browser sends it, https://HOST or http://HOST:PORT: no *, no path, no capitals"
    if wrong:
        raise SettingsError([f"{PREFIX}CORS_ORIGINS: {origin!r} is not an exact origin; {fix}" for origin in wrong])


def _check_redis(settings: Settings) -> None:
    if settings.redis_url is None:
        return
    if not _REDIS.fullmatch(settings.redis_url.get_secret_value()):
        raise SettingsError([f"{PREFIX}REDIS_URL is no URL of Redis; write redis://[:PASSWORD@]HOST[:PORT][/NUMBER]"])


def _check_models(settings: Settings) -> None:
    try:
        read_choices(settings.models or "")
        read_one(settings.story_model or "", f"{PREFIX}STORY_MODEL")
        critic = read_one(settings.story_critic or "", f"{PREFIX}STORY_CRITIC")
    except InvalidPolicyError as error:
        raise SettingsError([str(fault) for fault in error.faults]) from None
    if critic is not None and not settings.story_model:
        raise SettingsError([f"{PREFIX}STORY_CRITIC reads what nobody writes; set {PREFIX}STORY_MODEL, or unset it"])
