"""What a teacher has said of texts, kept under seal, so that it is asked but once.

A wide teacher takes an hour for the unlabelled texts, and what it says of them does not change
with the other settings of a recipe.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from pipelines.teacher import Floats, Teacher
from sentiment_lstm.atomic import replaced_directory
from sentiment_lstm.errors import BundleError
from sentiment_lstm.manifest import read_sealed, write_manifest

ANSWERS = "answers.safetensors"


def place_of(directory: Path, model: str, texts: Sequence[str]) -> Path:
    """Return where the answers of a model to texts are kept.

    Args:
        directory: of all answers.
        model: digest of the model.
        texts: that it is asked about, in their order.
    """
    asked = hashlib.sha256(model.encode())
    for text in texts:
        asked.update(hashlib.sha256(text.encode()).digest())
    return directory / asked.hexdigest()[:32]


def keep(place: Path, chances: Floats) -> None:
    """Keep the answers to texts, `(n,)`, in a place of their own."""
    with replaced_directory(place) as temporary:
        (temporary / ANSWERS).write_bytes(save({"chances": np.asarray(chances, np.float64)}))
        write_manifest(temporary, (ANSWERS,))


def remembering(teacher: Teacher, model: str, directory: Path) -> Teacher:
    """Return a teacher that is not asked again what it has said once.

    Args:
        teacher: who is asked.
        model: its digest.
        directory: where answers are kept; one that is damaged is asked for anew.
    """

    def teach(texts: Sequence[str]) -> Floats:
        place = place_of(directory, model, texts)
        try:
            chances: Floats = load(read_sealed(place, (ANSWERS,))[ANSWERS])["chances"]
        except (BundleError, OSError):
            chances = teacher(texts)
            keep(place, chances)
        return chances

    return teach
