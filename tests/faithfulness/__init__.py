"""Whether shares point at the words that decide: `python -m tests.faithfulness MODEL`.

Each method ranks the words of a text by how much they speak for the model's own verdict. The words
that it ranks first are then replaced by the unknown token, or kept while all others are replaced,
and the verdict's probability is looked at again (DeYoung et al. 2020, "ERASER: A Benchmark to
Evaluate Rationalized NLP Models", ACL).
"""
