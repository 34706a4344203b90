"""What atheris calls: `python -m tests.resilience.fuzzing BUNDLE [option of libFuzzer]...`"""

import sys

import atheris

with atheris.instrument_imports(include=["sentiment_lstm"]):
    from sentiment_lstm.classifier import SentimentClassifier
    from sentiment_lstm.text import tokenise


def main(bundle: str) -> None:
    """Look for bytes of which the two forms of a text answer otherwise, or none does."""
    classifier = SentimentClassifier.load(bundle, compiled=False)

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        assert tokenise(" ".join(tokenise(data))) == tokenise(data)
        as_bytes, as_text = classifier.classify([data, text])
        assert 0 <= as_bytes.probability <= 1
        assert abs(as_bytes.probability - as_text.probability) <= 1e-5

    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1])
