"""Values from the environment that pages need when they are imported."""

from __future__ import annotations

import os

#: The origins whose scripts may use the API in a visitor's browser.
API_ORIGINS = os.environ.get("DEMO_API_ORIGINS", "http://localhost:3000").split()
#: The password of the admin by default. The login page shows it.
DEMO_PASSWORD = "demo"
