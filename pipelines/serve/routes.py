"""What the service answers, route by route."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from pipelines.answers import exact_answer
from pipelines.serve import schemas, tensorflow_serving
from pipelines.serve.asked import asked_abstain, asked_phrases, asked_texts, checked
from pipelines.serve.bodies import clipped, json_object
from pipelines.serve.refusals import NOT_FOUND, UNAVAILABLE, UNFIT, Refusal
from pipelines.serve.replies import json_reply, written_reply
from pipelines.serve.service import Answered, Service, Wanted
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.predictions import Answers

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
BODY_REFUSALS = (400, 408, 413, 422, 429, 503)


def answer_routes(service: Service) -> APIRouter:
    """Return `/v1/classify` and `/v1/explain`."""
    router, limits, config = APIRouter(), service.limits, service.model.config
    predictions = schemas.one_or_many(schemas.prediction(config), "predictions")
    explanations = schemas.one_or_many(schemas.explanation(), "explanations")

    @router.post(
        "/v1/classify",
        openapi_extra=schemas.body(schemas.classified_texts(limits, config)),
        responses=schemas.responses(predictions, *BODY_REFUSALS),
    )
    async def classify(request: Request) -> Response:
        """Tell the sentiment of a text, or of each of several; unsure where the margin is small."""
        body = await json_object(request, limits)
        abstain = asked_abstain(body)
        asked = asked_texts(body, limits, limits.texts)
        found = await service.classify(request, asked.texts)
        answers = [exact_answer(*_decided(each, abstain)) for each in found]
        return json_reply({"predictions": answers} if asked.many else answers[0])

    @router.post(
        "/v1/explain",
        openapi_extra=schemas.body(schemas.explained_texts(limits)),
        responses=schemas.responses(explanations, *BODY_REFUSALS),
    )
    async def explain(request: Request) -> Response:
        """Tell why a text, or each of several, gets its verdict; of one, what its phrases say."""
        body = await json_object(request, limits)
        phrases = asked_phrases(body, limits)
        asked = asked_texts(body, limits, limits.explained)
        found = await service.explain(request, [Wanted(text, phrases) for text in asked.texts])
        return written_reply(_listed("explanations", found) if asked.many else found[0])

    return router


def _decided(answered: Answered, abstain: float | None) -> Answered:
    """Return an answer as it is with another margin; texts of all margins are run together."""
    prediction, config = answered
    if abstain is None:
        return answered
    try:
        answers = Answers(config, abstain=abstain)
    except SettingsError as error:
        raise Refusal(UNFIT, str(error)) from None
    return Answered(answers.again(prediction), config)


def _listed(name: str, values: Sequence[str]) -> str:
    """Return an object of one list, of values that are JSON already."""
    return f'{{"{name}": [{", ".join(values)}]}}'


def tensorflow_serving_routes(service: Service) -> APIRouter:
    """Return the model's status and `:predict`, as TensorFlow Serving has them."""
    router, limits = APIRouter(), service.limits
    anything = {"type": "object"}
    Name = Annotated[str, Path(json_schema_extra={"enum": [service.name]})]

    def check(name: str) -> None:
        if name != service.name:
            told = f"no model {clipped(name)!r} is served: ask for {service.name!r}"
            raise Refusal(NOT_FOUND, told)

    @router.get("/v1/models/{name}", responses=schemas.responses(anything, 404))
    async def model_status(name: Name) -> Response:
        """Tell which version of the model serves."""
        check(name)
        return json_reply(tensorflow_serving.status(service.model.version))

    @router.post(
        "/v1/models/{name}:predict",
        openapi_extra=schemas.body(schemas.instances(limits)),
        responses=schemas.responses(anything, 404, *BODY_REFUSALS),
    )
    async def predict(request: Request, name: Name) -> Response:
        """Tell the sentiment of each instance."""
        check(name)
        asked = tensorflow_serving.asked_texts(await json_object(request, limits))
        texts = checked(asked.texts, limits, limits.texts)
        found = await service.classify(request, texts)
        return json_reply(tensorflow_serving.answer(found, rows=asked.rows))

    return router


def health_routes(service: Service) -> APIRouter:
    """Return what those ask who keep services running."""
    router = APIRouter()
    state = {"type": "object", "properties": {"status": {"type": "string"}}}

    @router.get("/healthz", responses=schemas.responses(state))
    async def alive() -> Response:
        """Tell that the process answers."""
        return json_reply({"status": "ok"})

    @router.get("/readyz", responses=schemas.responses(state, 503))
    async def ready() -> Response:
        """Tell whether texts are answered."""
        if not service.ready:
            raise Refusal(UNAVAILABLE, "the service is stopping: ask another one")
        return json_reply({"status": "ready"})

    @router.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Return what is counted, as Prometheus reads it."""
        return Response(service.meters.page(), media_type=PROMETHEUS)

    return router
