"""Every public name has its place in the reference, and a docstring that says what a caller must know."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from pathlib import Path

import pytest

import nn
import optim
from autograd import numpy_api

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
PACKAGES = ("autograd", "nn", "optim")
MODULES = """
    autograd autograd.linalg autograd.testing autograd.testing.strategies autograd.testing.mutation
    autograd.testing.programs nn nn.functional nn.init nn.data optim
""".split()
RETURNED = """
    autograd.view.equations.Equations autograd.view.hand.HandCheck autograd.view.why.Why autograd.view.render.RenderError
""".split()
"""Classes of what Graph's methods return and raise."""

DIRECTIVE = re.compile(r"^\.\. (?:currentmodule:: ([\w.]+)|auto\w+:: (\w+))$", re.MULTILINE)
RAISED = re.compile(r"^ *(\w+): ", re.MULTILINE)


def public(module):
    """Return a module's public functions and classes by name: its `__all__`, else what is defined in it."""
    module = importlib.import_module(module)
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name, value in vars(module).items() if not name.startswith("_") and _at_home(value, module)]
    found = {f"{module.__name__}.{name}": getattr(module, name) for name in names}
    return {name: value for name, value in found.items() if inspect.isclass(value) or inspect.isfunction(value)}


def _at_home(value, module):
    home = getattr(value, "__module__", None) or ""
    return home == module.__name__ or (module.__name__ == "autograd" and home.startswith("autograd."))


def methods(name, cls):
    """Return the public methods and properties that a class of ours defines itself."""
    if not cls.__module__.startswith(PACKAGES):
        return {}
    kinds = (property, classmethod, staticmethod)
    own = {key for key, value in vars(cls).items() if inspect.isfunction(value) or isinstance(value, kinds)}
    return {f"{name}.{key}": getattr(cls, key) for key in own if not key.startswith("_")}


def found(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


NAMES = {name: value for module in MODULES for name, value in public(module).items()}
NAMES |= {name: found(name) for name in RETURNED}
MEMBERS = {
    key: value
    for name, cls in NAMES.items()
    if inspect.isclass(cls)
    for key, value in sorted(methods(name, cls).items())
}
NUMPYS = {id(function) for function in numpy_api.FUNCTIONS.values()}


def test_reference_has_every_public_name_once():
    listed = []
    for page in sorted(REFERENCE.glob("*.md")):
        module = ""
        for current, name in DIRECTIVE.findall(page.read_text()):
            module = current or module
            if name:
                listed.append(f"{module}.{name}")
    assert sorted(listed) == sorted(NAMES)


def test_there_are_as_many_names_as_one_would_expect():
    assert len(NAMES) > 400
    assert len(MEMBERS) > 150


@pytest.mark.parametrize("name", [*NAMES, *MEMBERS])
def test_docstring_begins_with_a_sentence(name):
    doc = inspect.getdoc((NAMES | MEMBERS)[name])
    assert doc, f"{name} has no docstring"
    first = doc.split("\n\n")[0].split("\nArgs:")[0]
    starts = first.split()[0]
    assert starts[0].isupper() or not starts.isalpha() or len(starts) == 1, (
        f"{name}: neither sentence nor formula: {first}"
    )
    assert first.rstrip().endswith((".", ":")), f"{name}: no end: {first}"


def parameters(value):
    """Return the names of a function's or a constructor's parameters."""
    if isinstance(value, property) or (inspect.isclass(value) and issubclass(value, Exception)):
        return []
    return [name for name in inspect.signature(value).parameters if name != "self" and not name.startswith("_")]


def inherited(name):
    """Tell whether a base class of ours documents this method, with its parameters."""
    owner, _, key = name.rpartition(".")
    return any(key in vars(base) and base.__module__.startswith(PACKAGES) for base in NAMES[owner].__mro__[1:])


DOCUMENTED_ELSEWHERE = [name for name in MEMBERS if inherited(name)]
DESCRIBED = [name for name, value in NAMES.items() if id(value) not in NUMPYS]
DESCRIBED += [name for name in MEMBERS if name not in DOCUMENTED_ELSEWHERE and not name.startswith("autograd.Tensor.")]


@pytest.mark.parametrize("name", DESCRIBED)
def test_docstring_names_every_parameter(name):
    """Operations and Tensor's methods have NumPy's parameters, and NumPy's meaning."""
    value = (NAMES | MEMBERS)[name]
    doc = inspect.getdoc(value)
    missing = [parameter for parameter in parameters(value) if not re.search(rf"\b{parameter}\b", doc)]
    assert not missing, f"{name} says nothing of {missing}"


LAYERS = [name for name, value in NAMES.items() if inspect.isclass(value) and name.startswith(("nn.", "optim."))]


@pytest.mark.parametrize("name", [name for name in LAYERS if parameters(NAMES[name])])
def test_class_describes_every_argument(name):
    """Each has a line of its own under Args, or Attributes (a dataclass's are its arguments)."""
    doc = inspect.getdoc(NAMES[name])
    described = "".join(re.findall(r"^(?:Args|Attributes):\n((?: +.*\n?|\n)*)", doc, re.MULTILINE))
    heads = " ".join(re.findall(r"^ {4}(\S.*?):", described, re.MULTILINE))
    missing = [parameter for parameter in parameters(NAMES[name]) if not re.search(rf"\b{parameter}\b", heads)]
    assert not missing, f"{name}: no line for {missing} under Args"


def own_nodes(function):
    """Yield the nodes of a function's body, without those of functions in it, whose errors come in their own calls."""
    stack = list(function.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            stack.extend(ast.iter_child_nodes(node))


def raised(function):
    """Return the names of the exceptions that a function raises itself, in so many words."""
    try:
        definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError):
        return set()
    if not isinstance(definition, ast.FunctionDef):
        return set()
    calls = [
        node.exc for node in own_nodes(definition) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]
    named = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
    return {name for name in named if name.endswith("Error")} - {"NotImplementedError"}


@pytest.mark.parametrize("name", [*NAMES, *(name for name in MEMBERS if name not in DOCUMENTED_ELSEWHERE)])
def test_docstring_names_every_error(name):
    value = (NAMES | MEMBERS)[name]
    raiser = value.__init__ if inspect.isclass(value) else value.fget if isinstance(value, property) else value
    doc = inspect.getdoc(value)
    told = {*RAISED.findall(doc.partition("Raises:")[2]), *re.findall(r"\bRaise (\w+Error)", doc)}
    silent = raised(raiser) - told
    assert not silent, f"{name} raises {silent}: say so under Raises"


MODULES_OF_NN = [name for name in LAYERS if issubclass(NAMES[name], nn.Module) and "forward" in dir(NAMES[name])]


@pytest.mark.parametrize("name", [name for name in MODULES_OF_NN if name not in ("nn.Module", "nn.Sequential")])
def test_layer_tells_shapes(name):
    docs = [inspect.getdoc(NAMES[name]) or "", inspect.getdoc(NAMES[name].forward) or ""]
    if name != "nn.ModuleList":  # has no forward of its own
        assert re.search(r"\(N\b|\(T\b|\(\.\.\.|shape", " ".join(docs)), f"{name} says nothing of shapes"


@pytest.mark.parametrize("name", [name for name in LAYERS if issubclass(NAMES[name], optim.Optimizer)])
def test_optimizer_names_its_paper(name):
    assert name == "optim.Optimizer" or "Source: " in inspect.getdoc(NAMES[name])
