"""The command line of the serving process."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rookery.service import Process

app = typer.Typer(add_completion=False)


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
) -> int:
    """Serve the dashboard and the REST interface over lake and log.

    What it connects to comes from the environment: ROOKERY_BUS, ROOKERY_LAKE,
    ROOKERY_STATE, and ROOKERY_HOST with ROOKERY_TOKEN to be reached from other machines.
    """
    # Imported late: `--help` needs no web framework.
    from rookery.service import Settings, listen, require_token, run
    from rookery.serving._app import serve

    settings = Settings()
    require_token(settings)
    opened = listen(settings.host, port)

    def announce(address: str) -> None:
        print(f"dashboard: {address}", flush=True)

    async def serving(process: "Process") -> None:
        await serve(process, opened, announce)

    with opened:
        return run(serving, name="serving", settings=settings)
