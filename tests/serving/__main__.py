"""The commands `python -m tests.serving load` and `python -m tests.serving fuzz`; see `--help`."""

import os

import click

from tests.serving.running import running


@click.group()
def main() -> None:
    """Ask a service that runs for the purpose, hard or strangely, and print what it did."""


@main.command()
@click.option("--model", default="imdb", show_default=True, help="Name or directory.")
@click.option("--clients", default=32, show_default=True, help="That ask at a time.")
@click.option("--minutes", default=2.0, show_default=True, help="How long.")
@click.option("--alone-minutes", default=1.0, show_default=True, help="How long a text a batch.")
def load(model: str, clients: int, minutes: float, alone_minutes: float) -> None:
    """Have clients ask about a text each, again and again.

    Then once more of a service that classifies each request by itself, as TensorFlow Serving does
    unless it is told to batch.
    """
    from tests.serving.load import loaded

    with running(model) as server:
        together = loaded(server, clients, minutes)
    with running(model, "--max-batch", 1) as server:
        alone = loaded(server, clients, alone_minutes)
    click.echo("\n".join(together.lines()))
    click.echo("one request a batch:")
    click.echo("\n".join(alone.lines()))
    click.echo(
        f"{together.rate / alone.rate:.2f} times the texts of one request a batch; "
        f"{clients} clients on {os.cpu_count()} cores under a load of {os.getloadavg()[1]:.1f}"
    )


@main.command()
@click.option("--model", default="imdb-tiny", show_default=True, help="Name or directory.")
@click.option("--requests", default=5000, show_default=True, help="At least.")
@click.option("--minutes", default=60.0, show_default=True, help="At most, about.")
def fuzz(model: str, requests: int, minutes: float) -> None:
    """Have a fuzzer make requests of the service's description; any 5xx is a fault."""
    from tests.serving.fuzz import fuzzed

    with running(model, "--numpy") as server:
        found = fuzzed(server, requests, minutes)
        click.echo("\n".join(found.lines()))
        raise SystemExit(bool(found.faults or server.process.poll() is not None))


if __name__ == "__main__":
    main()
