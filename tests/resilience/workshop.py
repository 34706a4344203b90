"""Real artifacts to harm: a run directory that the command line has filled, models, checkpoints."""

import csv
import json
import shutil
from functools import cached_property
from pathlib import Path

import numpy as np

from sentiment_lstm.bundle import BundleConfig, model_card, write_bundle
from sentiment_lstm.checkpoints import save_checkpoint
from sentiment_lstm.demo import generate
from sentiment_lstm.language_models import write_language_model
from sentiment_lstm.text import SPECIAL_TOKENS, Vocabulary, tokenise
from tests.resilience.warm import Warm

RECIPE = """
[data]
source = "files"
train = "{train}"
unlabelled = "{unlabelled}"

[text]
min_count = 1
max_tokens = 24
head_tokens = 12

[model]
embedding = 4
units = 3

[teach]
ngrams = 1.0

[train]
epochs = 1
batch_size = 16

[evaluate]
baseline = false
"""
STEPS = (3, 7)


class Workshop:
    """Makes each artifact when it is first asked for, below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def close(self) -> None:
        """End the process that runs commands, if there is one."""
        if "warm" in self.__dict__:
            self.warm.close()

    @cached_property
    def recipe(self) -> Path:
        """A recipe over labelled and unlabelled texts of a person's own, all stages in it."""
        labelled, unlabelled = self.root / "labelled.csv", self.root / "unlabelled.jsonl"
        with labelled.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows(generate("train", 60, 3))
        lines = (json.dumps({"text": text}) + "\n" for text, _ in generate("validation", 30, 4))
        unlabelled.write_text("".join(lines), "utf-8")
        path = self.root / "tiny.toml"
        path.write_text(RECIPE.format(train=labelled, unlabelled=unlabelled), "utf-8")
        return path

    @cached_property
    def run(self) -> Path:
        """A run directory in which every stage up to train is done."""
        ended = self.warm.run(
            "run", self.recipe, "--run-dir", self.root / "run", "--until", "train"
        )
        assert ended.status == 0, ended.told
        return self.root / "run"

    @cached_property
    def evaluated(self) -> Path:
        """A run directory in which evaluate is done too."""
        directory = self.fresh("evaluated")
        shutil.copytree(self.run, directory, dirs_exist_ok=True)
        ended = self.warm.run("evaluate", self.recipe, "--run-dir", directory)
        assert ended.status == 0, ended.told
        return directory

    @cached_property
    def warm(self) -> Warm:
        """What runs commands without the time that imports take."""
        return Warm(self.root / "warm")

    @cached_property
    def saved_model(self) -> Path:
        """The small model as a SavedModel."""
        ended = self.warm.run("export", "--model", self.bundle, "--output", self.root / "exported")
        assert ended.status == 0, ended.told
        return self.root / "exported" / "1"

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of a few reviews."""
        texts = (text for text, _ in generate("train", 20, 1))
        words = dict.fromkeys(token for text in texts for token in tokenise(text))
        return Vocabulary([*SPECIAL_TOKENS, *words])

    @cached_property
    def bundle(self) -> Path:
        """A small model of random weights."""
        return self.new_bundle("model")

    def new_bundle(self, name: str, seed: int = 0) -> Path:
        """Write a small model of random weights and return its directory."""
        config = BundleConfig(
            version="0.1.0", labels=("negative", "positive"), max_tokens=24, head_tokens=12,
            embedding=5, units=3, pooling=("max", "mean"), data={"source": "demo", "size": 20},
        )  # fmt: skip
        random = np.random.default_rng(seed)
        shapes = config.weight_shapes(len(self.vocabulary))
        weights = {n: random.normal(0.05, 0.8, s).astype(np.float32) for n, s in shapes.items()}
        write_bundle(self.root / name, config, weights, self.vocabulary, model_card(config, {}))
        return self.root / name

    @cached_property
    def language_model(self) -> Path:
        """A small language model of random weights."""
        size, width, units = len(self.vocabulary), 4, 3
        random = np.random.default_rng(5)
        shapes = {"embedding": (size, width), "softmax.bias": (size,)}
        shapes |= {
            "lstm.0.forward.kernel": (width, 4 * units),
            "lstm.0.forward.recurrent_kernel": (units, 4 * units),
            "lstm.0.forward.bias": (4 * units,),
            "projection.forward": (units, width),
        }
        weights = {n: random.normal(0.1, 0.9, s).astype(np.float32) for n, s in shapes.items()}
        sizes = {"embedding": width, "units": units, "directions": 1, "perplexities": {}}
        directory = self.fresh("language")
        write_language_model(directory, self.vocabulary, weights, sizes)
        return directory

    def fresh(self, name: str) -> Path:
        """Make an empty directory."""
        directory = self.root / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        return directory

    @cached_property
    def checkpoints(self) -> Path:
        """Two checkpoints of a training."""
        for step in STEPS:
            random = np.random.default_rng(step)
            arrays = {
                "model/0": random.normal(size=(7, 3)).astype(np.float32),
                "optimizer/0": random.integers(0, 9, 5),
            }
            position = {"epoch": 1, "step": step, "loss_sum": 0.1 + 0.2, "history": [{"loss": 1.5}]}
            save_checkpoint(self.root / "checkpoints", step, arrays, position)
        return self.root / "checkpoints"
