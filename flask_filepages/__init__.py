"""Astro's server endpoints for Flask: files in ``pages/`` become routes.

::

    app = Flask(__name__)
    filepages = FilePages(app)  # serves ./pages next to this module
"""

from __future__ import annotations

import typing as t

__version__ = "0.1.0"

if t.TYPE_CHECKING:
    from .context import Context as Context
    from .errors import BodyAlreadyReadError as BodyAlreadyReadError
    from .errors import BuildError as BuildError
    from .errors import CookieError as CookieError
    from .errors import FilePagesError as FilePagesError
    from .errors import InvalidContentError as InvalidContentError
    from .errors import LoadError as LoadError
    from .errors import MiddlewareError as MiddlewareError
    from .errors import NotAResponseError as NotAResponseError
    from .errors import ParamError as ParamError
    from .errors import PatternError as PatternError
    from .errors import ReleaseError as ReleaseError
    from .errors import ResponseMismatchError as ResponseMismatchError
    from .errors import RewriteLoopError as RewriteLoopError
    from .errors import SettingsError as SettingsError
    from .errors import StaticPathError as StaticPathError
    from .errors import TreeError as TreeError
    from .errors import UnsafeRedirectError as UnsafeRedirectError
    from .extension import FilePages as FilePages
    from .handling.middleware import CallNext as CallNext
    from .handling.middleware import Middleware as Middleware
    from .handling.middleware import headers as headers
    from .handling.middleware import once_per_render as once_per_render
    from .handling.origins import check_origin as check_origin
    from .handling.origins import cors as cors
    from .prerendering.static_paths import Page as Page
    from .prerendering.static_paths import PageUrls as PageUrls
    from .prerendering.static_paths import StaticPath as StaticPath
    from .prerendering.static_paths import paginate as paginate
    from .sitemaps import sitemap as sitemap
    from .validation.responds import responds as responds
    from .validation.validate import validate as validate

# The public names by module. They are imported when they are first used (PEP 562),
# because every ``flask`` command and every pytest run imports this package.
_MODULES = {
    "context": "Context",
    "errors": (
        "BodyAlreadyReadError BuildError CookieError FilePagesError InvalidContentError"
        " LoadError MiddlewareError NotAResponseError ParamError PatternError"
        " ReleaseError ResponseMismatchError RewriteLoopError SettingsError"
        " StaticPathError TreeError UnsafeRedirectError"
    ),
    "extension": "FilePages",
    "handling.middleware": "CallNext Middleware headers once_per_render",
    "handling.origins": "check_origin cors",
    "prerendering.static_paths": "Page PageUrls StaticPath paginate",
    "sitemaps": "sitemap",
    "validation.responds": "responds",
    "validation.validate": "validate",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]

if not t.TYPE_CHECKING:  # Otherwise type checkers would accept every name.

    def __getattr__(name):
        from importlib import import_module

        module = _HOMES.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
