"""How large the benchmarks are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Sizes, chosen so that each section takes a minute or two on two cores.

    Attributes:
        source: "imdb", or "demo" for the generated corpus.
        seconds: rounds of `layer` go on for so long at least, for each case and pass.
        rounds: rounds at least, of `layer`, `inference`, `start` and `preprocess`.
        gemm: rows and columns of the matrices that measure the peak.
        units: sizes of the models of `epoch` and `inference`.
        steps: steps of `epoch` that are timed, spread over the lengths of the epoch; 0 is all.
        times: how often `epoch` times all steps, ours and the peers' in turn.
        precision: of our LSTM in `epoch`, `inference` and `accuracy`, float32 or mixed_bfloat16.
        epochs: of `accuracy`.
        seeds: of `accuracy`.
        reviews: test reviews of `inference`; 0 is all.
        singles: single texts timed for the latency.
        texts: texts of `preprocess` and `memory`, over all splits; 0 is all.
        cap: most texts of `growth`, which goes from 10⁴ to 10⁶.
        tiny: cases just large enough to see that all runs.
    """

    source: str = "imdb"
    seconds: float = 8.0
    rounds: int = 5
    gemm: int = 2048
    units: tuple[int, ...] = (128, 256)
    steps: int = 30
    times: int = 1
    precision: str = "float32"
    epochs: int = 2
    seeds: int = 5
    reviews: int = 2000
    singles: int = 200
    texts: int = 0
    cap: int = 10**6
    tiny: bool = False


TINY = Options(
    source="demo", seconds=0, rounds=1, gemm=64, units=(4,), steps=2, epochs=1, seeds=1, reviews=20,
    singles=3, texts=40, cap=20, tiny=True,
)  # fmt: skip
