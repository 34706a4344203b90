"""The serve command: a model and an address in, answers out until it is stopped."""

from collections.abc import Callable

from pipelines.classify import model_or_default
from pipelines.serve.limits import Limits
from sentiment_lstm.bundle import resolve_model
from sentiment_lstm.errors import SettingsError

NEEDS = frozenset({"fastapi", "starlette", "uvicorn", "h11", "prometheus_client"})


def serve_model(
    model: str | None,
    host: str,
    port: int,
    limits: Limits,
    *,
    compiled: bool,
    watch_seconds: float,
    announce: Callable[[str], None],
) -> None:
    """Serve a model until a signal comes.

    Args:
        model: name or directory; None is the model that ships.
        host: address to listen at.
        port: likewise; 0 takes a free one.
        limits: on requests.
        compiled: run the network compiled, else by numpy alone.
        watch_seconds: between two looks at the model's directory.
        announce: told, in one line, where it is reached.

    Raises:
        SettingsError: without the extra that it needs, or for an address it cannot listen at.
        BundleError: if the model is missing or not sound.
    """
    try:
        from pipelines.serve import server
        from pipelines.serve.service import Service
    except ModuleNotFoundError as error:
        if error.name not in NEEDS:
            raise
        raise SettingsError(
            f"serve needs {error.name}, which is not installed: pip install '.[serve]'"
        ) from error
    directory = resolve_model(model_or_default(model))
    with server.listening(host, port) as bound:
        service = Service(directory, limits, compiled=compiled, watch_seconds=watch_seconds)
        said = f"{service.name} at {server.address_of(bound)}"
        server.serve(bound, service, lambda: announce(said))
