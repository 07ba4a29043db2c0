"""The names of the files of a prerendered route, and the URLs that follow from them."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from ..releases.names import file_name
from ..settings import BuildFormat

if t.TYPE_CHECKING:
    from .stored import PrerenderedRoute


@dataclass(frozen=True, slots=True)
class FileNames:
    """The names of the files of one route.

    :attr:`is_page` is True for a route with a template, and :attr:`has_file_type` for
    an endpoint whose file name ends in a type, such as ``feed.xml.py``. With
    :attr:`adds_slash`, the URL of a page in a folder of its own ends in a slash.
    """

    build_format: BuildFormat
    is_page: bool
    is_index: bool
    has_file_type: bool
    adds_slash: bool

    @classmethod
    def of(cls, bound: PrerenderedRoute) -> FileNames:
        route, settings = bound.route, bound.settings
        is_error = bound.is_error_page
        stem = route.source.stem if route.source is not None else ""
        is_page = is_error or (route.page is not None and not route.has_file_type)
        return cls(
            build_format="file" if is_error else settings.build_format,
            is_page=is_page,
            is_index=os.path.basename(stem) == "index",
            has_file_type=route.has_file_type,
            adds_slash=is_page
            and settings.trailing_slash == "ignore"
            and not route.has_extension,
        )

    def name(self, path: str, *, is_html: bool = False) -> str:
        """Return the name of the file of a decoded path, in its folder of a release.

        An endpoint's file is named like its URL, unless the endpoint returns HTML and
        names no other type: plain hosts send a file without suffix as a download.
        """
        is_page = self.is_page or (is_html and not self.has_file_type)
        return file_name(
            path, self.build_format, is_page=is_page, is_index=self.is_index
        )

    def url(self, path: str) -> str:
        """Return *path* as hosts serve its file: ``about/index.html`` is the page
        ``/about/``."""
        if (
            self.adds_slash
            and path[-1] != "/"
            and self.name(path).endswith("/index.html")
        ):
            return f"{path}/"
        return path
