"""The export stage, and the export of any model: a SavedModel that takes raw text."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.config import ExportSettings, Recipe, load_section
from pipelines.logs import native_messages_held_back
from pipelines.own_process import choose_backend
from pipelines.rundir import RunDirectory
from sentiment_lstm.bundle import resolve_model
from sentiment_lstm.progress import Progress


def execute(recipe: Recipe, run: RunDirectory, progress: Progress) -> None:
    """Export the run's model to `RUN/export/VERSION`, the layout of TensorFlow Serving.

    Raises:
        ExportError: if what was exported does not answer as the model does.
    """
    from sentiment_lstm.export import export_saved_model

    export_saved_model(run.bundle, run.export, version=recipe.export.version, progress=progress)


def export_model(model: str, output: Path, overrides: Sequence[str], progress: Progress) -> Path:
    """Export any model to `output/VERSION` and return that directory.

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
    with native_messages_held_back():
        from sentiment_lstm.export import export_saved_model

        export_saved_model(bundle, output, version=settings.version, progress=progress)
    return output / str(settings.version)
