"""Gradients that people can trust: `check_gradients`, and property tests by `@gradients(...)`.

Strategies for Hypothesis are in `autograd.testing.strategies`, the mutation score of rules in
`autograd.testing.mutation`; the plugin for pytest is registered when the package is installed.
"""

from autograd.testing.check import check_gradients, examine
from autograd.testing.properties import gradients
from autograd.testing.report import Blame, Comparison, GradientError, Problem, Report

__all__ = [
    "Blame",
    "Comparison",
    "GradientError",
    "Problem",
    "Report",
    "check_gradients",
    "examine",
    "gradients",
]
