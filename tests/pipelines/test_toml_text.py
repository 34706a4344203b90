"""Recipes as TOML text, read back by Python's own parser."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from pipelines.toml_text import to_toml

# UTF-8 cannot hold halves of surrogate pairs, and so neither can TOML.
text = st.text(st.characters(exclude_categories=["Cs"]))
scalars = text | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.booleans()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=8
)
tables = st.dictionaries(text, values)


def typed(value: object) -> object:
    """Return a value in which 1, 1.0 and True differ."""
    if isinstance(value, dict):
        return {k: typed(v) for k, v in value.items()}
    return (type(value), [typed(v) for v in value] if isinstance(value, list) else value)


@given(top=tables, sections=st.dictionaries(text, tables))
def test_every_value_comes_back_with_its_type(top, sections):
    sections = {name: keys for name, keys in sections.items() if name not in top}
    assert typed(tomllib.loads(to_toml(top, sections))) == typed(top | sections)


def test_text_is_laid_out_for_people():
    written = to_toml({"name": "quick"}, {"model": {"units": 32, "pooling": ["max", "mean"]}})
    assert written == 'name = "quick"\n\n[model]\nunits = 32\npooling = ["max", "mean"]\n'


def test_a_table_in_a_line_is_laid_out_for_people():
    written = to_toml({}, {"tune": {"model.units": {"low": 8, "high": 64}}})
    assert written == '[tune]\n"model.units" = { low = 8, high = 64 }\n'
