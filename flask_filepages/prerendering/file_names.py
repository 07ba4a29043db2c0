"""The names of the files of a prerendered route, and the URLs that follow from them."""

from __future__ import annotations

import os
import typing as t

from ..releases.names import file_name
from ..settings import BuildFormat

if t.TYPE_CHECKING:
    from .stored import PrerenderedRoute


class FileNames:
    """The names of the files of one route.

    :attr:`is_page` is True for a route with a template, and :attr:`has_both_forms` if
    its URLs work with and without a slash at the end.
    """

    def __init__(self, bound: PrerenderedRoute) -> None:
        route, settings = bound.route, bound.settings
        is_error = bound.is_error_page
        stem = route.source.stem if route.source is not None else ""
        self.is_page = is_error or (route.page is not None and not route.has_file_type)
        self._format: BuildFormat = "file" if is_error else settings.build_format
        self._is_index = os.path.basename(stem) == "index"
        #: An endpoint whose file name ends in a type, such as ``feed.xml.py``.
        self._has_file_type = route.has_file_type
        self.has_both_forms = (
            settings.trailing_slash == "ignore" and not route.has_extension
        )

    def name(self, path: str, *, is_html: bool = False) -> str:
        """Return the name of the file of a decoded path, in its folder of a release.

        An endpoint's file is named like its URL, unless the endpoint returns HTML and
        names no other type: plain hosts send a file without suffix as a download.
        """
        is_page = self.is_page or (is_html and not self._has_file_type)
        return file_name(path, self._format, is_page=is_page, is_index=self._is_index)

    def url(self, path: str) -> str:
        """Return *path* as hosts serve its file: ``about/index.html`` is the page
        ``/about/``."""
        if (
            self.is_page
            and self.has_both_forms
            and path[-1] != "/"
            and self.name(path).endswith("/index.html")
        ):
            return f"{path}/"
        return path
