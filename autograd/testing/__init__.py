"""Gradients that people can trust: `check_gradients` and what belongs to it."""

from autograd.testing.check import check_gradients, examine
from autograd.testing.report import Blame, Comparison, GradientError, Problem, Report

__all__ = ["Blame", "Comparison", "GradientError", "Problem", "Report", "check_gradients", "examine"]
