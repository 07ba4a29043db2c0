"""Serve a folder as Netlify, Cloudflare Pages or GitHub Pages would.

``python -m tests.hosts.static_hosts HOST FOLDER PORT`` follows the pages named below.
"source" is what the host publishes of itself: cloudflare/workers-sdk (pages-shared,
workers-shared) and netlify/build (headers-parser, redirect-parser). What neither
documentation nor source says is marked as assumed. What the host would ignore, drop or
refuse in the folder is printed, and the program exits with status 1.
"""

from __future__ import annotations

import argparse
import hashlib
import mimetypes
import re
import sys
import typing as t
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote
from urllib.parse import unquote
from urllib.parse import urlsplit

#: What a browser and ``new URL()`` leave as it is in a path (WHATWG URL, path set).
PLAIN = "!$%&'()*+,-./:;=@[\\]^_|~"
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
WILD = re.compile(r"(\*|:[A-Za-z][A-Za-z0-9_]*)")
TYPES = mimetypes.MimeTypes()
TYPES.encodings_map.clear()
for kind, suffix in [
    ("text/javascript", ".js"),
    ("text/javascript", ".mjs"),
    ("application/gzip", ".gz"),
    ("application/atom+xml", ".atom"),
    ("application/rss+xml", ".rss"),
]:
    TYPES.add_type(kind, suffix)

#: Assumed: what the server itself has to set, though Cloudflare's page names none.
SERVERS_OWN = {
    *("connection", "content-encoding", "content-length", "date", "location"),
    *("server", "transfer-encoding"),
}
#: Netlify, "Custom headers", Limitations; Basic-Auth sets a password instead.
NETLIFYS_OWN = SERVERS_OWN | {
    *("accept-ranges", "age", "allow", "alt-svc", "basic-auth", "content-range"),
    *("set-cookie", "trailer", "upgrade"),
}


@dataclass
class Rule:
    """A block of ``_headers``."""

    path: str
    pattern: re.Pattern[str]
    fields: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)


@dataclass
class Redirect:
    """A line of ``_redirects``."""

    source: str
    target: str
    status: int
    forced: bool
    pattern: re.Pattern[str]


@dataclass
class Answer:
    status: int
    file: str | None = None
    location: str = ""


def encoded(path: str) -> str:
    return quote(path, safe=PLAIN)


def lines(file: Path) -> Iterator[tuple[str, str]]:
    """Yield ``("_headers:1", line)`` without empty lines and comments."""
    text = file.read_text("utf-8") if file.exists() else ""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.strip().startswith("#"):
            yield f"{file.name}:{number}", line


def fill(template: str, match: re.Match[str]) -> str:
    """Put what ``:name`` and ``*`` matched into *template*."""
    for name, value in match.groupdict().items():
        template = template.replace(f":{name}", value or "")
    return template


