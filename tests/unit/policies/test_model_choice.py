"""COUNCIL_MODELS: one line laid over the policy file, so that hash and record tell what was really asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.canonical import canonical_json, sha256_hex
from policies.loading import default_policy_path, load_policy, policy_from_document
from policies.model_choice import MAX_CHARACTERS, ModelChoice, choices_text, read_choices
from policies.model_names import wrong_model, wrong_url
from policies.models import Price
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError
from policies.verdicts import MEMBERS
from tests.unit.policies.policy_files import policy_document, small_policy, write_policy

FORM = "write ENDPOINT/MODEL[@URL] for every member, MEMBER=ENDPOINT/MODEL[@URL] for one, or rules for no model"


def refused(text: str) -> list[str]:
    with pytest.raises(InvalidPolicyError) as caught:
        read_choices(text)
    return [str(fault) for fault in caught.value.faults]


def asked(policy: Policy) -> dict[str, str | None]:
    return {name: seat.model.name if seat.model else None for name, seat in policy.members.items()}


def loaded(folder: Path, line: str, **changes: Any) -> Policy:
    return load_policy(write_policy(folder / "small.yaml", **changes), line)


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("ollama/llama3.1:8b", [ModelChoice(None, "ollama/llama3.1:8b", None)]),
        ("  ollama/x , ,", [ModelChoice(None, "ollama/x", None)]),
        ("", []),
        ("rules", [ModelChoice(None, None, None)]),
        ("lmstudio/qwen3-8b@http://127.0.0.1:9999/v1", [ModelChoice(None, "lmstudio/qwen3-8b", "http://127.0.0.1:9999/v1")]),
        ("lmstudio/qwen3-8b@q4_k_m", [ModelChoice(None, "lmstudio/qwen3-8b@q4_k_m", None)]),
        ("lmstudio/q@q4@https://h/v1/", [ModelChoice(None, "lmstudio/q@q4", "https://h/v1/")]),
        ("edge/@cf/meta/llama-3.1-8b@https://h/v1", [ModelChoice(None, "edge/@cf/meta/llama-3.1-8b", "https://h/v1")]),
        ("vllm/Qwen/Qwen3-8B", [ModelChoice(None, "vllm/Qwen/Qwen3-8B", None)]),
        ("ollama/x,lore=openai/y,risk=rules",
         [ModelChoice(None, "ollama/x", None), ModelChoice("lore", "openai/y", None), ModelChoice("risk", None, None)]),
        ("lore = ollama/a=b", [ModelChoice("lore", "ollama/a=b", None)]),
        ("ollama/a=b", [ModelChoice(None, "ollama/a=b", None)]),
    ],
)  # fmt: skip
def test_the_line_is_read(text: str, choices: list[ModelChoice]) -> None:
    assert read_choices(text) == tuple(choices)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("gpt-5", [f"COUNCIL_MODELS: the entry 'gpt-5': names no model; {FORM}"]),
        ("lor=ollama/x", ["COUNCIL_MODELS: the entry 'lor=ollama/x': there is no member 'lor'; did you mean 'lore'?"]),
        ("=ollama/x", ["COUNCIL_MODELS: the entry '=ollama/x': there is no member ''; "
                       "known: fairness, governor, lore, narrative, risk"]),
        ("lore=", [f"COUNCIL_MODELS: the entry 'lore=': names no model; {FORM}"]),
        ("rules@http://h/v1", [f"COUNCIL_MODELS: the entry 'rules': names no model; {FORM}"]),
        ("ollama/", ["COUNCIL_MODELS: the entry 'ollama/': must name an endpoint and a model; "
                     'write "endpoint/model", such as ollama/llama3.1:8b']),
        ("ollama/x@h:1/v1", ["COUNCIL_MODELS: the entry 'ollama/x': what stands after @ is no URL; "
                             "write it with http:// or https://, as in @http://127.0.0.1:1234/v1"]),
        ("ollama/x@http:///v1", ["COUNCIL_MODELS: the entry 'ollama/x': must be a URL of the OpenAI protocol; "
                                 "write it with its version: http://127.0.0.1:1234/v1"]),
        ("x, lore=y", [f"COUNCIL_MODELS: the entry 'x': names no model; {FORM}",
                       f"COUNCIL_MODELS: the entry 'lore=y': names no model; {FORM}"]),
        ("ollama/x,rules", ["COUNCIL_MODELS: says twice what every member asks; keep one of the two entries"]),
        ("lore=ollama/x,lore=rules", ["COUNCIL_MODELS: says twice what lore asks; keep one of the two entries"]),
        ("ollama/x@http://a/v1,lore=ollama/y@http://b/v1",
         ["COUNCIL_MODELS: gives the endpoint 'ollama' two addresses; "
          "give the second server a name of its own, such as lab/MODEL@URL"]),
        ("x" * (MAX_CHARACTERS + 1),
         [f"COUNCIL_MODELS: longer than {MAX_CHARACTERS} characters; write the models into the policy"]),
    ],
)  # fmt: skip
def test_every_wrong_entry_is_named_with_its_fix(text: str, faults: list[str]) -> None:
    assert refused(text) == faults


@pytest.mark.parametrize(
    "text",
    [
        "ollama/x@http://me:hunter2@h/v1",
        "ollama/x@me:hunter2@h/v1",
        "ollama/x@https://h/v1?key=hunter2",
        "http://me:hunter2@h/v1",
        "lore=https://me:hunter2@h/v1",
    ],
)
def test_a_secret_in_a_url_is_refused_and_never_repeated(text: str) -> None:
    (fault,) = refused(text)
    assert "hunter2" not in fault


MODEL_CHARACTERS = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",")
MODELS = st.builds(
    "{}/{}".format,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", fullmatch=True),
    st.text(MODEL_CHARACTERS, min_size=1),
).filter(lambda name: wrong_model(name) is None and not any(mark in name for mark in ("@h", ":", "@")))
URLS = st.builds(
    "{}://{}:{}/{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["127.0.0.1", "localhost", "models.example.org", "[::1]"]),
    st.integers(1, 65_535),
    st.sampled_from(["v1", "v1/", "api/v1", ""]),
).filter(lambda url: wrong_url(url) is None)


@st.composite
def choices(draw: st.DrawFn) -> tuple[ModelChoice, ...]:
    """Draw choices that do not contradict each other: each member once, each endpoint with one address."""
    members = draw(st.lists(st.sampled_from([None, *MEMBERS]), unique=True, max_size=6))
    drawn: list[ModelChoice] = []
    addresses: dict[str, str | None] = {}
    for member in members:
        model = draw(st.none() | MODELS)
        host = (model or "").partition("/")[0]
        url = addresses.setdefault(host, draw(st.none() | URLS)) if model else None
        drawn.append(ModelChoice(member, model, url))
    return tuple(drawn)


@given(choices())
def test_what_is_written_reads_as_it_was(drawn: tuple[ModelChoice, ...]) -> None:
    assert read_choices(choices_text(drawn)) == drawn


@given(st.text(alphabet="lore=rulsam/x@htp:,.1 []%é\x00", max_size=60))
def test_whatever_the_line_says_it_is_read_or_refused_with_its_name(text: str) -> None:
    try:
        read = read_choices(text)
    except InvalidPolicyError as error:
        assert error.faults
        assert all((fault.file, fault.line) == ("COUNCIL_MODELS", 0) for fault in error.faults)
    else:
        assert read_choices(choices_text(read)) == read


def test_one_line_points_every_member_at_a_model_those_with_one_of_their_own_too(tmp_path: Path) -> None:
    members = {**policy_document()["members"], "lore": {"model": "openai/y"}, "risk": {"judge": "rules"}}
    policy = loaded(tmp_path, "ollama/llama3.1:8b", members=members, models={"default": "openai/z"})
    assert asked(policy) == {**dict.fromkeys(MEMBERS, "ollama/llama3.1:8b"), "risk": None}


def test_an_entry_for_one_member_leaves_the_others_as_the_file_has_them(tmp_path: Path) -> None:
    members = {**policy_document()["members"], "risk": {"judge": "rules"}, "lore": {"model": "openai/y"}}
    policy = loaded(tmp_path, "risk=ollama/x,fairness=rules", members=members, models={"default": "openai/z"})
    assert asked(policy) == {
        "governor": "openai/z", "fairness": None, "lore": "openai/y", "narrative": "openai/z", "risk": "ollama/x",
    }  # fmt: skip


def test_the_order_of_the_entries_means_nothing(tmp_path: Path) -> None:
    entries = ["ollama/x", "lore=openai/y", "risk=rules"]
    hashes = {loaded(tmp_path, ",".join(order)).content_hash for order in (entries, entries[::-1])}
    assert len(hashes) == 1


def test_rules_turns_every_model_off(tmp_path: Path) -> None:
    members = {**policy_document()["members"], "lore": {"model": "openai/y"}}
    policy = loaded(tmp_path, "rules", members=members, models={"default": "openai/z"})
    assert asked(policy) == dict.fromkeys(MEMBERS)


def test_a_url_moves_the_endpoint_and_keeps_what_else_the_policy_says_of_it() -> None:
    policy = load_policy(default_policy_path(), "openai/gpt-4.1-mini@http://127.0.0.1:4010/v1/")
    use = policy.members["lore"].model
    assert use is not None
    endpoint = use.endpoint
    assert (endpoint.base_url, endpoint.key, endpoint.structured) == (
        "http://127.0.0.1:4010/v1",
        "OPENAI_API_KEY",
        "json_schema",
    )
    assert use.price == Price(400_000, 100_000, 1_600_000)


def test_a_url_makes_a_server_known_that_the_policy_does_not_name(tmp_path: Path) -> None:
    policy = loaded(tmp_path, "lab/qwen@http://10.0.0.7:8000/v1")
    document: Any = policy.document
    assert document["models"]["endpoints"]["lab"] == {
        "base_url": "http://10.0.0.7:8000/v1", "key": None, "structured": "auto", "concurrency": 16,
    }  # fmt: skip
    assert asked(policy)["risk"] == "lab/qwen"


def test_an_endpoint_that_nobody_knows_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidPolicyError) as caught:
        loaded(tmp_path, "olama/x,lore=bab/y")
    assert [str(fault) for fault in caught.value.faults] == [
        "COUNCIL_MODELS: the entry 'olama/x': the endpoint 'olama' is not known; did you mean 'ollama'?; "
        "a server of your own: ENDPOINT/MODEL@URL",
        "COUNCIL_MODELS: the entry 'lore=bab/y': the endpoint 'bab' is not known; known: lmstudio, ollama, openai, vllm; "
        "a server of your own: ENDPOINT/MODEL@URL",
    ]


def test_faults_of_the_file_come_before_those_of_the_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidPolicyError) as caught:
        loaded(tmp_path, "olama/x", version=0)
    assert [fault.key for fault in caught.value.faults] == ["version"]


def test_hash_and_record_tell_the_models_that_were_asked(tmp_path: Path) -> None:
    """The record is the policy with the line laid over it, and rebuilds to the same (S0-110)."""
    plain, chosen = small_policy(tmp_path), loaded(tmp_path, "lmstudio/q@http://127.0.0.1:9999/v1,lore=rules")
    assert chosen.content_hash != plain.content_hash
    again = policy_from_document(json.loads(canonical_json(chosen.document)))
    assert again.content_hash == chosen.content_hash == sha256_hex(canonical_json(chosen.document))
    assert again.members == chosen.members
    assert asked(again) == {**dict.fromkeys(MEMBERS, "lmstudio/q"), "lore": None}


def test_without_the_line_the_file_is_what_it_is(tmp_path: Path) -> None:
    path = write_policy(tmp_path / "p.yaml", models={"default": "ollama/x"})
    assert load_policy(path, "").content_hash == load_policy(path, None).content_hash == load_policy(path).content_hash


def test_a_line_that_says_what_the_file_says_changes_no_hash(tmp_path: Path) -> None:
    path = write_policy(tmp_path / "p.yaml", models={"default": "ollama/x"})
    assert load_policy(path, "ollama/x").content_hash == load_policy(path).content_hash


def test_shadow_policies_stay_as_they_are(tmp_path: Path) -> None:
    """They ask nobody; an endpoint that only the live policy names must not make them unreadable."""
    write_policy(tmp_path / "trial.yaml", merge={"quorum": 1})
    lab = {"endpoints": {"lab": {"base_url": "http://10.0.0.7/v1"}}}
    (shadow,) = loaded(tmp_path, "lab/x", shadow=["trial.yaml"], models=lab).shadows
    assert shadow.content_hash == load_policy(tmp_path / "trial.yaml").content_hash
