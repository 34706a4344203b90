"""The service: a trained model behind HTTP, and the page that shows what its gates do.

It answers with the classifier that reads a bundle and never imports TensorFlow. What it needs
beside the package is the extra `serve`; nothing outside of this package imports it before the
command `serve` runs.
"""
