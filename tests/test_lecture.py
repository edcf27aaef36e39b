"""The table in docs/lecture.md has every row, names tests that exist, and has no dash where there is a test."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LENGTHS = {"A": 10, "B": 10, "C": 11, "D": 10, "E": 11, "F": 11, "G": 20}
ROWS = [
    f"{section}{n}" for section, length in LENGTHS.items() for n in range(1, length + 1) if (section, n) != ("F", 6)
]
LINE = re.compile(r"^\| ([A-G]\d+) \| [^|]+ \| (.+) \|$", re.MULTILINE)
CELL = re.compile(r"\[[^\]]+\]\(\.\./([^)]+)\): ((?:`\w+`(?:, )?)+)")
TEST = re.compile(r"^def (test_([a-g]\d+)(?:_to_([a-g]\d+))?_\w+)", re.MULTILINE | re.IGNORECASE)


def in_the_table():
    """Return (row, file, test) for all that the table says."""
    table = (ROOT / "docs" / "lecture.md").read_text()
    return {
        (row, file, test)
        for row, cell in LINE.findall(table)
        for file, tests in CELL.findall(cell)
        for test in re.findall(r"`(\w+)`", tests)
    }


def in_the_code():
    """Return (row, file, test) for all tests with a row, or a first and a last row, in their names."""
    found = set()
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for test, first, last in TEST.findall(path.read_text()):
            for n in range(int(first[1:]), int((last or first)[1:]) + 1):
                found.add((f"{first[0].upper()}{n}", path.relative_to(ROOT).as_posix(), test))
    return found


def test_the_table_has_every_row_once():
    assert [row for row, _ in LINE.findall((ROOT / "docs" / "lecture.md").read_text())] == ROWS


def test_the_table_names_tests_that_exist():
    assert in_the_table() - in_the_code() == set()


def test_no_dash_where_there_is_a_test():
    dashes = {row for row, cell in LINE.findall((ROOT / "docs" / "lecture.md").read_text()) if cell == "-"}
    outdated = sorted(entry for entry in in_the_code() if entry[0] in dashes)
    assert not outdated, f"put these into docs/lecture.md in place of the dash: {outdated}"
    assert dashes | {row for row, _, _ in in_the_table()} == set(ROWS)
