"""The command line. Each command parses, calls one function and prints.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TextIO, TypeVar

import click

import sentiment_lstm
from pipelines import completion as completed
from pipelines.streams import forget_output, open_standard_streams, output_is_lost
from sentiment_lstm.errors import SentimentError, system_message

if TYPE_CHECKING:
    from pipelines.distributed.engine import Engine
    from sentiment_lstm.progress import Progress
    from sentiment_lstm.records import Rejection, Row

Command = TypeVar("Command", bound=Callable[..., Any])

STAGE_NAMES = ("preprocess", "pretrain", "teach", "train", "evaluate", "export")
TRACKERS = ("tensorboard", "mlflow")
EXPORT_FORMATS = ("savedmodel", "onnx", "litert", "keras")
SECTION_NAMES = ("memory", "gradients", "stability", "cost", "accuracy", "gates")
BROKEN_PIPE = 141  # as shells report SIGPIPE


class Failure(click.ClickException):
    """An error as people see it: one line on standard error, and an exit status."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(f"error: {_one_line(' '.join(self.message.split()))}", file=file, err=True)


def _one_line(text: str) -> str:
    """Return a text as it can be shown: what it quotes of files must not steer the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class Interruption(Failure):
    """Ctrl-C."""

    exit_code = 130  # as shells report SIGINT


class Commands(click.Group):
    """A group whose commands end in one line and a status, whatever goes wrong outside of them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except SentimentError as error:
            raise Failure(str(error)) from error
        except BrokenPipeError:
            forget_output()
            ctx.exit(BROKEN_PIPE)
        except KeyboardInterrupt as stop:
            said = ": ".join(filter(None, ("interrupted", str(stop))))
            raise Interruption(said) from None
        except OSError as error:
            raise Failure(_system_message(error)) from error


def _system_message(error: OSError) -> str:
    unnamed = output_is_lost() and not error.filename
    return ("standard output: " if unnamed else "") + system_message(error)


def recipe_argument(*, required: bool = True) -> Callable[[Command], Command]:
    """Add RECIPE."""
    return click.argument("recipe", required=required, shell_complete=completed.recipes)


def recipe_options(command: Command) -> Command:
    """Add what every stage takes: the recipe's overrides, the run directory."""
    options = (
        click.option("--force", is_flag=True, help="Run even what is up to date."),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="SECTION.KEY=VALUE",
            shell_complete=completed.settings,
            help="Change one setting of the recipe; may be given many times.",
        ),
        click.option(
            "--run-dir",
            type=click.Path(file_okay=False, path_type=Path),
            help="Where the run keeps its files.  [default: runs/RECIPE]",
        ),
    )
    for option in options:
        command = option(command)
    return command


def max_minutes_option(command: Command) -> Command:
    """Add `--max-minutes`, which every command that trains takes."""
    return click.option(
        "--max-minutes",
        type=click.FloatRange(0, min_open=True),
        metavar="N",
        help="Stop training after so long, with a checkpoint: the same command goes on from there.",
    )(command)


def track_option(command: Command) -> Command:
    """Add `--track`, which every command that trains a recipe takes."""
    return click.option(
        "--track",
        "trackers",
        multiple=True,
        type=click.Choice(TRACKERS),
        help="Show the figures there too, as they come; may be given many times.",
    )(command)


def _track_overrides(trackers: Sequence[str]) -> Iterator[str]:
    """Yield the setting that stands behind `--track`."""
    if trackers:
        yield f"track.to={list(dict.fromkeys(trackers))}"


def model_option(text: str) -> Callable[[Command], Command]:
    """Add `--model`, which every command that uses a finished model takes."""
    return click.option("--model", metavar="NAME|DIR", help=text, shell_complete=completed.models)


def engine_options(command: Command) -> Command:
    """Add what every command takes that a Ray cluster can run; `_engine` reads it."""
    options = (
        click.option(
            "--workers",
            type=click.IntRange(1),
            metavar="N",
            help="With ray: processes that share the work.  [default: one for each core]",
        ),
        click.option(
            "--address",
            metavar="HOST:PORT",
            help="With ray: of a running cluster.  [default: one is started on this machine]",
        ),
        click.option(
            "--engine",
            "engine_name",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="What does the work: this process, or a Ray cluster.",
        ),
    )
    for option in options:
        command = option(command)
    return command


def _engine(engine_name: str, address: str | None, workers: int | None) -> "Engine":
    from pipelines.distributed.engine import Engine

    for name, value in {"--address": address, "--workers": workers}.items():
        if value is not None and engine_name == "local":
            raise click.UsageError(f"{name} goes with --engine ray.")
    return Engine(engine_name, address, workers)


