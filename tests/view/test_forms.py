"""All forms of random computations: none raises, all say the same."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

import autograd
from autograd.view.forms import View
from tests.view.random_graphs import computations

_SETTINGS = hypothesis.settings(
    max_examples=60, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)


@_SETTINGS
@hypothesis.given(computations(), st.booleans(), st.booleans())
def test_no_form_raises_and_all_have_every_line(monkeypatch: Any, compute: Any, recording: bool, swept: bool) -> None:
    monkeypatch.setattr("autograd.view.page.svg", lambda source: f"<svg>{len(source)}</svg>")
    if recording:
        with autograd.record():
            loss, tensors = compute()
    else:
        loss, tensors = compute()
    if swept:
        loss.backward()
    graph = autograd.graph(loss)
    view = View(graph)
    lines = list(view.equations())
    assert len(view.text().splitlines()) == len(lines)
    assert len(view.text(unicode=False, indexed=True, expand=True).splitlines()) >= len(lines)
    assert view.latex().count("&=") == len(lines)
    assert view.markdown().count("\n") == len(lines) + 3
    view.text(unicode=False).encode("ascii")
    for show in ("forward", "backward", "both"):
        assert view.dot(show=show).startswith("digraph")
    assert view.dot(constants=False, collapse=True, budget=5).startswith("digraph")
    page = view.html(check=False)
    trace = page.partition('id="trace">')[2].partition("</script>")[0]
    assert len(json.loads(trace)["steps"]) >= len(lines)
    for tensor in tensors:
        answer = graph.why(tensor)
        assert str(answer)
        if tensor._node in graph.nodes and answer.kind == "zero":
            assert not np.any(view.replay.bars[graph.number(tensor._node)])


@_SETTINGS
@hypothesis.given(computations())
def test_shares_add_up_to_bars(compute: Any) -> None:
    loss, _ = compute()
    view = View(autograd.graph(loss))
    for quantity in view.snapshot.quantities:
        shares = [s for (c, i), s in view.replay.shares.items() if view.snapshot[c].parents[i] == quantity.number]
        if (
            quantity.number in view.replay.bars
            and quantity.number not in view.snapshot.outputs
            and not isinstance(quantity.dtype, tuple)
        ):
            np.testing.assert_allclose(sum(shares), view.replay.bars[quantity.number], rtol=1e-9, atol=1e-12)
