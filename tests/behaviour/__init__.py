"""What a model does with a single sentence: `python -m tests.behaviour MODEL`.

A behavioural suite in the manner of CheckList (Ribeiro, Wu, Guestrin & Singh 2020, "Beyond
Accuracy: Behavioral Testing of NLP Models with CheckList", ACL), and pairs of sentences whose least
edit turns the verdict round. Written before any model that it judges was trained; none of it may
stand in what a model learns from.
"""
