"""The demo's own app, on a database of the test's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from demo_app import create_app


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(
        {
            "TESTING": True,
            "DATABASE": str(tmp_path / "demo.sqlite"),
            "ADMIN_PASSWORD": "test password",
            "WEBHOOK_SECRET": "test secret",
            "FILEPAGES_BUILD_DIR": str(tmp_path / "dist"),
        }
    )
    yield app
    app.extensions["demo_engine"].dispose()
