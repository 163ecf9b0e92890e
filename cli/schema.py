"""`council schema`: the contracts as JSON Schema, and how schemas are printed and written."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.errors import CliError
from cli.export_schema import export_schema
from cli.options import AsJson
from cli.output import note, write_json, write_line
from cli.record_schema import record_schema
from cli.running import new_app
from cli.suite_schema import run_schema, suite_schema
from policies.contracts.answer import Answer
from policies.contracts.request import DecisionRequest
from policies.faults import did_you_mean

app = new_app()
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NAMES: Final = ("request", "answer", "record", "export", "suite", "run")


@app.command()
def schema(
    name: Annotated[str | None, typer.Argument(metavar="|".join(NAMES), help="Only this one.")] = None,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="DIR", help="Write NAME.schema.json files to a directory.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schemas of requests, answers, records, exports, suites and run logs.

    The repository keeps them in docs/schemas; `council schema --write docs/schemas` brings them up to date.
    """
    print_schemas(name, schemas(), write, as_json=as_json)


def print_schemas(name: str | None, found: dict[str, dict[str, Any]], write: Path | None, *, as_json: bool) -> None:
    """Print schemas, or write each to a file.

    Args:
        name: only this one.
        write: the directory to write to; None prints.

    Raises:
        CliError: for an unknown name, or a directory that cannot be written to.
    """
    if name is not None and name not in found:
        raise CliError(f"unknown schema {name!r}", did_you_mean(name, list(found)))
    chosen = {name: found[name]} if name is not None else found
    if write is not None:
        _write(chosen, write)
    elif as_json:
        write_json(chosen[name] if name is not None else chosen)
    else:
        write_line(written(chosen[name] if name is not None else chosen).rstrip())


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every contract by name."""
    request, answer = DecisionRequest.model_json_schema(), Answer.model_json_schema()
    definitions = {**request.pop("$defs"), **answer.pop("$defs")}
    record = record_schema(request, answer)
    return {
        "request": _titled("request", "DecisionRequest", request, definitions),
        "answer": _titled("answer", "Answer", answer, definitions),
        "record": _titled("record", "Record", record, definitions),
        "export": _titled("export", "ExportLine", export_schema(), {**definitions, "Record": record}),
        "suite": suite_schema(),
        "run": run_schema(),
    }


def written(document: dict[str, Any]) -> str:
    """Return a schema as its file holds it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _titled(name: str, title: str, body: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    used = _used(body, definitions)
    kept = {key: value for key, value in sorted(definitions.items()) if key in used}
    return {"$schema": DIALECT, "$id": f"council.{name}", "title": title, **body, "$defs": kept}


def _used(body: Any, definitions: dict[str, Any]) -> set[str]:
    """Return the definitions that a schema refers to, directly or through others."""
    text, used = json.dumps(body), set[str]()
    waiting = [name for name in definitions if f'"#/$defs/{name}"' in text]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            text = json.dumps(definitions[name])
            waiting += [other for other in definitions if f'"#/$defs/{other}"' in text]
    return used


def _write(chosen: dict[str, dict[str, Any]], directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, document in chosen.items():
            path = directory / f"{name}.schema.json"
            path.write_text(written(document), encoding="utf-8")
            note(f"wrote {path}")
    except OSError as error:
        fix = "name a directory that you may write to"
        raise CliError(f"cannot write to {str(directory)!r}: {(error.strerror or '').lower()}", fix) from None
