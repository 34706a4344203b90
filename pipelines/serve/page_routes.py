"""The page: its files come from this package, and a strict policy lets it load nothing else."""

from collections.abc import Callable, Coroutine
from importlib import resources
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from pipelines.serve.replies import json_reply
from pipelines.serve.service import Service
from sentiment_lstm import __version__

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'none'",
    )
)
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
INDEX = "index.html"


def page_routes(service: Service) -> APIRouter:
    """Return the page at `/`, its files, and what it asks about the model."""
    router = APIRouter(include_in_schema=False)
    for name, content in page_files().items():
        path = "/" if name == INDEX else f"/page/{name}"
        router.add_api_route(path, _sender(content, KINDS[f".{name.rpartition('.')[2]}"]))

    @router.get("/page/model")
    async def model() -> Response:
        config = service.model.config
        return json_reply(
            {
                "name": service.name,
                "package": __version__,
                "version": service.model.version,
                "labels": config.labels,
                "task": config.task,
                "units": config.units,
                "layers": config.layers,
            }
        )

    return router


def page_files() -> dict[str, bytes]:
    """Return each file of the page by its name."""
    directory = resources.files("pipelines.serve") / "page"
    files = (f for f in directory.iterdir() if f".{f.name.rpartition('.')[2]}" in KINDS)
    return {file.name: file.read_bytes() for file in files}


def _sender(content: bytes, kind: str) -> Callable[[], Coroutine[Any, Any, Response]]:
    async def send() -> Response:
        return Response(content, headers={"cache-control": "no-cache"}, media_type=kind)

    return send
