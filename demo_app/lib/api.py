"""What the OpenAPI document says about the API as a whole."""

from __future__ import annotations

API_DOCUMENT = {
    "info": {
        "title": "The file blog",
        "version": "1.0.0",
        "description": "A blog whose posts can be read and written as JSON.",
        "contact": {
            "name": "Flask-Filepages",
            "url": "https://flask.palletsprojects.com/",
        },
        "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
    },
    "tags": [
        {"name": "api", "description": "The time, and the webhook."},
        {"name": "api-posts", "description": "The posts of the blog."},
        {"name": "img", "description": "Pictures."},
        {"name": "pages", "description": "Files at the root of the site."},
    ],
}