class Host:
    """What the hosts have in common."""

    own_fields: t.ClassVar[set[str]] = SERVERS_OWN
    codes: t.ClassVar[set[int]] = set()
    default_code = 301
    defaults: t.ClassVar[dict[str, str]] = {}
    header_length = redirect_length = sys.maxsize

    def __init__(self, folder: Path, root: str = "") -> None:
        self.folder, self.root = folder, root.rstrip("/")
        self.problems: list[str] = []
        # Assumed: links are not followed. Only GitHub's page speaks of them: no links.
        linked = [p for p in folder.rglob("*") if p.is_symlink()]
        self.problems += [f"{path}: a symbolic link" for path in linked]
        found = (p for p in folder.rglob("*") if p.is_file() and p not in linked)
        self.files = {
            name
            for name in (p.relative_to(folder).as_posix() for p in found)
            if self.uploads(name)
        }
        self.rules = self.read_headers()
        self.redirects = self.read_redirects()
        self.check()

    def uploads(self, name: str) -> bool:
        return name not in ("_headers", "_redirects")

    def check(self) -> None:
        """Find more problems."""

    def answer(self, path: str, query: str) -> Answer:
        raise NotImplementedError

    def pattern(self, path: str, redirect: bool = False) -> re.Pattern[str]:
        raise NotImplementedError

    def fields(self, path: str, answer: Answer) -> dict[str, str]:
        """Return the header fields of *answer*, by the name in lower case."""
        fields = dict(self.defaults)
        if answer.file is not None:
            # Documented by GitHub ("MIME types"); by source for Cloudflare: the type
            # is of the suffix; unknown suffixes and none are application/octet-stream.
            kind = TYPES.guess_type(answer.file)[0] or "application/octet-stream"
            text = kind.startswith("text/")
            fields["content-type"] = kind + "; charset=utf-8" * text
        return fields

    def redirected(self, path: str) -> tuple[Redirect, re.Match[str]] | None:
        """Return the first redirect of *path* and its match."""
        for redirect in self.redirects:
            if match := redirect.pattern.fullmatch(path):
                return redirect, match
        return None

    def missing(self) -> Answer:
        return Answer(404, "404.html" if "404.html" in self.files else None)

    def read_headers(self) -> list[Rule]:
        rules: list[Rule] = []
        for place, line in lines(self.folder / "_headers"):
            # Cloudflare, "Headers": the whole line counts, with its spaces.
            if len(line) > self.header_length:
                self.problems.append(f"{place}: over {self.header_length} characters")
            line = line.strip()
            try:
                # Source of both: what looks like a path or an address begins a block.
                if re.match(r"/|\S+://", line):
                    rules.append(Rule(line, re.compile("(?!)")))
                    rules[-1].pattern = self.pattern(line)
                elif rules:
                    self.read_field(line, rules[-1])
                else:
                    raise ValueError("no path before")
            except (re.error, ValueError) as error:
                self.problems.append(f"{place}: {error}: {line!r}")
        empty = [rule.path for rule in rules if not rule.fields and not rule.removed]
        self.problems += [f"_headers: no fields for {path}" for path in empty]
        return rules

    def read_field(self, line: str, rule: Rule) -> None:
        name, _, value = (part.strip() for part in line.partition(":"))
        if not value or not TOKEN.fullmatch(name):
            raise ValueError("not 'Name: value'")
        if name.lower() in self.own_fields:
            raise ValueError(f"the host does not let {name} be set")
        if not value.isascii() or not value.isprintable():
            raise ValueError("more than ASCII characters")
        self.add_field(name, value, rule)

    def add_field(self, name: str, value: str, rule: Rule) -> None:
        raise NotImplementedError

    def read_redirects(self) -> list[Redirect]:
        redirects: list[Redirect] = []
        for place, line in lines(self.folder / "_redirects"):
            if len(line) > self.redirect_length:
                self.problems.append(f"{place}: over {self.redirect_length} characters")
            # Source of both: a word that begins with `#` ends the line.
            words = re.sub(r"\s#.*", "", line).split()
            try:
                redirect = self.read_redirect(words)
            except (re.error, ValueError) as error:
                self.problems.append(f"{place}: {error}: {line!r}")
                continue
            # "Redirects" of both: the topmost of several for one path is applied.
            if self.key(redirect.source) in {self.key(r.source) for r in redirects}:
                self.problems.append(f"{place}: {redirect.source} has a rule already")
            redirects.append(redirect)
        return redirects

    def read_redirect(self, words: list[str]) -> Redirect:
        if len(words) not in (2, 3):
            raise ValueError("not 'source target code' (conditions: not simulated)")
        source, target, code = [*words, str(self.default_code)][:3]
        forced = code.endswith("!")
        if not code.removesuffix("!").isdecimal():
            raise ValueError("the code is no number")
        status = int(code.removesuffix("!"))
        if status not in self.codes:
            raise ValueError(f"the host has no redirects of status {status}")
        if not source.startswith("/") or "?" in source or "#" in source:
            raise ValueError("the source is not a path alone")
        if not re.match(r"/|https?://", target) or not target.isascii():
            raise ValueError("the target is neither a URL-encoded path nor an address")
        if status in (200, 404) and not target.startswith("/"):
            raise ValueError("a rewrite to another site (not simulated)")
        redirect = Redirect(source, target, status, forced, self.pattern(source, True))
        self.check_redirect(redirect)
        return redirect

    def check_redirect(self, redirect: Redirect) -> None:
        """Raise ``ValueError`` for what this host does not take."""

    def key(self, source: str) -> str:
        return source

    def to(self, redirect: Redirect, match: re.Match[str], query: str) -> Answer:
        """Redirect; the query goes along unless the target has one (Netlify, "Redirect
        options", Query parameters; Cloudflare by source)."""
        target = urlsplit(fill(redirect.target, match))
        location = target._replace(query=target.query or query).geturl()
        return Answer(redirect.status, location=location)


