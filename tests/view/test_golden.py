"""The lecture's rows and a convolution stage, drawn and written, compared with files beside this one.

`python -m tests.view.test_golden` writes the files anew; look at the difference before committing it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import autograd
from tests.view.rows import ROWS

GOLDEN = Path(__file__).parent / "golden"


def forms(row: str) -> dict[str, str]:
    """Return the file's contents by ending."""
    with autograd.record():
        loss = ROWS[row]()
    loss.backward()
    graph = autograd.graph(loss)
    return {"dot": graph.dot(), "txt": graph.text() + "\n", "tex": graph.latex() + "\n"}


@pytest.mark.parametrize("row", ROWS)
def test_forms_are_as_they_were(row: str) -> None:
    for ending, found in forms(row).items():
        path = GOLDEN / f"{row}.{ending}"
        assert found == path.read_text(encoding="utf-8"), f"{path.name} differs"


@pytest.mark.parametrize("row", ROWS)
def test_forms_do_not_depend_on_the_recording(row: str) -> None:
    loss = ROWS[row]()
    loss.backward()
    written = autograd.graph(loss).text() + "\n"
    assert written == (GOLDEN / f"{row}.txt").read_text(encoding="utf-8")


def update() -> None:
    """Write all files anew."""
    GOLDEN.mkdir(exist_ok=True)
    for row in ROWS:
        for ending, found in forms(row).items():
            (GOLDEN / f"{row}.{ending}").write_text(found, encoding="utf-8")


if __name__ == "__main__":
    update()
