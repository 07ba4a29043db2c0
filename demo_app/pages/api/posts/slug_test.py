"""Posts are listed by page, read, made, changed and deleted."""

from __future__ import annotations

from flask.testing import FlaskClient


def test_list_is_paged(filepages_client: FlaskClient) -> None:
    first = filepages_client.get("/api/posts").get_json()
    second = filepages_client.get("/api/posts?page=2").get_json()

    assert (first["page"], first["last"], first["total"]) == (1, 2, 7)
    assert [len(first["items"]), len(second["items"])] == [5, 2]
    assert filepages_client.get("/api/posts?page=3").status_code == 404


def test_life_of_a_post(filepages_client: FlaskClient) -> None:
    made = filepages_client.post("/api/posts", json={"title": "Hé!", "body": "x"})
    address = made.headers["Location"]
    changed = filepages_client.put(address, json={"title": "Other", "body": "y"})

    assert made.status_code == 201
    assert address == "/api/posts/h"
    assert changed.get_json()["title"] == "Other"
    assert filepages_client.get("/blog/h").status_code == 200
    assert filepages_client.get("/posts/h").headers["Location"] == "/blog/h"
    assert filepages_client.delete(address).status_code == 204
    assert filepages_client.get(address).status_code == 404


def test_same_title_gets_its_own_slug(filepages_client: FlaskClient) -> None:
    post = {"title": "Twice", "body": "x"}
    slugs = [
        filepages_client.post("/api/posts", json=post).get_json()["slug"]
        for _ in range(3)
    ]

    assert slugs == ["twice", "twice-2", "twice-3"]


def test_bad_posts_are_refused(filepages_client: FlaskClient) -> None:
    bad = [[], {}, {"title": "x"}, {"title": " ", "body": "y"}]
    bad += [{"title": "a", "body": "b", "c": 1}]
    statuses = {filepages_client.post("/api/posts", json=b).status_code for b in bad}

    assert statuses == {400}
    assert filepages_client.post("/api/posts", data="{").status_code == 415
