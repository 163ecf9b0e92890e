"""Settings: read once, wrong ones named with their fix, secrets never shown (style guide, config)."""

import pytest

from gateway.counted_policies import CountedPolicySource
from gateway.errors import SettingsError
from gateway.metrics import Metrics
from gateway.settings import Settings, read_settings, unknown_variables
from gateway.settings_shown import hide_password, shown_settings
from policies.loading import default_policy_path
from tests.unit.gateway.scripted import CANARY


def test_without_variables_every_setting_has_its_default() -> None:
    settings = read_settings({})

    assert settings.database_url.get_secret_value() == "sqlite:///council.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.max_body_bytes == 1_048_576
    assert settings.service_token is None


def test_every_wrong_variable_is_named_at_once_with_its_type_and_default() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"COUNCIL_PORT": "tcp://10.0.0.1", "COUNCIL_LOG_LEVEL": "loud"})

    assert caught.value.faults == (
        "COUNCIL_PORT='tcp://10.0.0.1': input should be a valid integer, unable to parse string as an integer"
        " (meaning: TCP port that the HTTP service listens on; 0 takes a free one; default: 8080)",
        "COUNCIL_LOG_LEVEL='loud': input should be 'debug', 'info', 'warning' or 'error'"
        " (meaning: Least severe log line that is written; default: 'info')",
    )


def test_the_process_environment_is_read_where_no_mapping_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNCIL_PORT", "9000")

    assert read_settings().port == 9000
    assert read_settings({}).port == 8080


def test_a_value_of_the_command_line_beats_the_environment() -> None:
    assert read_settings({"COUNCIL_PORT": "9000"}, port=9001, host=None).port == 9001


@pytest.mark.parametrize("token", ["a-weak-one", "with a space in it", "mit-ümlaut-darin-und-lang"])
def test_a_token_that_is_short_or_no_header_can_carry_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"COUNCIL_SERVICE_TOKEN": token})

    assert "COUNCIL_SERVICE_TOKEN" in str(caught.value)
    assert "secrets.token_urlsafe" in str(caught.value)
    assert token not in str(caught.value)


def test_a_missing_token_is_refused_with_the_line_that_makes_one() -> None:
    with pytest.raises(
        SettingsError, match=r"COUNCIL_SERVICE_TOKEN is not set; make one: export COUNCIL_SERVICE_TOKEN"
    ):
        read_settings({}).required_token()


def test_no_secret_shows_in_repr_or_listing() -> None:
    environ = {
        "COUNCIL_SERVICE_TOKEN": CANARY + "-0123456789",
        "COUNCIL_DATABASE_URL": f"postgresql://council:{CANARY}@db/council",
    }
    settings = read_settings(environ)

    assert CANARY not in repr(settings)
    shown = {one.variable: one for one in shown_settings(settings, environ)}
    assert shown["COUNCIL_SERVICE_TOKEN"].value == "********"
    assert shown["COUNCIL_DATABASE_URL"].value == "postgresql://council:********@db/council"
    assert shown["COUNCIL_DATABASE_URL"].source == "environment"
    assert CANARY not in repr(shown)


def test_a_wrong_secret_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({}, database_url=[CANARY])

    assert "COUNCIL_DATABASE_URL" in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2", "p:q", "p%40q"])
def test_a_password_is_hidden_whatever_it_holds(password: str) -> None:
    assert hide_password(f"postgresql://council:{password}@db/council") == "postgresql://council:********@db/council"


def test_a_url_without_a_password_is_shown_as_it_is() -> None:
    assert hide_password("sqlite:////var/lib/council.db") == "sqlite:////var/lib/council.db"
    assert hide_password("postgresql://db:5432/council") == "postgresql://db:5432/council"


def test_every_setting_is_listed_with_its_meaning() -> None:
    shown = shown_settings(read_settings({}), {})

    assert [one.variable for one in shown] == [f"COUNCIL_{name.upper()}" for name in Settings.model_fields]
    assert all(one.meaning.endswith(".") and one.source == "default" for one in shown)


def test_a_misspelled_variable_is_told_with_the_nearest_setting() -> None:
    assert unknown_variables({"COUNCIL_DATABSE_URL": "x", "PATH": "y", "COUNCIL_PORT": "1"}) == (
        "COUNCIL_DATABSE_URL names no setting; did you mean 'COUNCIL_DATABASE_URL'?",
    )


def test_models_that_cannot_be_read_are_refused_with_every_entry_and_no_password() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"COUNCIL_MODELS": f"gpt-5,ollama/x@http://me:{CANARY}@h/v1"})

    assert caught.value.faults == (
        "COUNCIL_MODELS: the entry 'gpt-5': names no model; write ENDPOINT/MODEL[@URL] for every member, "
        "MEMBER=ENDPOINT/MODEL[@URL] for one, or rules for no model",
        "COUNCIL_MODELS: the entry 'ollama/x': the URL holds a name or a password; "
        "name an environment variable under the endpoint's key instead",
    )


def test_the_models_of_the_settings_reach_the_live_policy() -> None:
    settings = read_settings({"COUNCIL_MODELS": "ollama/x,lore=rules"})
    policies = CountedPolicySource(default_policy_path(), Metrics(), settings.models)
    policies.reload()

    asked = {name: seat.model and seat.model.name for name, seat in policies.current.members.items()}
    assert asked == {**dict.fromkeys(asked, "ollama/x"), "lore": None}


def test_models_set_to_nothing_are_as_good_as_not_set() -> None:
    policies = CountedPolicySource(default_policy_path(), Metrics(), read_settings({"COUNCIL_MODELS": ""}).models)

    assert policies.current.content_hash == CountedPolicySource(default_policy_path(), Metrics()).current.content_hash
