"""Sentiment analysis with an LSTM written from its equations."""

__version__ = "0.1.0"
