"""Listening to which templates a page uses, in a build process.

A template that is cached is used, too, so the loader alone tells too little.
"""

from __future__ import annotations

import sys
import types
import typing as t

from . import page_reads
from . import reads


def wrap() -> None:
    """Note each template that is loaded, and whose it is, from now on."""
    from jinja2 import Environment
    from jinja2 import Template

    load, render = Environment._load_template, Template.render
    compile_ = Environment.compile
    module = Template._get_default_module

    def load_template(self: t.Any, name: str, globals: t.Any) -> t.Any:
        if not _is_of_app(self):  # its files are read like others
            return load(self, name, globals)
        # What it loads itself, while it is compiled, is not the page's own.
        own = page_reads.is_own_load.set(False)
        is_own = own.old_value is True or _is_own(sys._getframe(1), code)
        try:
            with reads.loading(name):
                return load(self, name, globals)
        finally:
            page_reads.is_own_load.reset(own)
            page_reads.note_template(self, name, is_own=is_own)

    def render_template(self: t.Any, *args: t.Any, **kwargs: t.Any) -> str:
        is_own = page_reads.is_page(self)  # read by _is_own(), from the frame
        try:
            return render(self, *args, **kwargs)
        finally:
            del is_own

    def compile_template(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        with reads.compiling():
            return compile_(self, *args, **kwargs)

    code = render_template.__code__

    def default_module(self: t.Any, *args: t.Any) -> t.Any:
        self._module = None  # what it imports itself is used by each page that does
        return module(self, *args)

    wrapped: t.Any = Environment
    wrapped._load_template, wrapped.compile = load_template, compile_template
    wrapped = Template
    wrapped.render, wrapped._get_default_module = render_template, default_module


def _is_of_app(environment: t.Any) -> bool:
    """Whether templates come from the loader of the app, also through an overlay."""
    app = getattr(environment, "app", None)
    return app is not None and environment.loader is app.jinja_env.loader


def _is_own(frame: t.Any, code: types.CodeType) -> bool:
    """Whether a template was loaded by the render of the page itself: between the two
    there is nothing but what Jinja makes, or is. Other code may keep what it gets.

    :param code: of the function around renders.
    """
    while frame is not None:
        if frame.f_code is code:
            return bool(frame.f_locals["is_own"])
        names = frame.f_globals
        module = str(names.get("__name__"))
        is_jinja = module.startswith("jinja2.") or module == __name__
        if not is_jinja and not ("debug_info" in names and "blocks" in names):
            return False
        frame = frame.f_back
    return False
