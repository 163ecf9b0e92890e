"""`council migrate`: the database's schema."""

from cli.ledger import database_url
from cli.options import AsJson, Database
from cli.output import write_json, write_line
from cli.running import new_app
from council.ledger import opening

app = new_app()


@app.command()
def migrate(database: Database = None, as_json: AsJson = False) -> None:
    """Bring the database to the current schema.

    Makes a SQLite file that is missing; run it before a new version starts on PostgreSQL. It changes nothing where the
    schema is current.
    """
    url = database_url(database)
    opening.migrate(url)
    kind = opening.read_url(url).kind
    if as_json:
        write_json({"database": kind, "schema": "current"})
    else:
        write_line(f"✓ the {kind} database has the current schema")
