"""Nobody gets past the guard of the folder but the admin."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "BREW"])
@pytest.mark.parametrize("url", ["/admin", "/admin/", "/%61dmin"])
def test_strangers_are_sent_to_the_login(
    filepages_client: FlaskClient, method: str, url: str
) -> None:
    answer = filepages_client.open(url, method=method)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login?next=")


def test_the_admin_deletes_a_post(filepages_client: FlaskClient) -> None:
    filepages_client.post("/login?next=/admin", data={"password": "test password"})
    page = filepages_client.get("/admin")
    slug = "params-are-in-the-name"
    gone = filepages_client.post("/admin", data={"slug": slug}, follow_redirects=True)

    assert page.headers["Cache-Control"] == "no-store"
    assert "Params are in the name is gone." in gone.text
    assert filepages_client.get(f"/blog/{slug}").status_code == 404


@pytest.mark.parametrize("password", ["wrong", "", "é"])
def test_a_wrong_password_is_said(filepages_client: FlaskClient, password: str) -> None:
    page = filepages_client.post("/login", data={"password": password})

    assert page.status_code == 400
    assert "That is not the password." in page.text


def test_the_login_does_not_lead_elsewhere(filepages_client: FlaskClient) -> None:
    form = {"password": "test password"}
    answer = filepages_client.post("/login?next=//evil.example", data=form)

    assert answer.status_code == 400
