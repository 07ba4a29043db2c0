"""Watch the files of an app, to restart the development server and reload browsers."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
import typing as t
from collections.abc import Iterator

from flask import Flask

from ..handling.debug import is_reloader_child

_RESTART = 3  # the exit code at which Werkzeug's reloader starts its child again
_NOT_WATCHED = ("__pycache__", ".git")
_TEMPORARY = ("~", ".swp", ".swx", ".tmp", "4913")  # Editors write them.
_INTERVAL = 0.25  # seconds
#: The scan sleeps this many times as long as it takes, so it uses under 3 % of a core.
_REST = 35

#: Modification time in nanoseconds and size, by path.
Snapshot = dict[str, tuple[int, int]]


def snapshot(folders: t.Iterable[str]) -> Snapshot:
    """Return the state of all files below *folders*."""
    found: Snapshot = {}
    waiting = list(folders)
    while waiting:
        # A file or folder may be deleted at any moment.
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _NOT_WATCHED:
                        waiting.append(entry.path)
                    continue
                if entry.name.endswith(_TEMPORARY):
                    continue
                with contextlib.suppress(OSError):
                    stat = entry.stat()
                    found[entry.path] = (stat.st_mtime_ns, stat.st_size)
    return found


class Watcher:
    """Watches the files of an app in debug mode.

    Werkzeug's reloader notices edits of modules only. This restarts its child process
    for new, renamed and deleted pages too. Templates and static files are read again
    without a restart. :attr:`state` tells browsers what has changed.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        #: The suffixes of the templates of each pages folder.
        self._templates: dict[str, tuple[str, ...]] = {}
        started = f"{os.getpid()}.{time.time_ns()}"
        self.state = {"version": started, "styles": started}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_stopped = threading.Event()

    def add(self, folder: str, suffixes: t.Iterable[str]) -> None:
        """Watch a pages folder, whose templates have *suffixes*."""
        self._templates[folder] = (*suffixes, ".txt", ".xml")
        if is_reloader_child():
            self.start()

    def start(self) -> None:
        """Begin to watch, unless this was done before."""
        with self._lock:
            if self._thread is None:
                folders = self._folders()
                args = (folders, snapshot(folders))
                self._thread = threading.Thread(
                    target=self._run, args=args, daemon=True
                )
                self._thread.start()
                # A thread in native code must not outlive the interpreter.
                atexit.register(self.stop)

    def stop(self) -> None:
        """Stop watching."""
        self._is_stopped.set()
        if self._thread is not None:
            self._thread.join(1)

    def _folders(self) -> list[str]:
        """Return the folders to watch. The app may get blueprints later."""
        found = [*self._templates]
        for one in (self._app, *self._app.blueprints.values()):
            names = [name for name in (one.template_folder, one.static_folder) if name]
            found += [os.path.join(one.root_path, name) for name in names]
        return [folder for folder in dict.fromkeys(found) if os.path.isdir(folder)]

    def _run(self, folders: list[str], before: Snapshot) -> None:
        for _ in self._wake_ups():
            now = snapshot(folders)
            paths = sorted(p for p, _ in before.items() ^ now.items())
            if paths:
                self._react(dict.fromkeys(paths), before.keys() & now.keys())
            # The files of a folder that was added later are not changes.
            added = [one for one in self._folders() if one not in folders]
            folders, before = folders + added, now | snapshot(added)

    def _wake_ups(self) -> Iterator[None]:
        """Yield whenever files may have changed, or folders were added."""
        try:
            from watchfiles import watch
        except ImportError:
            seconds = 0.0
            while not self._is_stopped.wait(seconds):
                start = time.thread_time()
                yield
                seconds = max(_INTERVAL, _REST * (time.thread_time() - start))
            return
        options: t.Any = {"watch_filter": None, "step": 20, "raise_interrupt": False}
        options |= {"rust_timeout": 1000, "yield_on_timeout": True}
        while not self._is_stopped.wait(_INTERVAL):
            yield
            folders = self._folders()
            # A folder may be renamed, or the system may watch no more of them.
            with contextlib.suppress(OSError):
                changes = watch(*folders, stop_event=self._is_stopped, **options)
                for number, found in enumerate(changes):
                    is_same = folders == self._folders()
                    # The first time, because it takes a moment to begin to watch.
                    if found or number == 0 or not is_same:
                        yield
                    if not is_same:
                        break

    def _react(self, paths: t.Iterable[str], edited: t.Container[str]) -> None:
        """End the process, or count the change."""
        if is_reloader_child() and any(self._is_code(p, edited) for p in paths):
            names = ", ".join(os.path.relpath(path) for path in paths)
            print(f" * Detected change in {names}, restarting", flush=True)
            sys.stderr.flush()
            os._exit(_RESTART)
        is_style = all(path.endswith(".css") for path in paths)
        self.state["styles" if is_style else "version"] += "+"

    def _is_code(self, path: str, edited: t.Container[str]) -> bool:
        """Return True if a change needs a new process: that of a page which was added,
        renamed or deleted, and an edit of anything but a template."""
        for folder, suffixes in self._templates.items():
            if path.startswith(folder + os.sep):
                return not (path in edited and path.endswith(suffixes))
        return False
