"""The containers, as far as files tell (no Docker runs here): settings are known, nobody is root, no secret has a default."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.settings import read_settings, unknown_variables
from tests.unit.deploy.monitoring import DEPLOY, document

ROOT: Final = DEPLOY.parent
COMPOSE: Final[dict[str, Any]] = document("docker-compose.yml")
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = ("migrate", "app", "worker")
ONE_SHOT: Final = {"migrate", "caddy-volume"}
DOCKERFILE: Final = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
_VARIABLE: Final = re.compile(r"\$\{([A-Z_]+)(?::[-?][^}]*)?\}")


def example() -> dict[str, str]:
    """Return the variables of the env file's example, those that are commented out too."""
    lines = (DEPLOY / "council.env.example").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"#?([A-Z_]+)=(.*)", line) for line in lines]
    return {match[1]: match[2] for match in found if match is not None}


def pins(path: Path) -> dict[str, str]:
    """Return the locked requirements by name, each with all of its hashes."""
    blocks = re.split(r"\n(?=\S)", path.read_text(encoding="utf-8"))
    found = {}
    for block in blocks:
        if match := re.match(r"([a-z0-9][a-z0-9._\-]*)(?:\[[^\]]*\])?==(\S+)", block):
            found[match[1]] = " ".join([match[2], *sorted(re.findall(r"sha256:[0-9a-f]{64}", block))])
    return found


def test_there_is_everything_that_a_machine_needs() -> None:
    """S0-22, S0-24, S0-26, S0-30, S0-31."""
    assert {"postgres", "redis", "app", "worker", "prometheus", "grafana", "caddy"} <= SERVICES.keys()


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_our_processes_is_one_that_they_know(name: str) -> None:
    filled = {"POSTGRES_PASSWORD": "p", "REDIS_PASSWORD": "r"}
    given = {
        key: _VARIABLE.sub(lambda match: filled.get(match[1], "x"), str(value))
        for key, value in {**example(), **SERVICES[name]["environment"]}.items()
    }
    given["COUNCIL_SERVICE_TOKEN"] = "a-token-that-is-long-enough"
    assert unknown_variables(given) == ()
    settings = read_settings({key: value for key, value in given.items() if value})
    assert settings.host == "0.0.0.0"
    assert settings.database_url.get_secret_value() == "postgresql://council:p@postgres:5432/council"
    assert settings.metrics_port == (9464 if name == "worker" else None)


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root_with_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    if name == "caddy-volume":
        # The one exception: it gives a volume away, sees no network and ends.
        assert (service["network_mode"], service["restart"], service["cap_add"]) == ("none", "no", ["CHOWN"])
        return
    assert not service["user"].startswith("0")


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONE_SHOT))
def test_every_lasting_service_is_asked_how_it_is_and_starts_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if name not in OURS])
def test_images_of_others_are_pinned_to_a_version(name: str) -> None:
    assert re.search(r":v?\d+\.?\d*", SERVICES[name]["image"])


def test_nothing_but_the_proxy_is_reached_from_outside() -> None:
    public = {
        name
        for name, service in SERVICES.items()
        for port in service.get("ports", ())
        if not port.startswith("127.0.0.1:")
    }
    assert public == {"caddy"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_the_schema_moves_before_the_code() -> None:
    for name in ("app", "worker"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_a_process_is_given_longer_to_stop_than_it_takes() -> None:
    grace = read_settings({}).shutdown_grace_s
    for name in ("app", "worker"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > grace + 2


def test_every_secret_is_filled_in_by_the_operator_and_none_has_a_default() -> None:
    text = (DEPLOY / "docker-compose.yml").read_text(encoding="utf-8")
    for match in _VARIABLE.finditer(text):
        if "PASSWORD" in match[1] or "TOKEN" in match[1]:
            assert ":?" in match[0], match[0]
            assert example()[match[1]] == ""
    assert example()["COUNCIL_SERVICE_TOKEN"] == ""
    assert "council.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_every_file_that_is_mounted_is_there() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ())]
    for source, *_ in (mount.split(":") for mount in mounts if mount.startswith("./")):
        assert source == "./keys" or (DEPLOY / source).exists(), source
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith("./")}
    assert named == COMPOSE["volumes"].keys()


def test_prometheus_asks_the_services_on_their_ports() -> None:
    asked = {
        job["job_name"]: (job["dns_sd_configs"][0]["names"], job["dns_sd_configs"][0]["port"])
        for job in document("prometheus.yml")["scrape_configs"]
    }
    port = int(SERVICES["worker"]["environment"]["COUNCIL_METRICS_PORT"])
    assert asked == {"app": (["app"], read_settings({}).port), "worker": (["worker"], port)}


def test_the_image_is_built_in_stages_from_locked_hashes_and_is_nobodys_root() -> None:
    stages = re.findall(r"^FROM (\S+)( AS build)?$", DOCKERFILE, flags=re.MULTILINE)
    assert [bool(is_build) for _, is_build in stages] == [True, False]
    assert "--require-hashes" in DOCKERFILE
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, flags=re.MULTILINE)
    assert SERVICES["app"]["user"] == "10001:10001"
    assert 'ENTRYPOINT ["council"]' in last


def test_the_image_holds_every_package_and_the_build_sees_nothing_else() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        packages = set(tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    copied = set(re.findall(r"^COPY (\w+) \w+$", DOCKERFILE, flags=re.MULTILINE))
    assert copied == packages
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignore
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    assert allowed == packages | {"README.md", "pyproject.toml", "deploy/requirements.lock"}


def test_the_images_lock_is_the_repositorys_without_what_only_development_needs() -> None:
    whole, image = pins(ROOT / "requirements.lock"), pins(DEPLOY / "requirements.lock")
    assert len(image) > 50
    assert {name: pin for name, pin in whole.items() if name in image} == image
    assert not {"pytest", "mypy", "ruff", "inspect-ai", "playwright", "hypothesis"} & image.keys()
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    needed = [
        *project["dependencies"],
        *project["optional-dependencies"]["postgres"],
        *project["optional-dependencies"]["redis"],
    ]
    assert {re.match(r"[a-z0-9\-]+", each.lower())[0] for each in needed} <= image.keys()  # type: ignore[index]