class Netlify(Host):
    """Pages "Custom headers", "Redirects and rewrites", "Redirect options", "Rewrites
    and proxies", "Site deploys overview" of docs.netlify.com. Pretty URLs are on, as
    they are by default; that redirects have status 301 is observed, not documented."""

    own_fields = NETLIFYS_OWN
    #: "Redirect options": 301, 302, 404, 200; 307 "is currently unsupported".
    codes: t.ClassVar[set[int]] = {200, 301, 302, 404}
    defaults: t.ClassVar[dict[str, str]] = {
        "cache-control": "public, max-age=0, must-revalidate"
    }

    def uploads(self, name: str) -> bool:
        """Source (netlify/cli, deploy): no names with a dot but ``.well-known``."""
        hidden = (p for p in name.split("/") if p.startswith((".", "__MACOSX")))
        return super().uploads(name) and all(part == ".well-known" for part in hidden)

    def check(self) -> None:
        # Source (netlify/cli): "Deployed filenames cannot contain # or ? characters".
        bad = sorted(name for name in self.files if "#" in name or "?" in name)
        self.problems += [f"{name}: a name with '#' or '?'" for name in bad]
        # Assumed (observed in 2019): names are put into lower case.
        seen: dict[str, str] = {}
        for name in sorted(self.files):
            if (other := seen.setdefault(name.lower(), name)) != name:
                self.problems.append(f"{name}: differs from {other} only by case")
        # "Site deploys overview", Files per directory limit.
        folders = Counter(Path(name).parent for name in self.files)
        if max(folders.values(), default=0) > 54_000:
            self.problems.append("a folder has over 54,000 files")
        # Source: fields are kept by the name as it is written, and may be sent twice.
        names = {name for rule in self.rules for name in rule.fields}
        if len(names) != len({n.lower() for n in names}) or "content-type" in names:
            self.problems.append("_headers: a field has several spellings")

    def pattern(self, path: str, redirect: bool = False) -> re.Pattern[str]:
        """By source: a segment may be ``*`` (the rest) or ``:name``; a slash at the end
        does not matter. "Redirects and rewrites": paths of redirects are case-sensitive
        and URL-encoded; by source, those of headers are not case-sensitive."""
        if encoded(path) != path or not path.startswith("/"):
            raise ValueError("not a URL-encoded path")
        if "*" in path[:-1] and redirect:
            raise ValueError("'*' is not the last segment")
        pattern = ""
        for part in filter(None, path.split("/")):
            if part == "*":
                pattern += r"(?:/(?P<splat>.*))?"
            elif part.startswith(":"):
                pattern += f"/(?P<{part[1:]}>[^/]+)"
            else:
                texts = [unquote(x) if redirect else x for x in part.split("*")]
                pattern += "/" + ".*".join(map(re.escape, texts))
        return re.compile(pattern + "/?", 0 if redirect else re.IGNORECASE)

    def add_field(self, name: str, value: str, rule: Rule) -> None:
        """Page "Custom headers", Multi-value headers; by source for commas too."""
        value = re.sub(r"\s*,\s*", ", ", value)
        before = rule.fields.get(name)
        rule.fields[name] = value if before is None else f"{before}, {value}"

    def check_redirect(self, redirect: Redirect) -> None:
        if redirect.source.startswith("/.netlify"):
            raise ValueError("/.netlify is the host's own")
        # "Redirect options", Trailing slash; "Rewrites and proxies", Limitations.
        if self.key(redirect.source) == self.key(redirect.target):
            raise ValueError("a loop: a trailing slash makes no difference")

    def key(self, source: str) -> str:
        return source.rstrip("/")

    def fields(self, path: str, answer: Answer) -> dict[str, str]:
        """Only files get fields ("Limitations"), a later rule wins (source)."""
        fields = super().fields(path, answer)
        for rule in self.rules if answer.file is not None else []:
            if rule.pattern.fullmatch(path):
                fields |= {name.lower(): value for name, value in rule.fields.items()}
        return fields

    def answer(self, path: str, query: str) -> Answer:
        """Page "Rewrites and proxies", Shadowing: a file wins, but not over ``!``."""
        static = self.static(path, query)
        found = self.redirected(unquote(path))
        if not found or (static.status != 404 and not found[0].forced):
            return static
        redirect, match = found
        if redirect.status not in (200, 404):
            return self.to(redirect, match, query)
        file = self.static(urlsplit(fill(redirect.target, match)).path, "").file
        return Answer(redirect.status, file) if file else self.missing()

    def static(self, path: str, query: str) -> Answer:
        """Source: the variants of a path; slorber/trailing-slash-guide: which of them
        redirect with Pretty URLs."""
        name = unquote(path)[1:]
        query = f"?{query}" if query else ""
        if name in self.files:
            return Answer(200, name)
        if not name.endswith("/") and f"{name}.html" in self.files:
            return Answer(200, f"{name}.html")
        if name.endswith("/") and f"{name[:-1]}.html" in self.files:
            return Answer(301, location=path[:-1] + query)
        index = f"{name.rstrip('/')}/index.html".lstrip("/")
        if index not in self.files:
            return self.missing()
        if name and not name.endswith("/"):
            return Answer(301, location=f"{path}/{query}")
        return Answer(200, index)


