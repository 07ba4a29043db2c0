"""The app whose stored answers are attacked: ``gunicorn tests.attacks.stored:app``.

``STORED_BUILD`` names its build folder. ``STORED_MADE`` is in its answers, so that it
shows whether a build made them or the server did.
"""

from __future__ import annotations

import os

from flask import Flask

from flask_filepages import FilePages

app = Flask(__name__)
app.config.update(
    FILEPAGES_OUTPUT="hybrid",
    FILEPAGES_BUILD_DIR=os.environ["STORED_BUILD"],
)
pages = FilePages(app, folder="stored_pages")
pages.load()
