"""Trainings as others show them: TensorBoard and MLflow, where a recipe or `--track` asks for it.

The run directory's own history is the record; a tracker holds a copy of it, and no result depends
on one. What a stage is made from leaves the section [track] out, so it may be changed at any time.
"""