class Cloudflare(Host):
    """Pages "Headers", "Redirects", "Serving Pages", "Limits" of Cloudflare Pages."""

    codes: t.ClassVar[set[int]] = {200, 301, 302, 303, 307, 308}
    default_code = 302
    header_length, redirect_length = 2000, 1000
    #: "Serving Pages", Headers.
    defaults: t.ClassVar[dict[str, str]] = {
        "access-control-allow-origin": "*",
        "referrer-policy": "strict-origin-when-cross-origin",
    }

    def uploads(self, name: str) -> bool:
        """Source (wrangler, pages/validate): what is not uploaded as a file."""
        top, *_ = parts = name.split("/")
        code = {"_worker.js", "_routes.json", "functions", ".wrangler"}
        never = {".DS_Store", "node_modules", ".git"}
        return super().uploads(name) and top not in code and never.isdisjoint(parts)

    def check(self) -> None:
        # "Limits": files, file size, headers, redirects.
        if len(self.files) > 20_000:
            self.problems.append("over 20,000 files")
        large = [f for f in self.files if (self.folder / f).stat().st_size > 25 * 2**20]
        self.problems += [f"{name}: over 25 MiB" for name in sorted(large)]
        if len(self.rules) > 100:
            self.problems.append("_headers: over 100 rules")
        # Source: of two blocks for one path only the later is kept.
        for path, blocks in Counter(rule.path for rule in self.rules).items():
            if blocks > 1:
                self.problems.append(f"_headers: {path} has {blocks} blocks")
        # "Redirects", Per file; source: a static rule below a dynamic one is dynamic.
        dynamic = [bool(WILD.search(r.source)) for r in self.redirects]
        static = [*dynamic, True].index(True)
        if static > 2000 or len(dynamic) - static > 100:
            self.problems.append("_redirects: over 2,000 static or 100 dynamic rules")
        if not all(dynamic[static:]):
            self.problems.append("_redirects: a static rule below a dynamic one")

    def pattern(self, path: str, redirect: bool = False) -> re.Pattern[str]:
        """Page "Headers", Match a path; by source, the encoded path of the request is
        matched, with case and with the slash at the end."""
        parts = WILD.split(encoded(path))
        if not path.startswith("/"):
            raise ValueError("addresses are not simulated")
        if parts.count("*") > 1:
            raise ValueError("only one '*' is allowed")
        for i, part in enumerate(parts):
            wild = f"(?P<{part[1:]}>[^/]+)" if part != "*" else "(?P<splat>.*)"
            parts[i] = wild if i % 2 else re.escape(part)
        return re.compile("".join(parts))

    def read_field(self, line: str, rule: Rule) -> None:
        """Page "Headers", Detach a header: ``! Name``."""
        if line.startswith("! ") and ":" not in line:
            rule.removed.append(line[2:].strip().lower())
        else:
            super().read_field(line, rule)

    def add_field(self, name: str, value: str, rule: Rule) -> None:
        if name.lower() in rule.fields:
            raise ValueError(f"{name} is given twice")
        rule.fields[name.lower()] = value

    def check_redirect(self, redirect: Redirect) -> None:
        """Source (parseRedirects)."""
        if redirect.forced:
            raise ValueError("no '!' here: redirects always win")
        index = re.fullmatch(r"/(.*/)?index(\.html)?", redirect.target)
        if index and redirect.source.endswith(("/", "/*")):
            raise ValueError("a loop: /index is redirected to /")

    def fields(self, path: str, answer: Answer) -> dict[str, str]:
        """Page "Headers": all rules that match apply in order, over the fields of the
        host, and are joined; by source, to redirects and 404 (not Cache-Control) too."""
        fields = super().fields(path, answer)
        if answer.file is not None:
            fields["x-content-type-options"] = "nosniff"
        if answer.file is not None and answer.status == 200:
            content = (self.folder / answer.file).read_bytes()
            fields["etag"] = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            fields["cache-control"] = "public, max-age=0, must-revalidate"
        given: set[str] = set()
        for rule in self.rules:
            if match := rule.pattern.fullmatch(path):
                for name in rule.removed:
                    fields.pop(name, None)
                for name, value in rule.fields.items():
                    before = [fields[name]] if name in given & fields.keys() else []
                    fields[name] = ", ".join([*before, fill(value, match)])
                    given.add(name)
        return fields | ({"cache-control": "no-store"} if answer.status == 404 else {})

    def answer(self, path: str, query: str) -> Answer:
        """Page "Redirects": they are always followed, be there a file or not."""
        if found := self.redirected(path):
            redirect, match = found
            if redirect.status != 200:
                return self.to(redirect, match, query)
            path = encoded(urlsplit(fill(redirect.target, match)).path)
        return self.static(path, query)

    def static(self, path: str, query: str) -> Answer:
        """Page "Serving Pages", Route matching; the details by source (handler)."""
        name, files = unquote(path)[1:], self.files
        to = ""
        if not name or name.endswith("/"):
            if f"{name}index.html" in files:
                return Answer(200, f"{name}index.html")
            if path.endswith("/index/"):
                to = path.removesuffix("index/")
            elif f"{name[:-1]}.html" in files and name:
                to = path[:-1]
        elif name in files:
            bare = path.removesuffix(".html")
            to = re.sub("(?<=/)index$", "", bare)
            if bare == path or (bare == to and unquote(bare)[1:] in files):
                return Answer(200, name)
        elif path.endswith("/index"):
            to = path.removesuffix("index")
        elif f"{name}.html" in files:
            return Answer(200, f"{name}.html")
        elif f"{name}/index.html" in files:
            to = f"{path}/"
        if to:
            return Answer(308, location=to + (f"?{query}" if query else ""))
        return self.nearest(name)

    def nearest(self, name: str) -> Answer:
        """Page "Serving Pages", Not Found behavior; without a 404.html the folder is
        taken for a single-page application."""
        folders = name.split("/")[:-1]
        for depth in range(len(folders), -1, -1):
            file = "/".join([*folders[:depth], "404.html"])
            if file in self.files:
                return Answer(404, file)
        index = "index.html" in self.files
        return Answer(200, "index.html") if index else Answer(404)


