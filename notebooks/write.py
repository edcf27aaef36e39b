"""Run notebooks and store their outputs, without what changes from run to run: `make notebooks-write`.

`python notebooks/write.py [FILE ...]` runs the given notebooks, or all. One that fails, warns, tells a path of this
machine or grows beyond a megabyte is not written.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
OF_THIS_RUN = re.compile(r"/tmp/|/home/|/root/|/Users/|ipykernel_|site-packages|0x[0-9a-f]{8,}")  # noqa: S108 (looked for, not used)
LARGEST = 1_000_000


def cleaned(notebook: Any) -> Any:
    """Return the notebook with cells numbered in order, tags as the only metadata, and prints in one piece."""
    notebook.metadata = nbformat.from_dict(METADATA)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
    for number, cell in enumerate(code, start=1):
        cell.execution_count = number
        outputs: list[Any] = []
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
            if output.output_type == "stream" and outputs and outputs[-1].get("name") == output.name:
                outputs[-1].text += output.text
            else:
                outputs.append(output)
        cell.outputs = outputs
    return notebook


def problems(notebook: Any) -> list[str]:
    """Return what must not be stored."""
    found = []
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            shown = {kind: text for kind, text in output.get("data", {}).items() if kind != "image/png"}
            text = json.dumps(shown) + output.get("text", "")
            place = OF_THIS_RUN.search(text)
            if output.get("name") == "stderr":
                found.append(f"cell {number} writes to stderr: {text[:200]}")
            elif place:
                found.append(f"cell {number} shows {text[max(0, place.start() - 40) : place.end() + 40]!r}")
    return found


def write(path: Path) -> bool:
    """Run one notebook and write it; returns whether that went well."""
    started = time.perf_counter()
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": HERE}}).execute()
    text = nbformat.writes(cleaned(notebook)).rstrip("\n") + "\n"
    found = problems(notebook)
    if len(text.encode()) > LARGEST:
        found.append(f"{len(text.encode()):,} bytes are more than {LARGEST:,}")
    if not found:
        path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {time.perf_counter() - started:.0f} s, {len(text.encode()):,} bytes")
    for problem in found:
        print(f"  not written: {problem}")
    return not found


if __name__ == "__main__":
    paths = [Path(name) for name in sys.argv[1:]] or sorted(HERE.glob("*.ipynb"))
    written = [write(path) for path in paths]
    sys.exit(not all(written))
