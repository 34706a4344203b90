"""Files of one JSON value a line."""

import json

from pipelines.json_lines import json_lines


def test_each_line_is_a_value(tmp_path):
    values = ["a\nb", "\u2028", {"é": [1, None]}, ""]
    path = tmp_path / "values.jsonl"
    path.write_text("".join(json.dumps(v, ensure_ascii=False) + "\n" for v in values), "utf-8")
    assert list(json_lines(path)) == values
