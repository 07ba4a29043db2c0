"""Sphinx configuration."""

import os

from pallets_sphinx_themes import get_version

SOURCE = "https://github.com/flask-filepages/flask-filepages"

project = "flask_filepages"
copyright = "2026 The flask_filepages authors"
release, version = get_version("Flask-Filepages")
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.extlinks",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "pallets_sphinx_themes",
]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_preserve_defaults = True
extlinks = {"source": (f"{SOURCE}/blob/main/%s", "%s")}
extlinks_detect_hardcoded_links = False
exclude_patterns = ["_build"]
# "q" and "D", but not "e": in a file name such as [...path].py, dots are dots.
smartquotes_action = "qD"
html_theme = "flask"
html_static_path = ["_static"]
html_show_sourcelink = False

# Inventories come from the network, and a build without a network must pass.
intersphinx_mapping = {}
if "READTHEDOCS" in os.environ:
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "flask": ("https://flask.palletsprojects.com/en/stable", None),
        "werkzeug": ("https://werkzeug.palletsprojects.com/en/stable", None),
        "marshmallow": ("https://marshmallow.readthedocs.io/en/stable", None),
    }
