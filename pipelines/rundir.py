"""The run directory: every file name of a run is spelled here, once.

RUN/
  recipe.toml  log.txt  .lock  .reproduces
  preprocess/  vocabulary.txt  SPLIT.{tokens,offsets,targets}.npy  SPLIT.texts.jsonl
               summary.json  stage.json
  pretrain/    checkpoint  weights.safetensors  config.json  vocabulary.txt  manifest.json
               history.jsonl  tensorboard/  tracked.json  stage.json
  teach/       taught.{tokens,offsets,targets}.npy  teach.json  stage.json
  answers/     DIGEST/ (what one teacher said of some texts)
  train/       checkpoint  history.jsonl  tensorboard/  tracked.json  stage.json
  bundle/      the model
  tune/        study.journal  trials.csv  best.toml  history.png  importances.png  stage.json
               trial/ (the training in progress, as train/)
  evaluate/    metrics.json  predictions.jsonl  *.png  report.html  stage.json
  export/      VERSION/ (SavedModel)  export.json  stage.json
               FORMAT/VERSION/, FORMAT/export.json (onnx, litert, keras)
"""

from dataclasses import dataclass
from pathlib import Path

from sentiment_lstm.errors import SentimentError

# What an export writes; the first is the one whose versions stand where TensorFlow Serving looks.
SAVED_MODEL = "savedmodel"
FORMATS = (SAVED_MODEL, "onnx", "litert", "keras")
# The split that teachers have labelled.
TAUGHT = "taught"


def format_directory(base: Path, form: str) -> Path:
    """Return the directory below the base of an export that holds a format's versions."""
    return base if form == SAVED_MODEL else base / form


def export_record(directory: Path) -> Path:
    """Return what was exported to a format's directory, and how closely it answers."""
    return directory / "export.json"


class RunError(SentimentError):
    """A run directory is in use, or lacks what a stage reads."""


@dataclass(frozen=True)
class RunDirectory:
    """Where one run keeps its files."""

    path: Path

    @property
    def recipe(self) -> Path:
        """The recipe of the last command, every key spelled out."""
        return self.path / "recipe.toml"

    @property
    def log(self) -> Path:
        """What every command said, appended."""
        return self.path / "log.txt"

    @property
    def lock(self) -> Path:
        """Held while a command works on the directory."""
        return self.path / ".lock"

    @property
    def reproduces(self) -> Path:
        """Tells, until it is done, which run is made once more here."""
        return self.path / ".reproduces"

    def stage(self, name: str) -> Path:
        """Return the directory of a stage."""
        return self.path / name

    def stamp(self, name: str) -> Path:
        """Return the record of what a stage was made from."""
        return self.stage(name) / "stage.json"

    def amended_stamp(self, name: str) -> Path:
        """Return the record that becomes the stage's when a command has changed its outputs."""
        return self.stage(name) / "stage.amended.json"

    def events(self, name: str) -> Path:
        """Return the directory of TensorBoard's event files of a stage that trains."""
        return self.stage(name) / "tensorboard"

    def tracked(self, name: str) -> Path:
        """Return the record of where a training that has ended is tracked."""
        return self.stage(name) / "tracked.json"

    @property
    def preprocess(self) -> Path:
        """Token arrays, texts and the vocabulary."""
        return self.stage("preprocess")

    @property
    def vocabulary(self) -> Path:
        """One token a line."""
        return self.preprocess / "vocabulary.txt"

    @property
    def summary(self) -> Path:
        """Task, labels, and the counts and lengths of each split."""
        return self.preprocess / "summary.json"

    def texts(self, split: str) -> Path:
        """Return the texts of a split, one JSON string a line."""
        return self.preprocess / f"{split}.texts.jsonl"

    @property
    def pretrain(self) -> Path:
        """The language model, and what its training needs to go on after it was stopped."""
        return self.stage("pretrain")

    @property
    def pretrain_checkpoint(self) -> Path:
        """The state that an interrupted pretraining resumes from."""
        return self.pretrain / "checkpoint"

    @property
    def pretrained_weights(self) -> Path:
        """The language model's weights, those that a bundle has too under the same names."""
        return self.pretrain / "weights.safetensors"

    @property
    def pretrained_config(self) -> Path:
        """The language model's sizes, its vocabulary's digest, and its figures."""
        return self.pretrain / "config.json"

    @property
    def pretrained_vocabulary(self) -> Path:
        """A copy of the vocabulary, which makes the language model whole."""
        return self.pretrain / "vocabulary.txt"

    @property
    def pretrained_manifest(self) -> Path:
        """The seal of these three."""
        return self.pretrain / "manifest.json"

    @property
    def pretrain_history(self) -> Path:
        """The loss and the perplexities of each epoch, one JSON object a line."""
        return self.pretrain / "history.jsonl"

    @property
    def teach(self) -> Path:
        """Token arrays of the texts that teachers have labelled."""
        return self.stage("teach")

    @property
    def answers(self) -> Path:
        """What teachers have said, so that they are not asked again."""
        return self.path / "answers"

    @property
    def teach_summary(self) -> Path:
        """How right the teachers are on validation."""
        return self.teach / "teach.json"

    @property
    def train(self) -> Path:
        """What training needs to go on after it was stopped, and its history."""
        return self.stage("train")

    @property
    def checkpoint(self) -> Path:
        """The state that an interrupted training resumes from."""
        return self.train / "checkpoint"

    @property
    def history(self) -> Path:
        """The losses and rates of each epoch, one JSON object a line."""
        return self.train / "history.jsonl"

    @property
    def bundle(self) -> Path:
        """The trained model."""
        return self.path / "bundle"

    @property
    def tune(self) -> Path:
        """The search for settings, and what it has found."""
        return self.stage("tune")

    @property
    def study(self) -> Path:
        """Optuna's record of every trial, one JSON object a line, which a search goes on from."""
        return self.tune / "study.journal"

    @property
    def trials(self) -> Path:
        """The finished trials, their values and figures, as a table."""
        return self.tune / "trials.csv"

    @property
    def best_recipe(self) -> Path:
        """The recipe of the best trial."""
        return self.tune / "best.toml"

    @property
    def trial(self) -> "TrialDirectory":
        """The run directory that a trial of the search sees."""
        return TrialDirectory(self.path)

    @property
    def evaluate(self) -> Path:
        """Metrics, plots and report."""
        return self.stage("evaluate")

    @property
    def metrics(self) -> Path:
        """Every figure of the evaluation."""
        return self.evaluate / "metrics.json"

    @property
    def predictions(self) -> Path:
        """The prediction for each text of test, one JSON object a line."""
        return self.evaluate / "predictions.jsonl"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.evaluate / "report.html"

    @property
    def export(self) -> Path:
        """The base directory that TensorFlow Serving is given."""
        return self.stage("export")

    def exported(self, form: str) -> Path:
        """Return the directory that holds the versions of a format, and its record."""
        return format_directory(self.export, form)


@dataclass(frozen=True)
class TrialDirectory(RunDirectory):
    """A run directory whose training stands aside, below the search, and reads the same texts."""

    @property
    def train(self) -> Path:
        """As a run's, of the trial that is in progress."""
        return self.tune / "trial"

    @property
    def bundle(self) -> Path:
        """The model of that trial, which goes when the trial has ended."""
        return self.train / "bundle"
