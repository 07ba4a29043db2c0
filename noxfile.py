"""The tests on each version of Python, and on the lowest versions of the packages.

``nox`` runs them on every Python that the machine has, ``nox --session tests-3.12`` on
one of them. ``make test`` and ``make test-long`` run all tests on one Python.
"""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
LOWEST = [
    *("flask==3.1.0", "werkzeug==3.1.6", "marshmallow==4.1.2", "filelock==3.20.1"),
    *("apispec==6.8.4", "flask-swagger-ui==5.21.0", "watchfiles==0.21.0"),
]
TESTS = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "tests")
# These need node or Sphinx, and do not depend on the version of Python.
LEFT_OUT = [
    "tests/test_conformance.py",
    "tests/test_docs_html.py",
]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on the newest packages."""
    _run(session)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Run the tests on the lowest versions that setup.cfg allows."""
    _run(session, *LOWEST)


def _run(session: nox.Session, *requirements: str) -> None:
    demo = ("-r", "demo_app/requirements.txt")
    session.install("--editable", ".", *TESTS, *demo, *requirements)
    ignored = [f"--ignore={path}" for path in LEFT_OUT]
    session.run("python", "-m", "pytest", "-m", "not long", *ignored, *session.posargs)
