"""The section `models` of a policy: every default, every fault with its line, and what is built from it."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.loading import default_policy_path, load_policy
from policies.model_names import is_in_clear, wrong_model, wrong_url
from policies.models import Budgets, Endpoint, ModelsPolicy, ModelUse, Price, dollars
from policies.models_document import KNOWN_ENDPOINTS
from policies.policy_faults import InvalidPolicyError
from tests.unit.policies.policy_files import policy_document, small_policy, write_policy

URL = "must be a URL of the OpenAI protocol"
NAMES = "must name an endpoint and a model"


def members(**changes: dict[str, Any]) -> dict[str, Any]:
    return {name: changes.get(name, {}) for name in policy_document()["members"]}


def test_every_default_of_the_section_stands_in_the_document(tmp_path: Path) -> None:
    document: Any = small_policy(tmp_path).document
    assert document["models"] == {
        "default": None,
        "retries": 1,
        "on_failure": "abstain",
        "twin_from_impact": 0,
        "rebuttal_margin": None,
        "budgets": {
            "review_usd": "0.25",
            "realm_day_usd": "10",
            "day_usd": "30",
            "month_usd": "800",
            "when_spent": "rules",
        },
        "endpoints": {
            "openai": {
                "base_url": "https://api.openai.com/v1",
                "key": "OPENAI_API_KEY",
                "structured": "json_schema",
                "concurrency": 128,
            },
            **{
                name: {
                    "base_url": f"http://127.0.0.1:{port}/v1",
                    "key": None,
                    "structured": "auto",
                    "concurrency": most,
                }
                for name, port, most in (("lmstudio", 1234, 16), ("vllm", 8000, 128), ("ollama", 11434, 16))
            },
        },
        "prices": {},
    }
    asks = {"judge": "model", "model": None, "temperature": None, "timeout_s": "6", "max_output_tokens": 800}
    for name, member in document["members"].items():
        assert {key: member[key] for key in asks} == asks
        assert member["reads_player_text"] is (name == "narrative")


def test_without_a_model_every_member_judges_by_rules(tmp_path: Path) -> None:
    assert [seat.model for seat in small_policy(tmp_path).members.values()] == [None] * 5


def test_what_a_policy_says_about_models_is_built_from_it(tmp_path: Path) -> None:
    policy = small_policy(
        tmp_path,
        members=members(
            lore={"model": "lab/qwen/qwen3:8b", "temperature": "0.2", "timeout_s": "2.5", "max_output_tokens": 4000},
            risk={"judge": "rules", "model": "lab/qwen/qwen3:8b"},
        ),
        models={
            "default": "openai/gpt-4.1-mini",
            "retries": 2,
            "on_failure": "rules",
            "twin_from_impact": None,
            "rebuttal_margin": "1/5",
            "budgets": {"review_usd": "0.000001", "realm_day_usd": None, "day_usd": 3, "when_spent": "quarantine"},
            "endpoints": {
                "lab": {
                    "base_url": "https://lab.example/v1/",
                    "key": "LAB_KEY",
                    "structured": "prompt",
                    "concurrency": 2,
                },
                "openai": {"concurrency": 4},
            },
            "prices": {
                "lab/qwen/qwen3:8b": {"input": 0, "output": 0},
                "openai/gpt-4.1-mini": {"input": "0.4", "cached": "0.1", "output": "1.6"},
            },
        },
    )
    openai = Endpoint("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "json_schema", 4)
    mini = ModelUse(openai, "gpt-4.1-mini", None, 6000, 800, Price(400_000, 100_000, 1_600_000), False)
    lab = Endpoint("lab", "https://lab.example/v1", "LAB_KEY", "prompt", 2)
    assert {name: seat.model for name, seat in policy.members.items()} == {
        "governor": mini,
        "fairness": mini,
        "lore": ModelUse(lab, "qwen/qwen3:8b", 0.2, 2500, 4000, Price(0, 0, 0), False),
        "narrative": ModelUse(openai, "gpt-4.1-mini", None, 6000, 800, mini.price, True),
        "risk": None,
    }
    assert mini.name == "openai/gpt-4.1-mini"
    assert policy.models == ModelsPolicy(
        retries=2,
        on_failure="rules",
        twin_from_impact=None,
        rebuttal_margin=Fraction(1, 5),
        budgets=Budgets(1_000_000, None, 3 * 10**12, 800 * 10**12, "quarantine"),
        prices={"lab/qwen/qwen3:8b": Price(0, 0, 0), "openai/gpt-4.1-mini": Price(400_000, 100_000, 1_600_000)},
    )


def test_cached_input_costs_what_input_costs_unless_it_has_a_price_of_its_own(tmp_path: Path) -> None:
    policy = small_policy(tmp_path, models={"prices": {"openai/x": {"input": "1.25", "output": 10}}})
    assert policy.models.prices == {"openai/x": Price(1_250_000, 1_250_000, 10_000_000)}
    document: Any = policy.document
    assert document["models"]["prices"] == {"openai/x": {"input": "1.25", "cached": "1.25", "output": "10"}}


@pytest.mark.parametrize(
    ("models", "key", "message", "fix"),
    [
        ({"defualt": None}, "defualt", "unknown key", "did you mean 'default'?"),
        ({"default": "olama/x"}, "default", "the endpoint 'olama' is not known", "did you mean 'ollama'?"),
        ({"default": "gpt-5"}, "default", NAMES, 'write "endpoint/model", such as ollama/llama3.1:8b'),
        ({"default": "ollama/"}, "default", NAMES, ""),
        ({"default": 7}, "default", NAMES, ""),
        ({"default": "ollama/" + "x" * 200}, "default", NAMES, ""),
        ({"default": "ollama/a b"}, "default", "holds a space or a character that cannot be seen", ""),
        ({"default": "ollama/a\u200bb"}, "default", "holds a space or a character that cannot be seen", ""),
        ({"retries": 4}, "retries", "must lie between 0 and 3", ""),
        ({"on_failure": "quarantine"}, "on_failure", "not one of the known values", "known: abstain, rules"),
        ({"twin_from_impact": 101}, "twin_from_impact", "must lie between 0 and 100", ""),
        ({"rebuttal_margin": 0}, "rebuttal_margin", "must be above 0 and at most 1", ""),
        ({"rebuttal_margin": "6/5"}, "rebuttal_margin", "must be above 0 and at most 1", ""),
        ({"budgets": {"weekly_usd": 1}}, "budgets.weekly_usd", "unknown key", ""),
        ({"budgets": {"day_usd": -1}}, "budgets.day_usd", "must be between 0 and 1,000,000 dollars", ""),
        ({"budgets": {"day_usd": "0.0000001"}}, "budgets.day_usd", "has more than 6 decimals", "round it"),
        ({"budgets": {"day_usd": "1/3"}}, "budgets.day_usd", "has more than 6 decimals", "round it"),
        ({"budgets": {"day_usd": 0.5}}, "budgets.day_usd", "not an exact number", 'floats are not exact: write "0.5"'),
        ({"budgets": {"when_spent": "abstain"}}, "budgets.when_spent", "not one of the known values", "known: quarantine, rules"),
        ({"endpoints": {"lab": {}}}, "endpoints.lab.base_url", "is missing", "write it out"),
        ({"endpoints": {"a/b": {"base_url": "http://x/v1"}}}, "endpoints.a/b",
         "the name of an endpoint is at most", "the first slash"),
        ({"endpoints": {"lab": {"base_url": "x.example"}}}, "endpoints.lab.base_url", URL, "write it with its version"),
        ({"endpoints": {"lab": {"base_url": "ftp://x/v1"}}}, "endpoints.lab.base_url", URL, ""),
        ({"endpoints": {"lab": {"base_url": "http://x/v1?key=1"}}}, "endpoints.lab.base_url", URL, ""),
        ({"endpoints": {"lab": {"base_url": "http://x:99999/v1"}}}, "endpoints.lab.base_url", URL, ""),
        ({"endpoints": {"lab": {"base_url": "http://me:pass@x/v1"}}}, "endpoints.lab.base_url",
         "the URL holds a name or a password", "name an environment variable"),
        ({"endpoints": {"lab": {"base_url": "http://x/v1", "key": "sk-proj-1"}}}, "endpoints.lab.key",
         "must name an environment variable, in capitals", "never write the key itself: OPENAI_API_KEY"),
        ({"endpoints": {"openai": {"key": "abcdef0123456789"}}}, "endpoints.openai.key", "must name an environment variable", ""),
        ({"endpoints": {"openai": {"structured": "json"}}}, "endpoints.openai.structured", "not one of the known values", ""),
        ({"endpoints": {"openai": {"concurrency": 0}}}, "endpoints.openai.concurrency", "must lie between 1 and 1024", ""),
        ({"prices": {"x": {"input": 1, "output": 1}}}, "prices.x", NAMES, ""),
        ({"prices": {"olama/x": {"input": 1, "output": 1}}}, "prices.olama/x", "the endpoint 'olama' is not known", ""),
        ({"prices": {"ollama/x": {"input": 1}}}, "prices.ollama/x.output", "is missing", ""),
        ({"prices": {"ollama/x": {"input": None, "output": 1}}}, "prices.ollama/x.input", "must be an integer", ""),
        ({"prices": {"ollama/x": {"input": 1, "output": 1, "cached": None}}}, "prices.ollama/x.cached", "must be an integer", ""),
        ({"prices": {"ollama/x": {"input": "0.0000001", "output": 1}}}, "prices.ollama/x.input", "has more than 6 decimals", ""),
        ({"prices": {"ollama/x": 3}}, "prices.ollama/x", "must be a mapping", ""),
        ({"budgets": 3}, "budgets", "must be a mapping", ""),
        ({"endpoints": {"lab": 3}}, "endpoints.lab", "must be a mapping", ""),
    ],
)  # fmt: skip
def test_every_wrong_value_is_named_with_its_line_and_its_fix(
    tmp_path: Path, models: dict[str, Any], key: str, message: str, fix: str
) -> None:
    path = write_policy(tmp_path / "small.yaml", models=models)
    with pytest.raises(InvalidPolicyError) as caught:
        load_policy(path)
    (fault,) = caught.value.faults
    assert (fault.file, fault.key) == ("small.yaml", f"models.{key}")
    assert fault.message.startswith(message)
    assert fault.fix.startswith(fix)
    line = path.read_text(encoding="utf-8").splitlines()[fault.line - 1]
    assert f'"{key.rpartition(".")[2]}"' in line or fault.message == "is missing"
    assert "pass@x" not in str(fault)


@pytest.mark.parametrize(
    ("member", "key", "message"),
    [
        ({"model": "olama/x"}, "model", "the endpoint 'olama' is not known"),
        ({"model": 7}, "model", NAMES),
        ({"temperature": 3}, "temperature", "must be between 0 and 2"),
        ({"temperature": "0.0001"}, "temperature", "has more than 3 decimals"),
        ({"timeout_s": 0}, "timeout_s", "must be above 0 and at most 120 seconds"),
        ({"timeout_s": 121}, "timeout_s", "must be above 0 and at most 120 seconds"),
        ({"timeout_s": "0.0001"}, "timeout_s", "has more than 3 decimals"),
        ({"timeout_s": None}, "timeout_s", "must be an integer"),
        ({"max_output_tokens": 63}, "max_output_tokens", "must lie between 64 and 16384"),
        ({"reads_player_text": "yes"}, "reads_player_text", "must be true or false"),
        ({"judge": "recorded"}, "judge", "not one of the known values"),
    ],
)
def test_every_wrong_part_of_a_member_is_named(tmp_path: Path, member: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(InvalidPolicyError) as caught:
        small_policy(tmp_path, members=members(lore=member))
    (fault,) = caught.value.faults
    assert (fault.key, fault.line > 0) == (f"members.lore.{key}", True)
    assert fault.message.startswith(message)


def test_the_shipped_prices_are_marked_as_examples_with_their_date() -> None:
    """Nobody may take them for a bill: prices change."""
    text = default_policy_path().read_text(encoding="utf-8")
    remark = text[: text.index("  prices:")].rpartition("\n\n")[2]
    assert "EXAMPLES, noted in 2026-11" in remark
    assert "Prices change" in remark


@pytest.mark.parametrize("known", KNOWN_ENDPOINTS)
def test_the_known_endpoints_have_addresses_that_may_be_written(known: str) -> None:
    assert wrong_url(KNOWN_ENDPOINTS[known]["base_url"]) is None
    assert wrong_model(f"{known}/x", [known]) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1/v1", False),
        ("http://localhost/v1", False),
        ("http://[::1]:8/v1", False),
        ("https://api.openai.com/v1", False),
        ("http://10.0.0.7/v1", True),
        ("http://127.0.0.1.example/v1", True),
    ],
)
def test_what_leaves_the_machine_without_tls_is_in_clear(url: str, expected: bool) -> None:
    assert is_in_clear(url) is expected


def test_a_call_costs_its_uncached_input_its_cached_input_and_its_output() -> None:
    price = Price(input=3, cached=2, output=7)
    assert price.cost(100, 40, 10) == 60 * 3 + 40 * 2 + 10 * 7
    assert price.cost(100, 140, 10) == 100 * 2 + 10 * 7  # an endpoint that counts more cached than sent


@given(st.integers(0, 10**18))
def test_dollars_are_exact(picodollars: int) -> None:
    assert Fraction(dollars(picodollars)) * 10**12 == picodollars


@given(st.integers(0, 10**12))
def test_an_amount_stands_in_the_document_as_the_decimal_that_people_write(micros: int) -> None:
    """Six decimals are exact in both directions: what is budgeted is what is recorded."""
    usd = dollars(micros * 10**6)
    assert Fraction(usd) * 10**6 == micros
    assert not usd.endswith(".") and (("." not in usd) or not usd.endswith("0"))
