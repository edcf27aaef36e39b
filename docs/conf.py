"""Settings of the documentation: `make docs` builds it from the repository's root into build/docs.

Its source directory is the root, so that pages, README and notebooks link to each other and to files of the code by the
same paths here and where the repository is browsed. The notebooks are shown with their stored outputs; `make notebooks`
runs them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

project = "bargrad"
author = "the bargrad authors"
project_copyright = author

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx-mathjax-offline"]
root_doc = "docs/index"
include_patterns = ["docs/**", "notebooks/*.ipynb", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = [".*", "build", "dist", "out", "**/.ipynb_checkpoints"]

html_theme = "furo"
html_title = "bargrad"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_additional_pages = {"index": "redirect.html"}
templates_path = ["_templates"]
html_copy_source = False

nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

# Docstrings carry the types in words; the annotations, mostly Any, would only lengthen the signatures.
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "py:obj"

# Single backquotes link where there is such a name and are code otherwise; everything else must lead somewhere.
nitpicky = True
nitpick_ignore_regex = [("py:obj", ".*"), ("py:exc", r"\w+Error|KeyboardInterrupt"), ("py:class", ".*")]

ALIGNED = re.compile(r"^\S.*\S {2,}\S")
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:)([^)#]+)\)")
CODE = re.compile(r"(`[^`]*`)")


def as_restructured_text(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Escape what is a formula in a docstring and would be markup in reStructuredText, and keep aligned lines apart."""
    # What stands before a colon in a property's or Returns' first line, napoleon would take for a type.
    result = [""] if what == "property" else []
    in_example = in_block = False
    for line in lines:
        aligned = bool(ALIGNED.search(line)) and not in_example
        if aligned != in_block:
            result.append("")
            in_block = aligned
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        if in_example or line.lstrip().startswith((".. ", ":")):
            result.append(line)
            continue
        parts = CODE.split(line)
        parts[1::2] = [code + "\\ " * rest[:1].isalnum() for code, rest in zip(parts[1::2], parts[2::2], strict=True)]
        parts[::2] = [re.sub(r"([*|\\]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
        line = "| " * aligned + "".join(parts)
        returned = result[-1:] == ["Returns:"]
        result.append(re.sub(r"^( +)", r"\1: ", line) if returned else line)
    lines[:] = result


def directories_as_text(app: object, docname: str, source: list[str]) -> None:
    """Show a link to a directory as its text: there is no page to lead to."""
    folder = (ROOT / docname).parent
    source[0] = LINK.sub(lambda link: link[1] if (folder / link[2]).is_dir() else link[0], source[0])


def setup(app: object) -> None:
    """Connect the functions above, the first before napoleon's (priority 500) reads the sections."""
    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)  # type: ignore[attr-defined]
    app.connect("source-read", directories_as_text)  # type: ignore[attr-defined]
