"""Astro's server endpoints for Flask: a ``pages/`` folder is the app's routes.

::

    app = Flask(__name__)
    pages = FilePages(app)      # serves ./pages beside this module
"""

from .answer_schemas import responds
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
from .middleware import CallNext
from .middleware import Middleware
from .middleware import headers
from .middleware import once_per_render
from .origins import check_origin
from .origins import cors
from .static_paths import Page
from .static_paths import PageUrls
from .static_paths import StaticPath
from .static_paths import paginate
from .validation import validate

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
