"""Sphinx configuration."""

from pallets_sphinx_themes import get_version

project = "flask_filepages"
copyright = "2026 The flask_filepages authors"
release, version = get_version("Flask-Filepages")
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "pallets_sphinx_themes",
]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
exclude_patterns = ["_build"]
html_theme = "flask"
html_show_sourcelink = False
nitpicky = False
