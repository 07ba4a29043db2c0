"""The contact form is shown again with its errors, and taken when it is right."""

from __future__ import annotations

from flask.testing import FlaskClient


def test_errors_are_shown_with_what_was_typed(filepages_client: FlaskClient) -> None:
    page = filepages_client.post("/contact", data={"email": "<x>", "text": "short"})

    assert page.status_code == 400
    assert "an address we can answer" in page.text
    assert 'value="&lt;x&gt;"' in page.text


def test_message_is_taken_and_confirmed_once(filepages_client: FlaskClient) -> None:
    form = {"email": "a@example.com", "text": "long enough, is it not"}
    sent = filepages_client.post("/contact", data=form)

    assert (sent.status_code, sent.headers["Location"]) == (303, "/contact")
    thanks = 'role="status">Thank you'
    assert thanks in filepages_client.get("/contact").text
    assert thanks not in filepages_client.get("/contact").text
