"""The export stage, and the export of any model: a SavedModel, or what other runtimes read."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.config import ExportSettings, Recipe, load_section
from pipelines.logs import native_messages_held_back
from pipelines.own_process import choose_backend
from pipelines.results import export_line
from pipelines.rundir import SAVED_MODEL, RunDirectory, format_directory
from sentiment_lstm.bundle import resolve_model
from sentiment_lstm.progress import Progress


def execute(recipe: Recipe, run: RunDirectory, progress: Progress) -> None:
    """Export the run's model to `RUN/export/VERSION`, the layout of TensorFlow Serving.

    Formats other than the SavedModel go to `RUN/export/FORMAT/VERSION`.

    Raises:
        ExportError: if what was exported does not answer as the model does.
    """
    for form in recipe.export.formats:
        _export(form, run.bundle, run.exported(form), recipe.export, progress)


def export_model(
    model: str, output: Path, overrides: Sequence[str], progress: Progress
) -> Iterator[str]:
    """Export any model to `output/VERSION` or `output/FORMAT/VERSION`; yield a line for each.

    Args:
        model: as `sentiment_lstm.bundle.resolve_model` takes it.
        output: base directory, such as TensorFlow Serving is given.
        overrides: of the section `export`.
        progress: shows how far it is.

    Raises:
        BundleError: if there is no such model.
        ExportError: if what was exported does not answer as the model does.
    """
    settings: ExportSettings = load_section("export", {}, overrides)
    bundle = resolve_model(model)
    choose_backend("tensorflow")
    for form in settings.formats:
        target = format_directory(output, form)
        with native_messages_held_back():
            _export(form, bundle, target, settings, progress)
        yield export_line(target, form, settings.version)


def _export(
    form: str, bundle: Path, target: Path, settings: ExportSettings, progress: Progress
) -> None:
    if form == SAVED_MODEL:
        from sentiment_lstm.export import export_saved_model

        export_saved_model(bundle, target, version=settings.version, progress=progress)
        return
    from sentiment_lstm.token_export import export_token_model

    version, weights = settings.version, settings.weights
    export_token_model(bundle, target, form, version=version, weights=weights, progress=progress)
