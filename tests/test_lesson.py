"""The lesson in words: its links lead where they say, to the line that computes the equation."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
LESSONS = [ROOT / "notebooks" / "lesson.md", ROOT / "notebooks" / "lesson.zh-Hant.md"]
LINK = re.compile(r"""\[[^\]\n]*\]\(([^)\s]+)(?:\s+(["'])(.*?)\2)?\)""")
LINE = re.compile(r"(.+\.py)#L(\d+)")
MATH = re.compile(r"^ *```math\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

of_each = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.name)


def links(lesson):
    """Return target and title of every link."""
    return [(target, title) for target, _, title in LINK.findall(lesson.read_text("utf-8"))]


def lines_of_code(lesson):
    """Return file, line number and title of every link to a line."""
    found = ((LINE.fullmatch(target), title) for target, title in links(lesson))
    return [(match[1], int(match[2]), title) for match, title in found if match]


def slug(heading):
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@of_each
def test_links_name_the_line_that_holds_the_expression(lesson):
    for file, number, title in lines_of_code(lesson):
        lines = (lesson.parent / file).read_text("utf-8").splitlines()
        stands = [n for n, line in enumerate(lines, 1) if line.strip() == title]
        assert number in stands, f"{file}#L{number}: {title!r} stands in line {stands or 'none'}"


@of_each
def test_every_equation_of_the_layer_has_its_line(lesson):
    titles = {title for file, _, title in lines_of_code(lesson) if file.endswith("/lstm.py")}
    for expression in ("ops.split(z, 4", "f * c + i * g", "o * activation(c)", "activation(g)"):
        assert any(expression in title for title in titles), expression


@of_each
def test_links_lead_to_files_and_headings(lesson):
    for target, _ in links(lesson):
        if target.startswith(("http:", "https:")) or LINE.fullmatch(target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (lesson.parent / path).resolve() if path else lesson
        assert file.is_file(), target
        assert file.is_relative_to(ROOT), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), target


def test_both_languages_link_to_the_same_lines():
    english, chinese = map(lines_of_code, LESSONS)
    assert english == chinese
    assert len(english) > 30


def test_both_languages_show_the_same_equations():
    def equations(lesson):
        found = MATH.findall(lesson.read_text("utf-8"))
        return [re.sub(r"\\text\{[^}]*\}|\\quad|\\ |\s", "", equation) for equation in found]

    english, chinese = map(equations, LESSONS)
    assert english == chinese


def test_a_reader_of_one_finds_the_other_and_of_the_readme_both():
    english, chinese = LESSONS
    assert chinese.name in dict(links(english))
    assert english.name in dict(links(chinese))
    section = (ROOT / "README.md").read_text("utf-8").split("## What the gates do")[1]
    section = section.split("\n## ")[0]
    for lesson in LESSONS:
        assert f"](notebooks/{lesson.name})" in section