# Limits of the service: their names in `Limits`, as options, and what they are.
LIMIT_OPTIONS = {
    "body_bytes": ("--max-body-bytes", "Bytes of a request."),
    "texts": ("--max-texts", "Texts of a request."),
    "explained": ("--max-explained", "Texts of a request to explain."),
    "phrases": ("--max-phrases", "Phrases of a request to explain."),
    "phrase_characters": ("--max-phrase-characters", "Characters of a phrase."),
    "places": ("--max-places", "Places where the phrases of a request stand."),
    "characters": ("--max-characters", "Characters of a text."),
    "batch": ("--max-batch", "Texts classified together."),
    "waiting": ("--max-waiting", "Texts that wait to be classified."),
    "waiting_explained": ("--max-waiting-explained", "Texts that wait to be explained."),
    "connections": ("--max-connections", "Connections open at once."),
    "header_seconds": ("--header-timeout", "Seconds for the head of a request to come."),
    "body_seconds": ("--body-timeout", "Seconds for its body to come."),
    "answer_seconds": ("--timeout", "Seconds for the answer, from the end of the body on."),
}


def limit_options(command: Command) -> Command:
    """Add an option for each limit of the service."""
    from pipelines.serve.limits import Limits

    for field, (option, text) in reversed(LIMIT_OPTIONS.items()):
        default = getattr(Limits, field)
        kind = click.IntRange(1) if isinstance(default, int) else click.FloatRange(0, min_open=True)
        command = click.option(
            option, field, type=kind, default=default, show_default=True, help=text
        )(command)
    return command


