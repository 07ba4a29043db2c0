"""The webhook takes what is signed, and nothing else."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import Unauthorized

from demo_app.lib import messages

BODY = b'{"order": 7}'


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (messages.signature("test secret", BODY), 204),
        (messages.signature("another secret", BODY), 401),
        (messages.signature("test secret", b"another body"), 401),
        ("", 401),
        ("é", 401),
    ],
)
def test_signature(filepages_client: FlaskClient, given: str, status: int) -> None:
    response = filepages_client.post(
        "/api/webhook", data=BODY, headers={"X-Signature": given, "X-Event": "order"}
    )

    assert response.status_code == status


def test_handler_is_a_plain_function(app: Flask) -> None:
    from flask_filepages.testing import load_endpoint
    from flask_filepages.testing import make_context

    webhook = load_endpoint("webhook.py", beside=__file__)
    context = make_context("POST", headers={"X-Signature": "no"}, app=app)

    with pytest.raises(Unauthorized):
        webhook.POST(context)
