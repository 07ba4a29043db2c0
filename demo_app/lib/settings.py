"""What the environment says that pages need when they are imported."""

from __future__ import annotations

import os

#: Whose scripts may use the API in a visitor's browser.
API_ORIGINS = os.environ.get("DEMO_API_ORIGINS", "http://localhost:3000").split()
