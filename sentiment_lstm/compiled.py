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
from numba.core import config
from numba.core.caching import IndexDataCacheFile
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher

from sentiment_lstm.processor import has_matrix_unit


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
OF_PARTS = OPTIONS | {"cache": False, "no_cpython_wrapper": True}

# The modules that compiled functions stand in; each holds code of the others, linked into its own.
MODULES = (
    "compiled",
    "processor",
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

# What of a processor decides which machine code is made, and whether its matrix unit may be used.
VECTORS = ("avx2", "avx512f", "avx512bf16")


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function, as a decorator.

    numba keeps machine code until the function's own file changes. What is kept here holds until
    any of `MODULES` does, or the processor's vectors.
    """
    compiled = _of_kind(njit(**OPTIONS)(function), _Kernel)
    kept: Any = getattr(compiled, "_cache", None)
    if hasattr(kept, "_cache_file"):
        kept._cache_file.__class__ = _SealedFile
        kept._cache_file._source_stamp = stamp()
    return compiled


def part(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call, and nobody else, as a decorator."""
    return _of_kind(njit(**OF_PARTS)(function), _Part)


def _of_kind(compiled: Any, kind: "type[_Kernel]") -> Any:
    if isinstance(compiled, CPUDispatcher):  # numba may have been told not to compile
        compiled.__class__ = kind
    return compiled


class _Kernel(CPUDispatcher):  # type: ignore[misc]
    """A function that is compiled by LLVM's second level of passes.

    Those of the third, which numba asks for, take half as long again, for code that is no faster.
    """

    def compile(self, signature: Any) -> Any:
        """Compile the function, and what it calls, for arguments of these types."""
        with global_compiler_lock:
            before = config.OPT
            config.OPT = min(before, type(before)(2))
            try:
                return super().compile(signature)
            finally:
                config.OPT = before


class _Part(_Kernel):
    """A compiled function without a way in from Python, which would take long to compile."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"{self.__name__} is part of compiled code: call what calls it")


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
    vectors = [binding.get_host_cpu_features().get(name) for name in VECTORS]
    processor = f"{vectors} {has_matrix_unit()}"
    return hashlib.sha256(b"".join(sources) + processor.encode()).hexdigest()
