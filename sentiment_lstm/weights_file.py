"""Arrays as safetensors, held to the names and shapes that a configuration demands.

The header is checked before an array is read, and the arrays are read from bytes that somebody
has compared with a digest.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.errors import BundleError
from sentiment_lstm.strict_json import strict_json

WEIGHTS = "weights.safetensors"
DTYPES = {"F32": np.float32, "F16": np.float16}
MOST_HEADER = 1 << 20  # the header of the largest model that a configuration can name is smaller
MOST_BYTES = 1 << 31  # some forty times the largest model that was ever trained with this package

Shapes = Mapping[str, tuple[int, ...]]
Weights = Mapping[str, NDArray[Any]]


def packed(weights: Weights, expected: Shapes) -> bytes:
    """Return arrays as the bytes of a file.

    Raises:
        BundleError: if an array is missing, extra, of another shape or type, or not finite.
    """
    from safetensors.numpy import save

    _check_arrays(expected, {n: (_dtype_name(w), w.shape) for n, w in weights.items()})
    _check_finite(weights)
    return save({name: np.ascontiguousarray(array) for name, array in weights.items()})


def unpacked(data: bytes, expected: Shapes) -> dict[str, NDArray[np.float32]]:
    """Return the arrays that the bytes of a file hold, in float32.

    Raises:
        BundleError: as `packed`, or if the bytes are no safetensors.
    """
    _check_arrays(expected, _header(data))
    weights = _arrays(data)
    _check_finite(weights)
    return weights


def most_bytes(expected: Shapes) -> int:
    """Return what a file of such arrays takes at most; no configuration makes it endless."""
    return min(4 * sum(map(prod, expected.values())) + MOST_HEADER, MOST_BYTES)


def _dtype_name(array: NDArray[Any]) -> str:
    names = [name for name, dtype in DTYPES.items() if array.dtype == dtype]
    return names[0] if names else str(array.dtype)


def _header(data: bytes) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the dtype and shape of each array as the file's header states them.

    The format (https://github.com/huggingface/safetensors): the header's length as 8 bytes,
    little-endian, the header as JSON, the arrays' bytes.
    """
    length = int.from_bytes(data[:8], "little")
    if length > MOST_HEADER:
        raise BundleError(f"{WEIGHTS}: its header would have {length:,} bytes: no model needs that")
    try:
        header = strict_json(data[8 : 8 + length])
    except ValueError as error:
        raise BundleError(f"{WEIGHTS}: its header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise BundleError(f"{WEIGHTS}: its header is no object")
    try:
        return {name: (str(e["dtype"]), tuple(e["shape"])) for name, e in header.items()}
    except (KeyError, TypeError) as error:
        raise BundleError(f"{WEIGHTS}: its header names no dtype and shape ({error})") from error


def _arrays(data: bytes) -> dict[str, NDArray[np.float32]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return {name: array.astype(np.float32) for name, array in load(data).items()}
    except SafetensorError as error:
        raise BundleError(f"{WEIGHTS}: {error}") from error


def _check_arrays(expected: Shapes, found: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
    for name in sorted(set(expected) ^ set(found)):
        state = "missing" if name in expected else "not part of such a model"
        raise BundleError(f"{WEIGHTS}: array {name!r} is {state}")
    for name, (dtype, shape) in found.items():
        if dtype not in DTYPES or shape != expected[name]:
            raise BundleError(
                f"{WEIGHTS}: array {name!r} is {dtype} {shape}, the configuration demands "
                f"{' or '.join(DTYPES)} {expected[name]}"
            )


def _check_finite(weights: Weights) -> None:
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise BundleError(f"{WEIGHTS}: array {name!r} holds NaN or an infinity: train again")
