"""A comment is shown again with its errors, and taken when it is right."""

from __future__ import annotations

from flask.testing import FlaskClient

URL = "/blog/a-file-is-a-route/comments"


def test_errors_are_shown_with_what_was_typed(filepages_client: FlaskClient) -> None:
    page = filepages_client.post(URL, data={"author": "<b>", "text": " "})

    assert page.status_code == 400
    assert "Please write something, without control characters." in page.text
    assert 'value="&lt;b&gt;"' in page.text


def test_a_comment_is_shown(filepages_client: FlaskClient) -> None:
    sent = filepages_client.post(URL, data={"author": "Ann", "text": "<i>Yes</i>"})

    assert (sent.status_code, sent.headers["Location"]) == (303, URL)
    assert "<b>Ann</b> &lt;i&gt;Yes&lt;/i&gt;" in filepages_client.get(URL).text


def test_a_page_of_another_site_cannot_comment(filepages_client: FlaskClient) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    form = {"author": "Eve", "text": "Buy it"}

    assert filepages_client.post(URL, data=form, headers=headers).status_code == 403
    assert "Eve" not in filepages_client.get(URL).text
