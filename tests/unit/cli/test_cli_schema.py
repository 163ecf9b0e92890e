"""The JSON Schemas say what the code says."""

import re
from pathlib import Path

import jsonschema
import pytest

from cli.main import main
from cli.record_schema import SCHEMA
from cli.schema import NAMES, schemas, written
from council.record import SCHEMA as WRITTEN_SCHEMA
from tests.unit.cli.sample_records import COUNCIL_RECORD, FAST_RECORD, REQUEST, VETO_RECORD

KEPT = Path(__file__).parents[3] / "docs" / "schemas"


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_kept_in_the_repository_are_those_of_the_code(name: str) -> None:
    kept = (KEPT / f"{name}.schema.json").read_text(encoding="utf-8")
    assert kept == written(schemas()[name]), "run: council schema --write docs/schemas"


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_a_valid_schema_without_dangling_references(name: str) -> None:
    schema = schemas()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    named = {reference.removeprefix("#/$defs/") for reference in re.findall(r'"\$ref": "([^"]*)"', written(schema))}
    assert named == set(schema["$defs"])


@pytest.mark.parametrize("record", [COUNCIL_RECORD, VETO_RECORD, FAST_RECORD], ids=["council", "veto", "fast"])
def test_records_fit_the_schema_and_spoiled_ones_do_not(record: dict[str, object]) -> None:
    validator = jsonschema.Draft202012Validator(schemas()["record"])
    assert [error.message for error in validator.iter_errors(record)] == []
    assert not validator.is_valid({**record, "extra": 1})
    assert not validator.is_valid({key: value for key, value in record.items() if key != "held"})


def test_a_request_fits_the_schema_and_a_misspelled_one_does_not() -> None:
    validator = jsonschema.Draft202012Validator(schemas()["request"])
    assert validator.is_valid(REQUEST)
    assert not validator.is_valid({**REQUEST, "decision_typ": "sovereign_action"})


def test_the_schema_names_the_version_that_records_carry() -> None:
    assert SCHEMA == WRITTEN_SCHEMA


def test_schema_writes_its_files_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "answer", "--write", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["answer.schema.json"]
    assert capsys.readouterr().out == ""


def test_an_unknown_schema_is_answered_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "awnser"]) == 2
    assert capsys.readouterr().err == "council: unknown schema 'awnser'\n  → did you mean 'answer'?\n"