class GitHub(Host):
    """Pages "About GitHub Pages and Jekyll" and "Creating a custom 404 page" of
    docs.github.com; which path has which file: slorber/trailing-slash-guide."""

    defaults: t.ClassVar[dict[str, str]] = {
        "access-control-allow-origin": "*",
        "cache-control": "max-age=600",
    }

    def uploads(self, name: str) -> bool:
        """Page "About GitHub Pages and Jekyll": what Jekyll does not build."""
        if (self.folder / ".nojekyll").exists():
            return True
        parts = name.split("/")
        left_out = any(p.startswith(("_", ".", "#")) or p.endswith("~") for p in parts)
        return not left_out and parts[0] not in ("node_modules", "vendor")

    def read_headers(self) -> list[Rule]:
        return []

    def read_redirects(self) -> list[Redirect]:
        return []

    def check(self) -> None:
        """Page "GitHub Pages limits"."""
        if sum((self.folder / f).stat().st_size for f in self.files) > 10**9:
            self.problems.append("over 1 GB")

    def answer(self, path: str, query: str) -> Answer:
        """Below the root, the exact file, ``.html`` and ``/index.html`` are tried."""
        query = f"?{query}" if query else ""
        if self.root and path == self.root:
            return Answer(301, location=f"{path}/{query}")
        if not path.startswith(f"{self.root}/"):
            return Answer(404)
        name = unquote(path.removeprefix(self.root))[1:]
        if name.endswith("/") or not name:
            index = f"{name}index.html"
            return Answer(200, index) if index in self.files else self.missing()
        for file in (name, f"{name}.html"):
            if file in self.files:
                return Answer(200, file)
        if f"{name}/index.html" in self.files:
            return Answer(301, location=f"{path}/{query}")
        return self.missing()


