"""`authserver explain`: why a request was refused, in the words of the console's Recent failures."""

import click

from authserver.admin import failures
from authserver.cli.options import as_json
from authserver.cli.output import plain, show
from authserver.cli.place import operation


@click.command()
@click.argument("error_id")
@as_json
def explain(error_id: str, as_json: bool) -> None:
    """Say why a request was refused, by the error id that the page or the answer showed.

    \b
    Example:  authserver explain 4f1c2a9be07d55c3a1
    """
    with operation() as work:
        found = failures.explain(work, failures.get_failure(work, error_id))
        document = failures.explanation_document(found)
    if as_json:
        show(document, as_json)
        return
    click.echo(plain(document["title"]))
    for sentence in document["explanation"]:
        click.echo(f"  {plain(sentence)}")
    click.echo()
    show({name: document[name] for name in ("at", "endpoint", "error", "client_id", "client_name", "because")}, as_json)
    for name, value in document["asked"].items():
        click.echo(f"asked       {name} = {plain(value)}")
    for name, values in document["registered"].items():
        for value in values:
            click.echo(f"registered  {name} = {plain(value)}")
    if document["mend"]:
        click.echo(f"mend        {plain(document['mend']['label'])}")
