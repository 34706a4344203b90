"""How functions are compiled by numba, and when compiled code is kept for the next process."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from llvmlite import binding
from numba import njit
from numba.core.caching import IndexDataCacheFile


def kept_in() -> Path | None:
    """Return where machine code is kept for the next process, here or for the user, if anywhere."""
    try:
        function = njit(cache=True)(kept_in)
    except RuntimeError:  # neither place can be written
        return None
    cache = getattr(function, "_cache", None)  # numba may have been told not to compile
    return None if cache is None else Path(cache.cache_path)


# What a compiler may do to sums and products; NaN and infinity stay what they are, so that a
# training that diverges shows it. Divisions by zero give infinity, as in numpy, and not an
# exception, which would forbid vector instructions.
_FAST = {"contract", "reassoc", "nsz", "arcp"}
# A function that calls another takes it in whole. Else it calls the copy that the process happened
# to load first, compiled beside other code and so rounded otherwise: the process that compiles and
# those that find its machine code would differ in the last digit.
OPTIONS = {
    "fastmath": _FAST,
    "error_model": "numpy",
    "nogil": True,
    "forceinline": True,
    "no_cfunc_wrapper": True,  # a second way in, for callers in C: there are none
    "cache": kept_in() is not None,
}
# What kernels call is kept in their own code, and by itself nowhere.
OF_PARTS = OPTIONS | {"cache": False}

# The modules that compiled functions stand in; each holds code of the others, linked into its own.
MODULES = (
    "compiled",
    "tiles",
    "bfloat16",
    "compiled_arrays",
    "bfloat16_panels",
    "bfloat16_vectors",
    "matrix_unit",
    "bfloat16_products",
    "precision",
    "bptt_kernels",
    "compiled_inference",
    "compiled_text",
)

# What of a processor decides which machine code is made.
VECTORS = ("avx2", "avx512f", "avx512bf16", "amx-bf16")


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function, as a decorator.

    numba keeps machine code until the function's own file changes. What is kept here holds until
    any of `MODULES` does, or the processor's vectors.
    """
    compiled = njit(**OPTIONS)(function)
    kept: Any = getattr(compiled, "_cache", None)
    if hasattr(kept, "_cache_file"):
        kept._cache_file.__class__ = _SealedFile
        kept._cache_file._source_stamp = stamp()
    return compiled


def part(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call, as a decorator."""
    return njit(**OF_PARTS)(function)


class _SealedFile(IndexDataCacheFile):  # type: ignore[misc]
    """numba's files of machine code, each with its SHA-256 at its end, where pickle reads no more.

    A file that a full disk or a power cut left half-written, or that rotted, counts as none: it is
    compiled again and written anew. numba alone would raise, every time, or run what is left.
    """

    def _load_index(self) -> Any:
        return super()._load_index() if _is_whole(Path(self._index_path)) else {}

    def _load_data(self, name: str) -> Any:
        path = Path(self._data_path(name))
        if not _is_whole(path):
            raise FileNotFoundError(path)
        return super()._load_data(name)

    @contextmanager
    def _open_for_write(self, path: str) -> Iterator[BinaryIO]:
        content = BytesIO()
        yield content
        with super()._open_for_write(path) as file:
            file.write(content.getvalue() + hashlib.sha256(content.getvalue()).digest())


def _is_whole(path: Path) -> bool:
    try:
        data = path.read_bytes()
    except OSError:
        return False
    size = hashlib.sha256().digest_size
    return data[-size:] == hashlib.sha256(data[:-size]).digest()


@cache
def stamp() -> str:
    """Return a digest of everything that compiled code is made of."""
    sources = [(Path(__file__).parent / f"{name}.py").read_bytes() for name in MODULES]
    vectors = [str(binding.get_host_cpu_features().get(name)) for name in VECTORS]
    return hashlib.sha256(b"".join(sources) + "".join(vectors).encode()).hexdigest()
