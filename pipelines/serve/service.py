"""What stands behind the routes: the model, its two queues of work, and what is counted."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from starlette.requests import Request

from pipelines.explained_json import explanation_json
from pipelines.serve.asked import Text
from pipelines.serve.batcher import Batcher, Closed, Full
from pipelines.serve.limits import Limits
from pipelines.serve.meters import Meters
from pipelines.serve.refusals import (
    CLIENT_GONE,
    SOON,
    TOO_LARGE,
    TOO_MANY,
    UNAVAILABLE,
    UNFIT,
    Refusal,
)
from pipelines.serve.served_model import ServedModel, load_model, model_name
from pipelines.serve.watching import ModelWatch, footprint
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.classifier import Prediction
from sentiment_lstm.errors import DataError
from sentiment_lstm.explain import Explainer

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class Answered(NamedTuple):
    """An answer, and the configuration of the model that gave it."""

    prediction: Prediction
    config: BundleConfig


class Wanted(NamedTuple):
    """A text to explain, and the phrases of it that are to get a share each."""

    text: Text
    phrases: tuple[str, ...] = ()


class Service:
    """A model that answers, and is replaced while it does.

    Classifying and explaining have a thread each: a long explanation holds up no verdict.

    Args:
        directory: of the bundle.
        limits: on requests.
        compiled: run the network compiled, else by numpy alone.
        watch_seconds: between two looks at the directory.

    Raises:
        BundleError: if the model is missing or not sound.
    """

    def __init__(
        self, directory: Path, limits: Limits, *, compiled: bool, watch_seconds: float
    ) -> None:
        self.name, self.limits, self.meters = model_name(directory), limits, Meters()
        self._directory, self._compiled = directory, compiled
        stands = footprint(directory)
        self._serve_model(load_model(directory, 1, compiled=compiled))
        self._classify = Batcher(
            self._classified, batch=limits.batch, waiting=limits.waiting, name="classify"
        )
        self._explain = Batcher(
            self._explained, batch=1, waiting=limits.waiting_explained, name="explain"
        )
        self.meters.watch_queue("classify", lambda: self._classify.waiting)
        self.meters.watch_queue("explain", lambda: self._explain.waiting)
        self._watch = ModelWatch(
            directory, stands, self._replace, self._count_refused, watch_seconds
        )
        self._watch.start()

    @property
    def ready(self) -> bool:
        """Whether requests are answered."""
        return self._classify.alive and self._explain.alive

    def close(self) -> None:
        """Answer what waits, and end."""
        self._watch.stop()
        self._classify.close()
        self._explain.close()

    async def classify(self, request: Request, texts: list[Text]) -> list[Answered]:
        """Return an answer for each text.

        Raises:
            Refusal: if too much waits, or there is no answer in time.
        """
        return await self._answer(request, lambda: self._classify.submit(texts))

    async def explain(self, request: Request, wanted: list[Wanted]) -> list[str]:
        """Return, for each text, why it is answered so, as JSON.

        Raises:
            Refusal: if too much waits, there is no answer in time, or a phrase does not stand in
                its text, or all of them in too many places.
        """
        return await self._answer(request, lambda: self._explain.submit(wanted))

    async def _answer(
        self, request: Request, submit: "Callable[[], Future[list[Result]]]"
    ) -> list[Result]:
        try:
            answer = asyncio.wrap_future(submit())
        except Full as full:
            told = f"{full} texts wait already: try again in a second, or with fewer texts"
            raise Refusal(TOO_MANY, told, SOON) from None
        except Closed:
            raise Refusal(UNAVAILABLE, "the service is stopping: ask another one") from None
        return await _unless_gone(request, answer, self.limits.answer_seconds)

    def _classified(self, texts: list[Text]) -> list[Answered]:
        model = self.model
        self.meters.batches.observe(len(texts))
        answers = [Answered(p, model.config) for p in model.classifier.classify(texts)]
        self.meters.texts.labels("classify").inc(len(texts))
        return answers

    def _explained(self, wanted: list[Wanted]) -> list[str]:
        explainer = self.model.explainer
        for each in wanted:
            _check_places(explainer, each, self.limits.places)
        found = [explanation_json(explainer.explain(w.text, phrases=w.phrases)) for w in wanted]
        self.meters.texts.labels("explain").inc(len(wanted))
        return found

    def _serve_model(self, model: ServedModel) -> None:
        self.model = model
        self.meters.version.set(model.version)

    def _replace(self) -> None:
        version = self.model.version + 1
        self._serve_model(load_model(self._directory, version, compiled=self._compiled))
        self.meters.models.labels("served").inc()
        log.info("version %d of %s serves", version, self.name)

    def _count_refused(self) -> None:
        self.meters.models.labels("refused").inc()


def _check_places(explainer: Explainer, wanted: Wanted, most: int) -> None:
    """See that phrases stand in their text, and in so few places that the work is bounded.

    Raises:
        Refusal: if they do not.
    """
    try:
        places = len(explainer.places(wanted.text, wanted.phrases))
    except DataError as error:
        raise Refusal(UNFIT, str(error)) from None
    if places > most:
        told = f"the phrases stand in {places:,} places of the text: ask for {most:,} at most"
        raise Refusal(TOO_LARGE, told)


async def _unless_gone(
    request: Request, answer: "asyncio.Future[list[Result]]", seconds: float
) -> list[Result]:
    """Wait for an answer, as long as somebody waits for it, and so many seconds at most.

    What is cancelled while it waits costs nothing: a page asks anew at every pause in typing.
    """
    gone = asyncio.ensure_future(_gone(request))
    either: set[asyncio.Future[Any]] = {answer, gone}
    try:
        done, _ = await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if answer in done:
            return answer.result()
        if gone in done:
            raise Refusal(CLIENT_GONE, "the client left before the answer")
        late = f"no answer within {seconds:g} s: try again, or with fewer or shorter texts"
        raise Refusal(UNAVAILABLE, late, SOON)
    finally:
        gone.cancel()
        answer.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
