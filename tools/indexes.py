"""Where packages come from: what is configured for uv and pip, and reading a package index; standard library only."""

from __future__ import annotations

import base64
import configparser
import html.parser
import json
import netrc
import os
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

PYPI = "https://pypi.org/simple"
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


class Settings(NamedTuple):
    """The main index, further ones, a file of certificates or "", a proxy or ""."""

    main: str
    extra: tuple[str, ...]
    cert: str
    proxy: str


class File(NamedTuple):
    """One file an index offers: its address and, where the index tells, its SHA-256."""

    name: str
    url: str
    sha256: str
    yanked: bool = False


def read_settings(env: dict[str, str], pip_files: list[str] | None = None) -> Settings:
    """What environment and pip's configuration files say; the environment goes first, and uv before pip."""
    pip: dict[str, str] = {}
    for path in pip_config_files(env) if pip_files is None else pip_files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        for section in ("global", "install", "download"):
            if parser.has_section(section):
                pip.update(parser.items(section))
    named = [env.get(n) for n in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")]
    index = next(address.strip() for address in (*named, pip.get("index-url"), PYPI) if address)
    extra_uv = env.get("UV_INDEX") or env.get("UV_EXTRA_INDEX_URL") or ""
    extra_pip = env.get("PIP_EXTRA_INDEX_URL") or pip.get("extra-index-url") or ""
    # entries of UV_INDEX may be written name=address
    addresses = [re.sub(r"^[\w.-]+=(?=[a-z]+://)", "", a) for a in (index, *extra_uv.split(), *extra_pip.split())]
    main, *extra = [a.rstrip("/") for a in addresses]
    certs = [env.get("SSL_CERT_FILE"), env.get("PIP_CERT"), pip.get("cert"), env.get("REQUESTS_CA_BUNDLE"), ""]
    cert = next((c for c in certs if c), "")
    return Settings(main, tuple(dict.fromkeys(extra)), cert, env.get("PIP_PROXY") or pip.get("proxy", ""))


def pip_config_files(env: dict[str, str]) -> list[str]:
    """Where pip keeps its configuration, the least important first."""
    named = env.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    found = [os.path.join(d, "pip", "pip.conf") for d in env.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":") if d]
    found.append("/etc/pip.conf")
    home = env.get("HOME", "")
    if home:
        own = env.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        found += [os.path.join(home, ".pip", "pip.conf"), os.path.join(own, "pip", "pip.conf")]
    return [*found, named] if named else found


def shown(url: str) -> str:
    """An address without a password in it."""
    return re.sub(r"//[^/@]*@", "//", url)


class Index:
    """Reads package indexes, JSON or HTML, and their files over https, http or from a folder (file:)."""

    def __init__(self, settings: Settings) -> None:
        context = ssl.create_default_context(cafile=settings.cert or None)
        handlers: list[Any] = [urllib.request.HTTPSHandler(context=context)]
        if settings.proxy:
            handlers.append(urllib.request.ProxyHandler({"http": settings.proxy, "https": settings.proxy}))
        self._open = urllib.request.build_opener(*handlers).open

    def files(self, index: str, project: str) -> list[File]:
        """The files of ``project``. Raises OSError where the index cannot be read, ValueError if it is none."""
        address = f"{index}/{project}/" + ("index.html" if index.startswith("file:") else "")
        with self.get(address, {"Accept": _ACCEPT}) as answer:
            body, kind = answer.read().decode("utf-8", "replace"), answer.headers.get("Content-Type", "")
            base = answer.geturl()
        return read_json(body, base) if "json" in kind else read_html(body, base)

    def size(self, url: str) -> int | None:
        """How big the file at ``url`` is; None if the server does not say so within seconds."""
        try:
            request = urllib.request.Request(url, headers={"User-Agent": "tocsin-setup"}, method="HEAD")
            with self._open(request, timeout=5) as answer:
                return int(answer.headers["Content-Length"])
        except (OSError, ValueError, TypeError):
            return None

    def get(self, url: str, headers: dict[str, str] | None = None, tries: int = 3) -> Any:
        """Open ``url``, three times if need be. Raises OSError (urllib.error.URLError) where it cannot be had."""
        bare, user = split_user(url)
        request = urllib.request.Request(bare, headers={"User-Agent": "tocsin-setup", **(headers or {})})
        if user:
            request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
        for attempt in range(1, tries):
            try:
                return self._open(request, timeout=60)
            except urllib.error.HTTPError as error:
                if error.code < 500:  # it answered, and will answer the same again
                    raise
            except OSError:
                pass
            time.sleep(attempt)
        return self._open(request, timeout=60)


def split_user(url: str) -> tuple[str, str]:
    """An address without user and password, and "user:password" from it or from .netrc ("" if there is none)."""
    parts = urllib.parse.urlsplit(url)
    if parts.username:
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return bare, urllib.parse.unquote(parts.username) + ":" + urllib.parse.unquote(parts.password or "")
    try:
        known = netrc.netrc().authenticators(parts.hostname) if parts.hostname else None
    except (OSError, netrc.NetrcParseError):
        known = None
    return url, f"{known[0]}:{known[2]}" if known else ""


def read_json(body: str, base: str) -> list[File]:
    """The files in an index page of the JSON form (PEP 691). Raises ValueError for anything else."""
    try:
        return [
            File(
                f["filename"],
                urllib.parse.urljoin(base, f["url"]),
                f.get("hashes", {}).get("sha256", ""),
                bool(f.get("yanked")),
            )
            for f in json.loads(body)["files"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a page of a package index: {error!r}") from None


def read_html(body: str, base: str) -> list[File]:
    """The files in an index page of the HTML form (PEP 503)."""
    found: list[File] = []

    class Links(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if tag == "a" and given.get("href"):
                url, _, fragment = urllib.parse.urljoin(base, given["href"] or "").partition("#")
                sha256 = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
                name = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2])
                found.append(File(name, url, sha256, "data-yanked" in given))

    Links().feed(body)
    return found
