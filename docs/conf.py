"""How Sphinx builds the site: `make docs`, offline and with every warning an error."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# The package as it lies here, also for the processes that run the notebook.
sys.path.insert(0, str(ROOT / "python"))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT / "python"), *filter(None, [os.environ.get("PYTHONPATH")])]
)

import numpy as np  # noqa: E402

import vktensor  # noqa: E402
from vktensor import _functions, _ufuncs  # noqa: E402

project = "vktensor"
version = release = vktensor.__version__
copyright = "the vktensor authors"  # noqa: A001

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_nb"]
exclude_patterns = ["accuracy"]
templates_path = ["_templates"]
nitpicky = True
default_role = "code"
# Types are told in the text of each function; signatures are for reading.
autodoc_typehints = "none"
autodoc_default_options = {"exclude-members": "__init__, __new__"}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# The notebook is kept without outputs: each build runs it.
nb_execution_mode = "auto"
nb_execution_timeout = 200
nb_execution_raise_on_error = True
nb_merge_streams = True
myst_heading_anchors = 3


def name_list(names: Any) -> str:
    """The names as text, each once."""
    return ", ".join(f"`{name}`" for name in sorted(set(names)))


ufuncs = [value for value in vars(np).values() if isinstance(value, np.ufunc)]
myst_enable_extensions = ["substitution"]
myst_substitutions = {
    "numpy_functions": name_list(
        f"{f.__module__}.{f.__name__}".replace("numpy.", "np.") for f in _functions.table()
    ),
    "numpy_ufuncs": name_list(f"np.{u.__name__}" for u in ufuncs if _ufuncs.find(u)),
    "numpy_like": name_list(f"np.{f.__name__}" for f in _functions._LIKE),
}

html_theme = "pydata_sphinx_theme"
html_title = "vktensor"
html_show_sourcelink = False
html_copy_source = False
# Only the reference has pages below its pages.
html_sidebars = {page.stem: [] for page in Path(__file__).parent.glob("*.[mi][dp]*")}
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 9,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def link_names(text: str) -> str:
    """Makes `vt.name` a link; one to nothing is a warning."""
    named = r"(?<!`)`(vt\.([\w.]+)(?:\(\))?)`(?!`)"
    return re.sub(named, r":obj:`\1 <vktensor.\2>`", text)


def read_docstring(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Called with each docstring, which it changes."""
    lines[:] = [link_names(line) for line in lines]


def read_page(app: Any, name: str, source: list[str]) -> None:
    """Called with each page, which it changes if it is of the reference."""
    if name.startswith("reference/"):
        source[0] = link_names(source[0])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", read_docstring)
    app.connect("source-read", read_page)
