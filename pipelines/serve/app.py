"""The service as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from pipelines.serve.guards import Guards
from pipelines.serve.page_routes import page_routes
from pipelines.serve.refusals import Refusal
from pipelines.serve.replies import failed, refused, refused_by_framework
from pipelines.serve.routes import answer_routes, health_routes, tensorflow_serving_routes
from pipelines.serve.service import Service
from sentiment_lstm import __version__


def create_app(service: Service) -> FastAPI:
    """Return the application of a service, which it closes when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(service.close)

    # The pages of documentation that the framework brings load their scripts from elsewhere.
    app = FastAPI(
        title="sentiment-lstm",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, refused_by_framework)
    app.add_exception_handler(Exception, failed)
    for routes in (answer_routes, tensorflow_serving_routes, health_routes, page_routes):
        app.include_router(routes(service))
    app.add_middleware(Guards, meters=service.meters)
    return app
