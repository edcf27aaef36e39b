"""Every Python block in README and docs is run: block after block of a page in one namespace."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```python([ \w]*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
IMAGE = re.compile(r'<img src="([^"]+)"')
SHELL = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def blocks(page: Path, library: str = "") -> list[Any]:
    """Return a page's Python blocks, compiled; with `library`, those that are marked as that library's.

    A block in a list is indented: that is taken away. Lines keep their numbers in the page.
    """
    found = []
    text = page.read_text()
    for match in BLOCK.finditer(text):
        indent, mark, code = match.groups()
        if mark.strip() == library:
            code = re.sub(rf"^{indent}", "", code, flags=re.MULTILINE)
            above = text.count("\n", 0, match.start(3))
            found.append(compile("\n" * above + code, str(page), "exec"))
    return found


def run(codes: list[Any], namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run blocks in one namespace, and return it."""
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    for code in codes:
        exec(code, namespace)
    return namespace


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=name_of)
def test_code_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    run(blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    targets = LINK.findall(page.read_text()) + IMAGE.findall(page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def commands() -> list[str]:
    """Return the lines of all shell blocks."""
    return [line for page in PAGES for block in SHELL.findall(page.read_text()) for line in block.splitlines()]


def test_commands_exist():
    """What shell blocks call: make's targets, extras, examples."""
    lines = commands()
    makefile = (ROOT / "Makefile").read_text()
    targets = {target for line in lines for target in re.findall(r"^make ([\w-]+)", line)}
    assert {"demo", "test"} <= targets
    assert not [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = {extra for line in lines for names in re.findall(r"\[([\w,]+)\]", line) for extra in names.split(",")}
    assert asked <= extras.keys()
    examples = {name for line in lines for name in re.findall(r"python -m examples\.(\w+)", line)}
    assert not [name for name in examples if not (ROOT / "examples" / f"{name}.py").exists()]


def test_make_tells_every_target():
    text = (ROOT / "Makefile").read_text()
    told = re.findall(r"^# make ([\w-]+)  ", text, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    assert sorted(told) == sorted(phony[1].split()) == sorted(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))


def words(picture: str) -> list[str]:
    """Return what is written in a picture; where it stands differs from one Graphviz to the next."""
    return sorted(re.findall(r"<text[^>]*>([^<]*)</text>", picture))


def test_picture_is_what_the_code_draws(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(blocks(ROOT / "README.md")[:1])
    drawn, shown = Path("graph.svg").read_text(), (ROOT / "docs" / "graph.svg").read_text()
    assert words(drawn) == words(shown), "put the graph.svg that README's first block writes into docs/"
    assert drawn.count("<g ") == shown.count("<g ")


def test_readme_shows_what_the_code_prints(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(blocks(ROOT / "README.md")[:1])
    shown = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert capsys.readouterr().out == shown[1]


def table_rows(text: str) -> list[list[str]]:
    """Return the first five cells of each row of Markdown tables, without the headings."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")][:5] for line in text.splitlines() if line[:1] == "|"]
    return [row for row in rows if row[0] != "job" and not set(row[0]) <= {"-"}]


def test_readme_quotes_the_benchmarks():
    """The rows under Speed are rows of the results: no figure of an older run, none rounded in our favour."""
    speed = (ROOT / "README.md").read_text().partition("## Speed")[2].partition("\n## ")[0]
    results = ROOT / "benchmarks" / "RESULTS.md"
    quoted = table_rows(speed)
    assert bool(quoted) == results.exists(), "quote the main rows of benchmarks/RESULTS.md in README, or none"
    known = table_rows(results.read_text()) if quoted else []
    assert [row for row in quoted if row not in known] == []
