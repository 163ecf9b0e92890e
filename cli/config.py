"""`council config`: every setting of the product."""

from rich import box
from rich.table import Table
from rich.text import Text

from cli.console import draw
from cli.options import AsJson
from cli.output import note, write_json
from cli.running import new_app
from cli.text import clean
from gateway.settings import read_settings, unknown_variables
from gateway.settings_shown import ShownSetting, shown_settings

app = new_app()


@app.command()
def config(as_json: AsJson = False) -> None:
    """List every setting with its value and source.

    Settings come from the environment; secrets are never shown. A variable that starts with COUNCIL_ and names no
    setting is told on standard error.
    """
    settings = shown_settings(read_settings())
    if as_json:
        write_json([setting._asdict() for setting in settings])
    else:
        draw(_table(settings))
    for line in unknown_variables():
        note(f"council: {clean(line)}")


def _table(settings: tuple[ShownSetting, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning", ratio=1)
    for setting in settings:
        is_default = setting.source == "default"
        value = Text(clean(setting.value), style="dim" if is_default else "bold")
        if not is_default:
            value.append(f"\nfrom the {setting.source}, default {clean(setting.default)}", style="dim not bold")
        table.add_row(setting.variable, value, Text(setting.meaning))
    return table
