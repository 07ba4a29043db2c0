"""``gunicorn demo_app.wsgi:app``."""

from demo_app import create_app

app = create_app()
