"""The notebooks as they are stored: run in one go, clean, with exercises. `make notebooks` runs them."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


def text(cell):
    return "".join(cell["source"])


def test_there_are_ten_in_order():
    assert [path.name[:2] for path in PATHS] == [f"{number:02}" for number in range(1, 11)]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_was_run_in_one_go_and_without_error(path):
    code = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    assert any({"image/png", "image/svg+xml", "text/html"} & output.get("data", {}).keys() for output in outputs)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_ends_with_exercises(path):
    cells = json.loads(path.read_text())["cells"]
    exercises = [i for i, cell in enumerate(cells) if re.search(r"^#+ .*Exercise", text(cell), re.MULTILINE)]
    assert exercises, "there is no heading with Exercise"
    later = "".join(text(cell) for cell in cells[exercises[0] :] if cell["cell_type"] == "code")
    assert re.search(r"check_by_hand|check_gradients|gradients\(|examine\(|assert", later), (
        "the library checks no answer"
    )


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_is_as_notebooks_write_leaves_it(path):
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbclient")
    spec = importlib.util.spec_from_file_location("write", NOTEBOOKS / "write.py")
    write = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(write)
    notebook = nbformat.read(path, as_version=4)
    assert write.problems(notebook) == []
    assert write.cleaned(copy.deepcopy(notebook)) == notebook
    assert path.stat().st_size <= write.LARGEST
