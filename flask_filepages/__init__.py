"""Astro's server endpoints for Flask: a ``pages/`` folder is the app's routes.

::

    app = Flask(__name__)
    pages = FilePages(app)      # serves ./pages beside this module
"""

from .context import Context
from .errors import AnswerMismatchError
from .errors import BodyAlreadyReadError
from .errors import BuildError
from .errors import CookieError
from .errors import FilePagesError
from .errors import InvalidContentError
from .errors import LoadError
from .errors import MiddlewareError
from .errors import NotAResponseError
from .errors import ParamError
from .errors import PatternError
from .errors import ReleaseError
from .errors import RewriteLoopError
from .errors import SettingsError
from .errors import StaticPathError
from .errors import TreeError
from .errors import UnsafeRedirectError
from .extension import FilePages
from .handling.middleware import CallNext
from .handling.middleware import Middleware
from .handling.middleware import headers
from .handling.middleware import once_per_render
from .handling.origins import check_origin
from .handling.origins import cors
from .prerendering.static_paths import Page
from .prerendering.static_paths import PageUrls
from .prerendering.static_paths import StaticPath
from .prerendering.static_paths import paginate
from .validation.responds import responds
from .validation.validate import validate

__all__ = [
    "AnswerMismatchError",
    "BodyAlreadyReadError",
    "BuildError",
    "CallNext",
    "Context",
    "CookieError",
    "FilePages",
    "FilePagesError",
    "InvalidContentError",
    "LoadError",
    "Middleware",
    "MiddlewareError",
    "NotAResponseError",
    "Page",
    "PageUrls",
    "ParamError",
    "PatternError",
    "ReleaseError",
    "RewriteLoopError",
    "SettingsError",
    "StaticPath",
    "StaticPathError",
    "TreeError",
    "UnsafeRedirectError",
    "check_origin",
    "cors",
    "headers",
    "once_per_render",
    "paginate",
    "responds",
    "validate",
]
