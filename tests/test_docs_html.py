"""The documentation as HTML: it builds without a warning, and its links lead
somewhere."""

from __future__ import annotations

import dataclasses
import io
import re
import typing as t
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from urllib.parse import urlsplit

import pytest

from flask_filepages import Context
from flask_filepages import FilePages
from flask_filepages import Page
from flask_filepages import PageUrls
from flask_filepages import StaticPath
from flask_filepages.building.report import Options
from flask_filepages.building.report import PageResult
from flask_filepages.building.report import Report
from flask_filepages.cookies import Cookies
from flask_filepages.routing.routes import Route
from flask_filepages.site import ListedPath

from .conftest import ROOT

sphinx_application = pytest.importorskip(
    "sphinx.application", reason="the docs are built in the development environment"
)


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.urls: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.urls.append(value)


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """Return the text of each page, by its file."""
    folder = tmp_path_factory.mktemp("html")
    warnings = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.showwarning", lambda *args, **kwargs: None)
        app = sphinx_application.Sphinx(
            srcdir=ROOT / "docs",
            confdir=ROOT / "docs",
            outdir=folder,
            doctreedir=folder / ".doctrees",
            buildername="html",
            status=None,
            warning=warnings,
        )
        app.build()
    assert warnings.getvalue() == ""
    return {
        path: path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.html"))
        if "_modules" not in path.parts
    }


def test_dots_in_file_names_stay_dots(html: dict[Path, str]) -> None:
    assert [path.name for path, text in html.items() if "…" in text] == []


def test_no_page_has_an_internal_number(html: dict[Path, str]) -> None:
    found = [
        match[0]
        for text in html.values()
        for match in re.finditer(r"\b[Rr]ules? \d+", text)
    ]

    assert found == []


def test_links_lead_somewhere(html: dict[Path, str]) -> None:
    parsed = {path: _Links(text) for path, text in html.items()}
    broken = []
    for path, links in parsed.items():
        if path.name == "404.html":  # The links of an error page begin at the root.
            continue
        for url in links.urls:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc or "_modules" in parts.path:
                continue
            target = (
                (path.parent / unquote(parts.path)).resolve() if parts.path else path
            )
            known = parsed.get(target)
            is_missing = not target.exists() or (
                known is not None
                and bool(parts.fragment)
                and unquote(parts.fragment) not in known.ids
            )
            if is_missing:
                broken.append((path.name, url))

    assert broken == []


def attributes(kind: type) -> list[str]:
    """Return the public attributes of the objects of a class."""
    if dataclasses.is_dataclass(kind):
        names = {field.name for field in dataclasses.fields(kind)}
    else:
        names = {
            *getattr(kind, "_fields", ()),
            *t.get_type_hints(kind, include_extras=True),
        }
    names |= {n for n, v in vars(kind).items() if isinstance(v, property)}
    return sorted(name for name in names if not name.startswith("_"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("flask_filepages.routing.routes.Route", Route),
        ("flask_filepages.site.ListedPath", ListedPath),
        ("flask_filepages.StaticPath", StaticPath),
        ("flask_filepages.Page", Page),
        ("flask_filepages.PageUrls", PageUrls),
        ("flask_filepages.building.report.Options", Options),
        ("flask_filepages.building.report.PageResult", PageResult),
        ("flask_filepages.building.report.Report", Report),
    ],
)
def test_every_attribute_is_documented(
    html: dict[Path, str], name: str, kind: type
) -> None:
    [text] = [text for text in html.values() if f'id="{name}"' in text]
    section = text.partition(f'id="{name}"')[2].partition('<dl class="py class">')[0]
    missing = [
        attribute
        for attribute in attributes(kind)
        if f"<strong>{attribute}</strong>" not in section
        and f'id="{name}.{attribute}"' not in section
    ]

    assert missing == ["sort_key"] * (kind is Route)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("flask_filepages.Context", Context),
        ("flask_filepages.FilePages", FilePages),
        ("flask_filepages.cookies.Cookies", Cookies),
    ],
)
def test_every_method_is_documented(
    html: dict[Path, str], name: str, kind: type
) -> None:
    text = "\n".join(html.values())
    names = [
        n
        for n in vars(kind)
        if not n.startswith("_") and n not in ("write", "blueprint")
    ]

    assert [n for n in names if f'id="{name}.{n}"' not in text] == []
