"""The command line of the serving process."""

from typing import Annotated

import typer

from rookery.service import Process, Settings, listen, require_token, run, version

app = typer.Typer(add_completion=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("rookery.serving"))
        raise typer.Exit


@app.command()
def main(
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65_535,
            help="Port to listen on; 0 for any free one. Default: the first free one"
            " from 8080.",
        ),
    ] = None,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> int:
    """Serve the dashboard and the REST interface over lake and log.

    What it connects to comes from the environment: ROOKERY_BUS, ROOKERY_LAKE,
    ROOKERY_STATE, and ROOKERY_HOST with ROOKERY_TOKEN to be reached from other machines.
    """
    del show_version
    # Imported late: `--help` needs no web framework.
    from rookery.serving._app import serve

    settings = Settings()
    require_token(settings)
    opened = listen(settings.host, port)

    def announce(address: str) -> None:
        print(f"dashboard: {address}", flush=True)

    async def serving(process: Process) -> None:
        await serve(process, opened, announce)

    with opened:
        return run(serving, name="serving", settings=settings)