HOSTS: dict[str, type[Host]] = {
    "netlify": Netlify,
    "cloudflare": Cloudflare,
    "github-pages": GitHub,
}


class Server(ThreadingHTTPServer):
    def __init__(self, host: Host, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.host = host


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        host = t.cast(Server, self.server).host
        target = self.path.encode("latin-1").decode("utf-8", "surrogateescape")
        path, _, query = target.partition("?")
        path = quote(path, safe=PLAIN, errors="surrogateescape")
        answer = host.answer(path, query)
        content = b"Not Found" if answer.status == 404 else b""
        if answer.file is not None:
            content = (host.folder / answer.file).read_bytes()
        fields = host.fields(path, answer) | {"content-length": str(len(content))}
        if answer.location:
            fields["location"] = answer.location
        self.send_response(answer.status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Source of Cloudflare (handler); assumed for the others."""
        self.close_connection = True
        self.send_response(405)
        self.send_header("content-length", "0")
        self.end_headers()

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST

    def log_message(self, format: str, *args: t.Any) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", choices=HOSTS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--root", default="", help="the path of a GitHub project site")
    options = parser.parse_args()
    if options.root and options.host != "github-pages":
        parser.error("--root is for github-pages")
    host = HOSTS[options.host](options.folder, options.root)
    if host.problems:
        sys.exit("\n".join(host.problems))
    Server(host, options.port).serve_forever()


if __name__ == "__main__":
    main()
