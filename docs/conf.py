"""Sphinx configuration: MyST Markdown, furo, API pages from the docstrings; nothing is fetched from the network."""

import ucnp_abm

project = "ucnp_abm"
author = "The ucnp_abm developers"
copyright = "The ucnp_abm developers, Apache-2.0"
release = version = ucnp_abm.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"ucnp_abm {version}"
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
exclude_patterns = ["_build"]