def _lags(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Read numbers with commas between them; each once, ascending."""
    if value is None:
        return None
    try:
        lags = sorted({int(part) for part in value.split(",")})
    except ValueError:
        raise click.BadParameter(f"{value!r} is not numbers with commas between them") from None
    if lags[0] < 10:
        raise click.BadParameter(f"{lags[0]} is less than 10, the shortest lag")
    return tuple(lags)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(sentiment_lstm.__version__, prog_name="sentiment-lstm")
def cli() -> None:
    """Train, evaluate, export and use an LSTM that tells the sentiment of texts.

    \b
    Examples:
      sentiment-lstm run quickstart
      sentiment-lstm classify --model runs/quickstart "I loved it."
    """
    # TensorFlow's notes on CPU features are nobody's result; and it must leave room on a GPU for
    # a training that runs in a process of its own.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if isinstance(sys.stdout, io.TextIOWrapper):  # whatever the locale; UTF-8 lacks half characters
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


@cli.command()
@recipe_argument()
@recipe_options
@click.option(
    "--until", type=click.Choice(STAGE_NAMES), help="The last stage to run.  [default: all]"
)
@track_option
@max_minutes_option
def run(
    recipe: str,
    run_dir: Path | None,
    overrides: Sequence[str],
    force: bool,
    until: str | None,
    trackers: Sequence[str],
    max_minutes: float | None,
) -> None:
    """Run every stage of RECIPE that is not up to date.

    RECIPE is one that ships (quickstart, imdb-scratch, imdb, imdb-tiny, or what the README runs
    before those two) or a path to a TOML file.

    \b
    Examples:
      sentiment-lstm run quickstart
      sentiment-lstm run imdb-scratch --set train.epochs=3 --run-dir runs/short
      sentiment-lstm run my.toml --set data.train=reviews.csv --until train
      sentiment-lstm run quickstart --track tensorboard --track mlflow
    """
    stages = STAGE_NAMES[: STAGE_NAMES.index(until) + 1] if until else STAGE_NAMES
    shown = ("preprocess",) if until == "preprocess" else stages[1:]
    choice = {"force": force, "until": until, "max_minutes": max_minutes}
    _run_recipe(recipe, run_dir, [*overrides, *_track_overrides(trackers)], shown, **choice)


@cli.command()
@recipe_argument()
@recipe_options
@engine_options
def preprocess(
    recipe: str,
    run_dir: Path | None,
    overrides: Sequence[str],
    force: bool,
    **engine_choice: Any,
) -> None:
    """Turn the texts of RECIPE into token ids, and report on the splits.

    \b
    Examples:
      sentiment-lstm preprocess quickstart
      sentiment-lstm preprocess imdb-scratch --set text.max_tokens=256
      sentiment-lstm preprocess imdb-scratch --engine ray
    """
    engine = _engine(**engine_choice)
    _run_stage("preprocess", recipe, run_dir, overrides, force, engine=engine)


@cli.command()
@recipe_argument()
@recipe_options
@track_option
@max_minutes_option
@engine_options
def pretrain(
    recipe: str,
    run_dir: Path | None,
    overrides: Sequence[str],
    force: bool,
    trackers: Sequence[str],
    max_minutes: float | None,
    **engine_choice: Any,
) -> None:
    """Train the language model of RECIPE, which its classifier starts from; it goes on likewise.

    It reads the texts of train and those of data.unlabelled; nothing happens where pretrain.epochs
    is 0.

    \b
    Examples:
      sentiment-lstm pretrain imdb-teacher
      sentiment-lstm pretrain imdb-teacher --max-minutes 60
      sentiment-lstm pretrain imdb-teacher --engine ray --workers 2
    """
    more = _track_overrides(trackers)
    engine = _engine(**engine_choice)
    _run_stage("pretrain", recipe, run_dir, [*overrides, *more], force, max_minutes, engine=engine)


@cli.command()
@recipe_argument()
@recipe_options
def teach(recipe: str, run_dir: Path | None, overrides: Sequence[str], force: bool) -> None:
    """Have teachers label the unlabelled texts of RECIPE, for its classifier to learn from.

    Teachers are models (teach.models) and n-grams of naive Bayes (teach.ngrams, their weight); what
    is learnt is the mean of their probabilities. Nothing happens where there is none. Parts of the
    texts (teach.sentences) and sentences turned round (teach.contrast) may be taught beside them.

    \b
    Examples:
      sentiment-lstm teach my.toml --set teach.ngrams=1
    """
    _run_stage("teach", recipe, run_dir, overrides, force)


@cli.command()
@recipe_argument()
@recipe_options
@track_option
@max_minutes_option
@engine_options
def train(
    recipe: str,
    run_dir: Path | None,
    overrides: Sequence[str],
    force: bool,
    trackers: Sequence[str],
    max_minutes: float | None,
    **engine_choice: Any,
) -> None:
    """Train the model of RECIPE on what preprocess left; an interrupted training goes on.

    Workers of a cluster share out each batch and sum their gradients: it takes the steps that one
    process takes, and goes on when a worker is lost.

    \b
    Examples:
      sentiment-lstm train quickstart
      sentiment-lstm train imdb-scratch --set train.backend=jax --force
      sentiment-lstm train imdb-scratch --engine ray --workers 2
    """
    more = _track_overrides(trackers)
    engine = _engine(**engine_choice)
    _run_stage("train", recipe, run_dir, [*overrides, *more], force, max_minutes, engine=engine)


@cli.command()
@recipe_argument(required=False)
@recipe_options
@model_option("Evaluate this model in place of a recipe's.")
@click.option(
    "--input",
    "input_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --model: a labelled file.  [default: the test split the model came with]",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --model: also write metrics, predictions, plots and report into this directory.",
)
def evaluate(
    recipe: str | None,
    run_dir: Path | None,
    overrides: Sequence[str],
    force: bool,
    model: str | None,
    input_path: Path | None,
    output: Path | None,
) -> None:
    """Measure the model of RECIPE, or any model, on labelled texts it was not trained on.

    With --model, --set changes the data section that the model was trained with, such as
    data.dir or data.label; data.strict=true stops at the first row that cannot be used.

    \b
    Examples:
      sentiment-lstm evaluate quickstart
      sentiment-lstm evaluate --model runs/quickstart
      sentiment-lstm evaluate --model runs/quickstart --input labelled.csv --output figures
    """
    _require_one("RECIPE", recipe, model)
    if model is None:
        _refuse_with_recipe({"--input": input_path, "--output": output})
        _run_stage("evaluate", str(recipe), run_dir, overrides, force)
        return
    _refuse_with_model({"--run-dir": run_dir, "--force": force})
    from pipelines.evaluate import metrics_table
    from pipelines.evaluate_model import evaluate_model

    with _messages():
        metrics = evaluate_model(
            model, input_path, overrides=overrides, output=output, progress=_progress()
        )
    click.echo(metrics_table(metrics))


@cli.command()
@recipe_argument(required=False)
@recipe_options
@model_option("Export this model in place of a recipe's.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --model: the directory that becomes the SavedModel.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(EXPORT_FORMATS),
    help="What to write; may be given many times.  [default: savedmodel]",
)
@click.option(
    "--weights",
    type=click.Choice(["float32", "int8"]),
    help="How an ONNX file stores its matrices.  [default: float32]",
)
def export(
    recipe: str | None,
    run_dir: Path | None,
    overrides: Sequence[str],
    force: bool,
    model: str | None,
    output: Path | None,
    formats: Sequence[str],
    weights: str | None,
) -> None:
    """Write the model of RECIPE, or any model, for others to run.

    A SavedModel takes raw text. The other formats take token ids, and a tokeniser goes with them:
    ONNX (pip install "sentiment-lstm[onnx]"), LiteRT, once TensorFlow Lite (pip install
    "sentiment-lstm[litert]"), and a Keras file of stock layers. Each is compared with the model in
    a fresh process, and left behind only if it answers alike.

    \b
    Examples:
      sentiment-lstm export quickstart
      sentiment-lstm export --model runs/quickstart --output served/sentiment
      sentiment-lstm export --model imdb-tiny --output away --format onnx --weights int8
    """
    _require_one("RECIPE", recipe, model)
    overrides = [*overrides, *_export_overrides(formats, weights)]
    if model is None:
        _refuse_with_recipe({"--output": output})
        _run_stage("export", str(recipe), run_dir, overrides, force)
        return
    _refuse_with_model({"--run-dir": run_dir, "--force": force})
    if output is None:
        raise click.UsageError("--model needs --output DIR, the directory to write.")
    from pipelines.export import export_model

    with _messages():
        for line in export_model(model, output, overrides, _progress()):
            click.echo(line)


def _export_overrides(formats: Sequence[str], weights: str | None) -> Iterator[str]:
    """Yield the settings that stand behind `--format` and `--weights`."""
    if formats:
        yield f"export.formats={list(dict.fromkeys(formats))}"
    if weights:
        yield f"export.weights={weights}"


@cli.command()
@click.argument("model")
@click.option(
    "--aim",
    metavar="AIM",
    help="accuracy, f1, precision=P (the most recall at a precision of P or more) or recall=R (the "
    "most precision at a recall of R or more).  [default: the threshold stays]",
)
@click.option(
    "--abstain",
    type=click.FloatRange(0, 0.5, max_open=True),
    metavar="W",
    help="Leave a text undecided where its margin is less than W.  [default: 0, decide every text]",
)
@click.option(
    "--abstain-accuracy",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="A",
    help="Take the narrowest margin at which so many of the decided texts are right.",
)
@click.option(
    "--input",
    "input_path",
    type=click.Path(path_type=Path),
    help="Choose on this labelled file.  [default: the validation split of a run directory]",
)
@click.option("--text-column", metavar="NAME", help="Its column that holds the text.")
@click.option("--label-column", metavar="NAME", help="Its column that holds the label.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="The directory that becomes the model.  [default: back into its run directory]",
)
def decide(
    model: str,
    aim: str | None,
    abstain: float | None,
    abstain_accuracy: float | None,
    input_path: Path | None,
    text_column: str | None,
    label_column: str | None,
    output: Path | None,
) -> None:
    """Choose where the verdicts of MODEL turn, and which texts it leaves undecided.

    MODEL is a run directory, whose validation split is read; or, with --input and --output, any
    model. Test is never read. What a run has made from its model is out of date afterwards: run it
    again. A new training forgets the decision.

    \b
    Examples:
      sentiment-lstm decide runs/quickstart --aim f1
      sentiment-lstm decide runs/quickstart --aim recall=0.95 --abstain-accuracy 0.99
      sentiment-lstm decide imdb --aim precision=0.97 --input mine.csv --output mine
    """
    if aim is None and abstain is None and abstain_accuracy is None:
        raise click.UsageError("Nothing to decide: give --aim, --abstain or --abstain-accuracy.")
    if abstain is not None and abstain_accuracy is not None:
        raise click.UsageError("Give --abstain or --abstain-accuracy, not both.")
    if input_path is None and (text_column or label_column):
        raise click.UsageError("--text-column and --label-column go with --input.")
    from pipelines.decide import decide_model, decision_lines
    from sentiment_lstm.deciding import Wish

    with _messages():
        decided = decide_model(
            model,
            Wish(aim, abstain or 0.0, abstain_accuracy),
            labelled=input_path,
            columns={"text": text_column, "label": label_column},
            output=output,
            progress=_progress(),
        )
    for line in decision_lines(decided):
        click.echo(line)


@cli.command()
@click.argument("recipe")
@recipe_options
@click.option(
    "--trials",
    type=click.IntRange(1),
    metavar="N",
    help="Trials that are to be finished, earlier ones counted in.  [default: tune.trials]",
)
@max_minutes_option
def tune(
    recipe: str,
    run_dir: Path | None,
    overrides: Sequence[str],
    force: bool,
    trials: int | None,
    max_minutes: float | None,
) -> None:
    """Search for better settings of RECIPE: train it with other values, and judge by validation.

    Its section [tune] names keys of model and train with their ranges; without one the learning
    rate, batch size, sizes and dropout are searched. What was searched before goes on. It leaves
    the best recipe, a table of the trials and plots; nothing of test is looked at.

    \b
    Examples:
      sentiment-lstm tune quickstart
      sentiment-lstm tune quickstart --trials 50 --max-minutes 30
      sentiment-lstm tune my.toml --set "tune.train.warmup={low=0.0, high=0.3}"
      sentiment-lstm run runs/quickstart/tune/best.toml
    """
    from pipelines.config import load_recipe
    from pipelines.results import stage_results
    from pipelines.rundir import RunDirectory
    from pipelines.tune import tune_recipe

    more = [] if trials is None else [f"tune.trials={trials}"]
    loaded = load_recipe(recipe, [*overrides, *more])
    run = RunDirectory(run_dir or Path("runs") / loaded.name)
    with _messages():
        tune_recipe(loaded, run, force=force, max_minutes=max_minutes, progress=_progress())
    for line in stage_results("tune", loaded, run):
        click.echo(line)


@cli.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@model_option("A model that ships, a bundle, a run directory or a SavedModel.  [default: imdb]")
@click.option(
    "--input",
    "input_name",
    metavar="FILE|-",
    help="Read texts from a .txt, .csv, .tsv or .jsonl file (.gz too), or from standard input. "
    "With ray also from all files of a folder, and from a URL.",
)
@click.option(
    "--input-format",
    type=click.Choice(["txt", "csv", "tsv", "jsonl"]),
    help="How the input is written.  [default: from the file's name; txt for -]",
)
@click.option(
    "--text-column", default="text", show_default=True, help="Column or key that holds the text."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl", "csv"]),
    default="text",
    show_default=True,
    help="How the answers are written.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Least probability of the second of two labels.  [default: the model's own]",
)
@click.option(
    "--abstain",
    type=click.FloatRange(0, 0.5, max_open=True),
    metavar="W",
    help="Answer unsure where the margin is less than W; 0 never.  [default: the model's own]",
)
@click.option("--strict", is_flag=True, help="Stop at the first row that holds no text.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16"]),
    default="float32",
    show_default=True,
    help="Numbers that recurrent products take. mixed_bfloat16 is faster for many texts, where "
    "the processor has it, and moves probabilities by some thousandths.",
)
@click.option(
    "--output",
    metavar="FILE|DIR",
    help="Write to this file, whole or not at all. With ray a folder or a URL, which gets a file "
    "for each part of the input.  [default: standard output]",
)
@engine_options
def classify(
    texts: Sequence[str],
    model: str | None,
    input_name: str | None,
    input_format: str | None,
    text_column: str,
    form: str,
    threshold: float | None,
    abstain: float | None,
    strict: bool,
    precision: str,
    output: str | None,
    **engine_choice: Any,
) -> None:
    """Tell the sentiment of each TEXT, or of each row of a file.

    The probability is that of the second of two labels, and of the likeliest label where there are
    more; the margin its distance to the threshold, or to the next label's. Other columns and keys
    of the input are kept; one named like a part of the answer gets the prefix input_. Rows that
    hold no text are reported on standard error and left out.

    On a cluster each part of the input is answered into a file of its own; the same command goes
    on where one was stopped.

    \b
    Examples:
      sentiment-lstm classify --model runs/quickstart "I loved it." "Not for me."
      sentiment-lstm classify --input reviews.csv --format csv --output answers.csv
      cat reviews.txt | sentiment-lstm classify --format jsonl
      sentiment-lstm classify --engine ray --input reviews --format jsonl --output answers
    """
    engine = _engine(**engine_choice)
    if texts and input_name:
        raise click.UsageError("Give TEXT or --input, not both.")
    if engine.distributed:
        if precision != "float32":
            raise click.UsageError(f"--precision {precision} goes with --engine local alone.")
        options = (input_format, text_column, form, threshold, abstain, strict)
        _classify_batch(engine, model, input_name, output, options)
        return
    if not texts and not input_name and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("Nothing to classify: give TEXT, --input FILE or pipe texts in.")
    from pipelines.classify import open_classifier, typed_rows

    with _messages():
        classifier = open_classifier(model, precision)
        rows = typed_rows(texts) if texts else _rows(input_name or "-", input_format, text_column)
        choice = {"threshold": threshold, "abstain": abstain}
        _classify(rows, classifier, form, choice, strict, _file(output))


def _file(output: str | None) -> Path | None:
    """Return the file to write, None for standard output, which - stands for too."""
    if output in (None, "-"):
        return None
    if not output or Path(output).is_dir():
        what = "is a directory" if output else "is no name of a file"
        raise click.BadParameter(
            f"{output!r} {what}: give a file, or - for standard output.", param_hint="'--output'"
        )
    return Path(output)


def _classify_batch(
    engine: "Engine",
    model: str | None,
    source: str | None,
    output: str | None,
    options: tuple[Any, ...],
) -> None:
    """Have a cluster answer about every row of an input, and tell how many there were."""
    if source in (None, "-") or output is None:
        raise click.UsageError("--engine ray needs --input FILE|DIR|URL and --output DIR|URL.")
    from pipelines.distributed.classifying import Batch, classify_batch
    from pipelines.distributed.scoring import Wish

    kind, *wish = options
    with _messages():
        batch = Batch(model, str(source), kind, output, Wish(*wish))
        counts = classify_batch(batch, engine, _progress())
    _note(f"{counts['rejected']} rows left out, {counts['answered']} answered")


def _classify(
    rows: "Iterator[Row | Rejection]",
    classifier: Any,
    form: str,
    choice: dict[str, float | None],
    strict: bool,
    output: Path | None,
) -> None:
    """Write the answers for rows, and on standard error what became of the others."""
    from pipelines.answers import write_answers
    from pipelines.classify import Rejections, classify_rows

    rejections = Rejections(_note, strict=strict)
    shown = _progress()(rows, total=None, label="classify") if output else rows
    answered = classify_rows(shown, classifier, **choice, rejected=rejections)
    with _output(output) as stream:
        count = write_answers(stream, answered, classifier.config, form, _note)
        rejections.conclude(count)


def _rows(name: str, form: str | None, column: str) -> "Iterator[Row | Rejection]":
    from sentiment_lstm.records import kind_of, read_rows

    if name == "-":
        return read_rows(_standard_input(), form or "txt", text_column=column)
    path = Path(name)
    return read_rows(path, form or kind_of(path), text_column=column)


def _standard_input() -> BinaryIO:
    if sys.stdin is None:  # as after `<&-`
        raise click.UsageError("Standard input is closed: give TEXT or --input FILE.")
    return sys.stdin.buffer


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """Yield where answers go; a device or a pipe is written to, and not replaced by a file."""
    from sentiment_lstm.atomic import replaced_file, told_of

    if path is None:
        with told_of(Path("standard output")):
            yield sys.stdout
            sys.stdout.flush()
        return
    replaces = not path.exists() or path.is_file()
    with (
        told_of(path),
        replaced_file(path) if replaces else nullcontext(path) as target,
        target.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        yield file


@cli.command()
@click.argument("text", required=False)
@model_option("A model that ships, a bundle or a run directory.  [default: imdb]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html", "json"]),
    default="text",
    show_default=True,
    help="How the explanation is written; html is a page that stands alone.",
)
@click.option("--gates", is_flag=True, help="As text: also show the gates at every word.")
@click.option(
    "--phrase",
    "phrases",
    multiple=True,
    metavar="WORDS",
    help="Words of TEXT that are to get one share together; may be given many times.",
)
@click.option(
    "--label",
    help="Which label shares speak for.  [default: the second of two, else the predicted one]",
)
@click.option(
    "--unit",
    "units",
    type=int,
    multiple=True,
    metavar="N",
    help="Show the gates of this unit; may be given many times.  [default: those that count most]",
)
@click.option(
    "--output",
    metavar="FILE",
    help="Write to this file, whole or not at all.  [default: standard output]",
)
def explain(
    text: str | None,
    model: str | None,
    form: str,
    gates: bool,
    phrases: Sequence[str],
    label: str | None,
    units: Sequence[int],
    output: str | None,
) -> None:
    """Tell why TEXT gets its verdict: the share of each word, and what the gates did.

    Shares and bias sum to the model's output exactly. A share is what was written at a word and is
    still remembered at the end; gates depend on context, so it is not what the word would do
    elsewhere. Without TEXT, or for -, all of standard input is one text.

    \b
    Examples:
      sentiment-lstm explain --model runs/quickstart "Not good, but lovely." --phrase "not good"
      sentiment-lstm explain --format html --output why.html "I loved it."
      cat review.txt | sentiment-lstm explain --gates
    """
    from pipelines.classify import typed_text
    from pipelines.explain import open_explainer, written
    from pipelines.painting import colours_wanted

    file = _file(output)
    content = _piped_text() if text in (None, "-") else typed_text(str(text))
    found = open_explainer(model).explain(
        content, label=label, phrases=[*map(typed_text, phrases)], units=units
    )
    colours = file is None and colours_wanted(sys.stdout)
    with _output(file) as stream:
        stream.write(written(found, form, gates=gates, units=gates or bool(units), colours=colours))


def _piped_text() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("Nothing to explain: give TEXT or pipe a text in.")
    return _standard_input().read()


@cli.command()
@click.option(
    "--only",
    "sections",
    type=click.Choice(SECTION_NAMES),
    multiple=True,
    help="Measure this claim alone; may be given many times.  [default: all six]",
)
@click.option(
    "--full", is_flag=True, help="Lags to 400, 10 seeds, twice the budget: takes far longer."
)
@click.option(
    "--lags",
    metavar="N,N,…",
    callback=_lags,
    help="Lags of the memory tasks, 10 or more.  [default: 50,100]",
)
@click.option(
    "--seeds", type=click.IntRange(1), metavar="N", help="Runs of each trial.  [default: 3]"
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    metavar="N",
    help="Budget of a run on a memory task.  [default: 2500]",
)
@click.option(
    "--corpus",
    type=click.Choice(["imdb", "demo"]),
    default="imdb",
    show_default=True,
    help="Texts that accuracy by length is measured on.",
)
@click.option(
    "--run-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Read the token arrays of this run in their place.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("comparison"),
    show_default=True,
    help="Where the report goes, and what a stopped comparison goes on from.",
)
def compare(
    sections: Sequence[str],
    full: bool,
    lags: tuple[int, ...] | None,
    seeds: int | None,
    steps: int | None,
    corpus: str,
    run_dir: Path | None,
    output: Path,
) -> None:
    """Hold six claims of the LSTM against a plain RNN, and judge each by what is measured.

    They are memory over long lags, vanishing gradients, stability, cost, accuracy by length of
    text, and what each gate does. A stopped comparison goes on when it is run again.

    \b
    Examples:
      sentiment-lstm compare
      sentiment-lstm compare --only memory --lags 30 --seeds 1
      sentiment-lstm compare --full --output full
    """
    from dataclasses import replace

    from pipelines.compare import Comparison, compare_networks, verdict_lines
    from sentiment_lstm.lesson_plan import FULL, Scale

    given: dict[str, Any] = {"lags": lags, "seeds": seeds, "steps": steps, "corpus": corpus}
    scale = replace(FULL if full else Scale(), **{k: v for k, v in given.items() if v is not None})
    chosen = [name for name in SECTION_NAMES if name in sections or not sections]
    with _messages():
        verdicts = compare_networks(Comparison(chosen, scale, output, run_dir), _progress())
    for line in verdict_lines(verdicts, output):
        click.echo(line)


@cli.command()
@click.argument("prompt", default="")
@click.option(
    "--model",
    required=True,
    metavar="NAME|DIR",
    shell_complete=completed.language_models,
    help="A language model that ships, or a run directory with a finished pretraining.",
)
@click.option(
    "--tokens",
    type=click.IntRange(0),
    default=60,
    show_default=True,
    help="Write so many tokens at most.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    default=0.8,
    show_default=True,
    help="Above 1 surprises more, below 1 less; 0 takes the likeliest.",
)
@click.option(
    "--top-k",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Draw from so many of the likeliest tokens; 0 is all.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws.")
@click.option(
    "--suggest",
    type=click.IntRange(1),
    metavar="N",
    help="Print the N likeliest next tokens with their chances instead.",
)
def generate(
    prompt: str,
    model: str,
    tokens: int,
    temperature: float,
    top_k: int,
    seed: int,
    suggest: int | None,
) -> None:
    """Go on from PROMPT as the language model of a pretraining would.

    \b
    Examples:
      sentiment-lstm generate --model imdb "this film was"
      sentiment-lstm generate --model runs/imdb "this film was" --suggest 5
    """
    from pipelines.generate import continued, suggested
    from sentiment_lstm.generation import Choice, Writer

    writer = Writer.load(model)
    if suggest is not None:
        for line in suggested(writer, prompt, suggest):
            click.echo(line)
        return
    for piece in continued(writer, prompt, tokens, Choice(temperature, top_k), seed):
        click.echo(piece, nl=False)
    click.echo()


@cli.command()
@model_option("A model that ships, a bundle or a run directory.  [default: imdb]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8501,
    show_default=True,
    help="Port to listen at; 0 takes a free one.",
)
@click.option(
    "--compiled/--numpy",
    default=True,
    show_default=True,
    help="Run the network compiled, or by numpy alone, which starts sooner and is slower.",
)
@click.option(
    "--watch",
    "watch_seconds",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Seconds between two looks at the model's directory.",
)
@limit_options
def serve(
    model: str | None,
    host: str,
    port: int,
    compiled: bool,
    watch_seconds: float,
    **limits: Any,
) -> None:
    """Answer over HTTP, with a page at / that shows what the gates do as one types.

    /v1/classify and /v1/explain take {"text": …} or {"texts": […]}; /v1/models/NAME:predict is
    TensorFlow Serving's; /openapi.json lists all. A new model in the directory takes over if it is
    sound. Ctrl-C or SIGTERM stops, after what is in flight is answered.

    \b
    Examples:
      sentiment-lstm serve
      sentiment-lstm serve --model runs/quickstart --port 0
      sentiment-lstm serve --host 0.0.0.0 --max-texts 64 --timeout 5
    """
    from pipelines.serve.command import serve_model
    from pipelines.serve.limits import Limits

    with _messages():
        serve_model(
            model,
            host,
            port,
            Limits(**limits),
            compiled=compiled,
            watch_seconds=watch_seconds,
            announce=click.echo,
        )


@cli.command()
def models() -> None:
    """List the models that ship with the package, and how well they do.

    \b
    Examples:
      sentiment-lstm models
      sentiment-lstm classify --model imdb "I loved it."
    """
    from pipelines.models import describe_models

    for line in describe_models():
        click.echo(line)


@cli.command()
@model_option("Look at this bundle, SavedModel or run directory too, every byte.")
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="That the import of a backend may take.",
)
def doctor(model: str | None, seconds: float) -> None:
    """Look whether this installation can do the work, and tell the way out where it cannot.

    A line a check: Python, the packages, cores and threads, places to write to, IMDB, the models
    that ship, the compiler, the backends of Keras. The exit status is 1 if anything is wrong.

    \b
    Examples:
      sentiment-lstm doctor
      sentiment-lstm doctor --model runs/quickstart
    """
    from pipelines.doctor.examination import examine

    wrong = 0
    for finding in examine(model, seconds):
        click.echo(_one_line(str(finding)))
        wrong += not finding.ok
    if wrong:
        raise Failure(f"{wrong} problem{'s' * (wrong > 1)}, each with a way out above")


@cli.command()
@click.argument("directory", metavar="RUN", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new directory for the second run.  [default: RUN-again]",
)
def reproduce(directory: Path, output: Path | None) -> None:
    """Make RUN once more from its own recipe, and tell whether every file comes out the same.

    Weights and whatever else the stages of RUN recorded are compared by their SHA-256. What does
    not come out the same is told with the versions, the machine or the backend that differ; the
    exit status is then 1. Inputs that have changed since are told before anything is run.

    \b
    Examples:
      sentiment-lstm reproduce runs/quickstart
      sentiment-lstm reproduce runs/quickstart --output runs/second
    """
    from pipelines.reproduce import reproduce_run

    with _messages():
        outcome = reproduce_run(directory, output, progress=_progress())
    click.echo(outcome.told)
    if not outcome.identical:
        raise click.exceptions.Exit(1)


@cli.command()
@click.argument("shell", type=click.Choice(completed.SHELLS))
def completion(shell: str) -> None:
    """Print the script that has a shell complete commands, options, recipes and models.

    \b
    Examples:
      sentiment-lstm completion bash
    """
    click.echo(completed.script(cli, shell))


def _run_stage(
    stage: str,
    recipe: str,
    run_dir: Path | None,
    overrides: Sequence[str],
    force: bool,
    max_minutes: float | None = None,
    **choice: Any,
) -> None:
    """Run one stage alone and print its results."""
    choice |= {"force": force, "only": stage, "max_minutes": max_minutes}
    _run_recipe(recipe, run_dir, overrides, (stage,), **choice)


def _run_recipe(
    recipe_name: str,
    run_dir: Path | None,
    overrides: Sequence[str],
    shown: Sequence[str],
    **choice: Any,
) -> None:
    """Run stages and print the results of those in `shown`, unless a training has stopped."""
    from pipelines.config import load_recipe
    from pipelines.results import stage_results
    from pipelines.run import run_stages
    from pipelines.rundir import RunDirectory

    recipe = load_recipe(recipe_name, overrides)
    run = RunDirectory(run_dir or Path("runs") / recipe.name)
    with _messages():
        done = run_stages(recipe, run, progress=_progress(), **choice)
    for stage in shown if done else ():
        for line in stage_results(stage, recipe, run):
            click.echo(line)


def _require_one(what: str, recipe: str | None, model: str | None) -> None:
    if (recipe is None) == (model is None):
        raise click.UsageError(f"Give {what} or --model, one of them.")


def _refuse_with_recipe(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is not None:
            raise click.UsageError(f"{name} goes with --model, not with a recipe.")


def _refuse_with_model(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value:
            raise click.UsageError(f"{name} goes with a recipe, not with --model.")


def _messages() -> AbstractContextManager[None]:
    from pipelines.logs import handled
    from pipelines.terminal import MessageHandler

    return handled(MessageHandler())


def _progress() -> "Progress":
    from pipelines.terminal import terminal_progress

    return terminal_progress()


def _note(line: str) -> None:
    click.echo(line, err=True)


def main() -> None:
    """Run the command line; the console script."""
    open_standard_streams()
    cli(prog_name=completed.PROGRAM)


if __name__ == "__main__":
    main()
