"""The ``FILEPAGES_*`` settings, which are read once."""

from __future__ import annotations

import copy
import os
import re
import typing as t
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from urllib.parse import urlsplit

from .errors import SettingsError
from .errors import closest
from .targets import REDIRECT_STATUSES
from .targets import check_origin_text

TrailingSlash = t.Literal["ignore", "always", "never"]
Output = t.Literal["server", "hybrid", "static"]
BuildFormat = t.Literal["directory", "file", "preserve"]
#: ``"auto"``: listed paths are stored, all others run on each request.
Prerender = bool | t.Literal["auto"]
_PREFIX = "FILEPAGES_"

#: The parts of an OpenAPI document that the app can give, and their types.
_OPENAPI_PARTS = {
    "info": dict,
    "servers": list,
    "security": list,
    "tags": list,
    "paths": dict,
    "components": dict,
    "webhooks": dict,
    "externalDocs": dict,
    "jsonSchemaDialect": str,
}
_openapi_re = re.compile(r"(?:/[\w.~-]+)+\.json", re.ASCII)
_host_name_re = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:]+\]", re.ASCII)
_site_re = re.compile(r"https?://[\x21-\x7e]+\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Redirect:
    """The target of a redirect. Without a status it is 301 for ``GET``, else 308."""

    target: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked settings of one app, named like their keys in lower case."""

    site: str | None = None
    trailing_slash: TrailingSlash = "ignore"
    redirects: t.Mapping[str, Redirect] = field(default_factory=dict)
    strict_response: bool = True
    invalid_status: t.Literal[400, 422] = 400
    check_origin: bool = True
    trusted_origins: frozenset[str] = frozenset()
    output: Output = "server"
    build_dir: str = "site"
    build_format: BuildFormat = "directory"
    front: bool = False
    openapi: str | None = None
    openapi_document: t.Mapping[str, t.Any] = field(default_factory=dict)
    openapi_change: t.Callable[[dict[str, t.Any]], t.Any] | None = None
    openapi_guard: t.Callable[[t.Any], t.Any] | None = None
    openapi_pages: bool = False
    dev_hosts: frozenset[str] | None = None
    #: ``APPLICATION_ROOT`` without a slash at its end: the ``SCRIPT_NAME`` for which
    #: responses are stored.
    root: str = ""

    @property
    def base_url(self) -> str | None:
        """What absolute URLs begin with: ``FILEPAGES_SITE`` with the root of the
        app."""
        if self.site is None:
            return None
        scheme, host = urlsplit(self.site)[:2]
        return f"{scheme}://{host}{self.root}"

    @classmethod
    def from_config(cls, config: t.Mapping[str, t.Any]) -> Settings:
        """Return the settings in *config*.

        :raises SettingsError: a key is unknown, or a value is wrong.
        """
        names = [f"{_PREFIX}{name.upper()}" for name in _READERS]
        for key in config:
            is_near = key.startswith("FILE") and not key.startswith(_PREFIX)
            close = closest(key, names, 0.9) if is_near else None
            if close is not None:
                raise SettingsError(f"{key} is not a setting. Did you mean {close}?")
        given = {
            key[len(_PREFIX) :].lower(): value
            for key, value in config.items()
            if key.startswith(_PREFIX)
        }
        for name in given:
            if name not in _READERS:
                close = closest(name, _READERS)
                hint = f" Did you mean {_PREFIX}{close.upper()}?" if close else ""
                raise SettingsError(
                    f"{_PREFIX}{name.upper()} is not a setting.{hint}"
                    f" The settings are:"
                    f" {', '.join(names)}."
                )
        read = {name: _READERS[name](value) for name, value in given.items()}
        root = (config.get("APPLICATION_ROOT") or "/").rstrip("/")
        settings = cls(**read, root=root)
        settings._check_root()
        return settings

    def _check_root(self) -> None:
        if self.root and not self.root.startswith("/"):
            raise SettingsError(
                f"APPLICATION_ROOT is {self.root!r}. It begins with a slash: write"
                f" {'/' + self.root!r}."
            )
        path = urlsplit(self.site or "").path.rstrip("/")
        if path not in ("", self.root):
            raise SettingsError(
                f"FILEPAGES_SITE is {self.site!r}, but APPLICATION_ROOT is"
                f" {self.root or '/'!r}. Set APPLICATION_ROOT = {path!r}, or leave the"
                " path out of FILEPAGES_SITE."
            )

    def late_change(self, config: t.Mapping[str, t.Any]) -> str | None:
        """Return a warning if *config* was changed after it was read, else ``None``."""
        try:
            now = replace(Settings.from_config(config), redirects=self.redirects)
        except SettingsError as error:
            return str(error)
        changed = [n for n in _READERS if getattr(now, n) != getattr(self, n)]
        if not changed:
            return None
        names = ", ".join(f"{_PREFIX}{name.upper()}" for name in changed)
        return (
            f"{names} changed after FilePages(app), which has no effect. Set it before"
            " FilePages(app), which reads it once."
        )


def _site(value: t.Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and _site_re.match(value):
        return value
    raise SettingsError(
        f"FILEPAGES_SITE is {value!r}; write the public address of the site,"
        " such as 'https://example.com'; write letters beyond ASCII as 'xn--...'."
    )


def _redirects(value: t.Any) -> dict[str, Redirect]:
    if not isinstance(value, t.Mapping):
        raise SettingsError(
            "FILEPAGES_REDIRECTS must be a dict that maps paths to targets."
        )
    return {source: _redirect(source, target) for source, target in value.items()}


def _redirect(source: t.Any, target: t.Any) -> Redirect:
    if isinstance(target, (tuple, list)) and len(target) != 2:
        raise SettingsError(
            f"FILEPAGES_REDIRECTS: the value of {source!r} is {target!r}; write a"
            " target, or (target, status)."
        )
    target, status = target if isinstance(target, (tuple, list)) else (target, None)
    if not (isinstance(source, str) and source.startswith("/")):
        raise SettingsError(
            f"FILEPAGES_REDIRECTS: {source!r} must be a path that starts with '/'."
        )
    local = isinstance(target, str) and target.startswith("/")
    if not local and not str(target).startswith(("http://", "https://")):
        raise SettingsError(
            f"FILEPAGES_REDIRECTS: the target of {source!r} is {target!r}; write a"
            " path that starts with '/' or an http(s) address."
        )
    if status is not None and status not in REDIRECT_STATUSES:
        raise SettingsError(
            f"FILEPAGES_REDIRECTS: the status of {source!r} is {status!r}; it may be"
            f" one of {', '.join(map(str, REDIRECT_STATUSES))}."
        )
    return Redirect(target, status)


def _trusted_origins(value: t.Any) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, t.Iterable):
        raise SettingsError(
            f"FILEPAGES_TRUSTED_ORIGINS is {value!r}; write a list of origins."
        )
    try:
        return frozenset(check_origin_text(origin) for origin in value)
    except ValueError as error:
        raise SettingsError(f"FILEPAGES_TRUSTED_ORIGINS: {error}") from None


def _build_dir(value: t.Any) -> str:
    if isinstance(value, (str, os.PathLike)) and os.fspath(value):
        return str(os.fspath(value))
    raise SettingsError(
        f"FILEPAGES_BUILD_DIR is {value!r}; write a folder, such as 'site'."
    )


def _openapi(value: t.Any) -> str | None:
    if value is None or (isinstance(value, str) and _openapi_re.fullmatch(value)):
        return value
    raise SettingsError(
        f"FILEPAGES_OPENAPI is {value!r}; write a path that ends in .json, such as"
        " '/openapi.json'. The documentation page is at the path without .json."
    )


def _openapi_document(value: t.Any) -> t.Mapping[str, t.Any]:
    if not isinstance(value, t.Mapping):
        raise SettingsError(
            f"FILEPAGES_OPENAPI_DOCUMENT is {value!r:.50}; write a dict of parts of the"
            " document, such as {'info': {'title': 'Shop', 'version': '2.0'}}."
        )
    for key, part in value.items():
        kind = _OPENAPI_PARTS.get(key)
        if kind is None and not str(key).startswith("x-"):
            close = closest(str(key), _OPENAPI_PARTS)
            hint = f"Did you mean {close!r}? " if close else ""
            raise SettingsError(
                f"FILEPAGES_OPENAPI_DOCUMENT has {key!r}, which is not a part of the"
                f" document. {hint}The parts are: {', '.join(_OPENAPI_PARTS)}."
            )
        is_list = isinstance(part, list)
        items = part if is_list else ()
        if kind and not (
            isinstance(part, kind) and all(isinstance(one, dict) for one in items)
        ):
            wanted = "a list of dicts" if kind is list else f"a {kind.__name__}"
            raise SettingsError(
                f"FILEPAGES_OPENAPI_DOCUMENT[{key!r}] is {part!r:.50}; write {wanted}."
            )
    for tag in value.get("tags", ()):
        if "name" not in tag:
            raise SettingsError(
                f"FILEPAGES_OPENAPI_DOCUMENT has the tag {tag!r:.50} without a 'name'."
            )
    return copy.deepcopy(value)


def _dev_hosts(value: t.Any) -> frozenset[str] | None:
    if value is None:
        return None
    is_list = isinstance(value, (list, tuple, set, frozenset))
    names = [str(name).lower() for name in value] if is_list else [""]
    if not all(map(_host_name_re.fullmatch, names)):
        raise SettingsError(
            f"FILEPAGES_DEV_HOSTS is {value!r:.80}; write a list of host names without"
            " ports, such as ['localhost', 'dev.example']."
        )
    return frozenset(names)


def _function(name: str, example: str) -> t.Callable[[t.Any], t.Any]:
    def read(value: t.Any) -> t.Any:
        if value is None or callable(value):
            return value
        raise SettingsError(f"{_PREFIX}{name} is {value!r:.50}; write {example}.")

    return read


def _one_of(name: str, *choices: t.Any) -> t.Callable[[t.Any], t.Any]:
    def read(value: t.Any) -> t.Any:
        # `1 == True`, so compare types too.
        if any(type(value) is type(one) and value == one for one in choices):
            return value
        *most, last = (repr(choice) for choice in choices)
        raise SettingsError(
            f"{_PREFIX}{name} is {value!r}; it may be {', '.join(most)} or {last}."
        )

    return read


_READERS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "site": _site,
    "trailing_slash": _one_of("TRAILING_SLASH", *t.get_args(TrailingSlash)),
    "redirects": _redirects,
    "strict_response": _one_of("STRICT_RESPONSE", True, False),
    "invalid_status": _one_of("INVALID_STATUS", 400, 422),
    "check_origin": _one_of("CHECK_ORIGIN", True, False),
    "trusted_origins": _trusted_origins,
    "output": _one_of("OUTPUT", *t.get_args(Output)),
    "build_dir": _build_dir,
    "build_format": _one_of("BUILD_FORMAT", *t.get_args(BuildFormat)),
    "front": _one_of("FRONT", True, False),
    "openapi": _openapi,
    "openapi_document": _openapi_document,
    "openapi_change": _function(
        "OPENAPI_CHANGE", "a function that takes the document, a dict"
    ),
    "openapi_guard": _function(
        "OPENAPI_GUARD", "a decorator of views, such as login_required"
    ),
    "openapi_pages": _one_of("OPENAPI_PAGES", True, False),
    "dev_hosts": _dev_hosts,
}
