"""Set up the project's own environment, .venv, with nothing but Python's standard library to start from.

    python3 tools/bootstrap.py [test] [check] [docs] [peers]

Installs with uv what uv.lock says: the running dependencies, and the groups named. If there is no uv, its wheel is
taken from the configured package index and unpacked into .uv/; neither pip nor ensurepip is needed. A stamp in .venv
makes the second time quick. Nothing is written outside the project but uv's own cache, and no index's address is
written anywhere.

Read are UV_DEFAULT_INDEX, UV_INDEX_URL, UV_INDEX, UV_EXTRA_INDEX_URL, PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_CERT,
PIP_PROXY, SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE, pip's configuration files (index-url, extra-index-url,
cert, proxy), .netrc, and the usual proxy variables.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - it is just older ones that should get a sentence
    sys.stderr.write(
        "Tocsin needs Python 3.11 or newer; this is %s (%s).\n" % (sys.version.split()[0], sys.executable)  # noqa: UP031
        + "Name a newer one: make PYTHON=/path/to/python3.12 demo\n"
    )
    sys.exit(2)

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
import tomllib
import urllib.parse
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from indexes import PYPI, File, Index, Settings, read_settings, shown
from wheels import Platform, best_wheel, release, this_platform

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / ".tocsin-setup.json"
OWN_UV = ROOT / ".uv" / "bin" / "uv"
# each with a file in .venv that tells whether it is there
GROUPS = {
    "test": "bin/pytest",
    "check": "bin/ruff",
    "docs": "bin/mkdocs",
    "peers": "lib/python*/site-packages/stonesoup/__init__.py",
}

UV_OLDEST = (0, 8, 0)  # reads this lock file and knows groups that include others
UV_VERSION = "0.13.9"
# of the wheels of UV_VERSION, by the end of their names; of any other version the index's own digest is all there is
UV_SHA256 = {
    "macosx_10_12_x86_64": "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    "macosx_11_0_arm64": "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
    "manylinux_2_28_aarch64": "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
    "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64": (
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe"
    ),
    "manylinux_2_17_x86_64.manylinux2014_x86_64": "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    "musllinux_1_1_x86_64": "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
}
UNPACKED = 3.2  # size on disk over size of the wheels, measured: 195 MB of wheels became 624 MB in .venv
MB = 1e6


class SetupError(Exception):
    """Something a person has to see to; printed as it is, without a traceback."""


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


# ---- getting uv


def choose_uv(files: list[File], here: Platform, *, pinned_only: bool = False) -> tuple[str, File] | None:
    """The version of uv to take from an index's files, and its wheel; None if there is none for ``here``.

    The version this project names goes first, then the newest that will do (not with ``pinned_only``). Nothing is
    taken that nobody vouches for by a digest.
    """
    wheels: dict[str, dict[str, File]] = {}
    for file in files:
        version = file.name.split("-")[1] if file.name.startswith("uv-") and file.name.endswith(".whl") else ""
        numbers = release(version)
        if numbers is not None and numbers >= UV_OLDEST and not file.yanked:
            wheels.setdefault(version, {})[file.name] = file
    for version in sorted(wheels, key=lambda v: (v == UV_VERSION, release(v) or ()), reverse=True):
        best = best_wheel(list(wheels[version]), here)
        if best is None or (pinned_only and version != UV_VERSION):
            continue
        file = wheels[version][best]
        known = UV_SHA256.get(best[:-4].split("-")[-1], "") if version == UV_VERSION else ""
        if known or (file.sha256 and not pinned_only):
            return version, file._replace(sha256=known or file.sha256)
    return None


def download(index: Index, file: File, to: Path, label: str) -> None:
    """Fetch ``file`` with progress and check its digest. Raises SetupError if it is not what it should be."""
    digest, got, tell = hashlib.sha256(), 0, time.monotonic()
    tty = sys.stdout.isatty()
    with index.get(file.url) as answer, to.open("wb") as out:
        size = int(answer.headers.get("Content-Length") or 0)
        if not tty:
            say(f"  {label}" + (f": {size / MB:.0f} MB" if size else ""))
        for block in iter(lambda: answer.read(1 << 18), b""):
            out.write(block)
            digest.update(block)
            got += len(block)
            if tty and time.monotonic() >= tell:
                tell = time.monotonic() + 0.1
                share = f" of {size / MB:.0f} MB, {100 * got // size} %" if size else " MB"
                print(f"\r  {label}: {got / MB:.1f}{share}   ", end="", flush=True)
    if tty:
        print(f"\r  {label}: {got / MB:.1f} MB" + " " * 20, flush=True)
    if digest.hexdigest() != file.sha256:
        raise SetupError(f"{file.name} from {shown(file.url)} is not what it should be: SHA-256 {digest.hexdigest()}")


def unpack_uv(wheel: Path, to: Path) -> None:
    """Put the program out of uv's wheel at ``to``, all at once."""
    with zipfile.ZipFile(wheel) as archive:
        inside = [n for n in archive.namelist() if n.endswith(".data/scripts/uv")]
        if not inside:
            raise SetupError(f"{wheel.name} holds no program called uv")
        to.parent.mkdir(parents=True, exist_ok=True)
        partial = to.with_name(f"uv.partial-{os.getpid()}")
        with archive.open(inside[0]) as source, partial.open("wb") as out:
            shutil.copyfileobj(source, out)
    partial.chmod(0o755)
    partial.replace(to)


def uv_version(uv: str) -> tuple[int, ...] | None:
    """The version of the program ``uv``; None if it does not run."""
    try:
        said = subprocess.run([uv, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"uv (\d+(?:\.\d+)+)", said)
    return release(match[1]) if match else None


def find_uv() -> str | None:
    """A uv that will do: the project's own, or one on the path."""
    for candidate in (str(OWN_UV), str(VENV / "bin" / "uv"), shutil.which("uv")):
        if candidate and os.path.exists(candidate) and (uv_version(candidate) or ()) >= UV_OLDEST:
            return candidate
    return None


def get_uv(settings: Settings) -> str:
    """A uv that runs, downloaded into the project if there is none. Raises SetupError if it cannot be had."""
    found = find_uv()
    if found is not None:
        return found
    here, index, troubles = this_platform(), Index(settings), []
    with tempfile.TemporaryDirectory() as folder:
        for address in (settings.main, *settings.extra):
            try:
                # a further index may only bring what this project itself vouches for
                chosen = choose_uv(index.files(address, "uv"), here, pinned_only=address != settings.main)
                if chosen is None:
                    troubles.append(f"{shown(address)} offers no uv for {here.system} {here.machine} {here.libc}")
                    continue
                wheel = Path(folder) / chosen[1].name
                host = urllib.parse.urlsplit(shown(chosen[1].url)).hostname or "this machine"
                download(index, chosen[1], wheel, f"uv is missing here; uv {chosen[0]} from {host}")
                unpack_uv(wheel, OWN_UV)
                break
            except (OSError, ValueError, zipfile.BadZipFile) as error:
                troubles.append(f"{shown(address)}: {error}")
        else:
            _uv_by_pip(Path(folder), troubles)
    if uv_version(str(OWN_UV)) is None:
        raise SetupError("the uv that was downloaded does not run here; install uv by other means and try again")
    return str(OWN_UV)


def _uv_by_pip(folder: Path, troubles: list[str]) -> None:
    """The last resort, where pip is there: it may know a way to an index that is not known here (a keyring, say)."""
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, f"uv=={UV_VERSION}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, check=False
        )
        wheels = sorted(folder.glob("uv-*.whl"))
        if done.returncode == 0 and wheels:
            unpack_uv(wheels[-1], OWN_UV)
            return
        troubles.append("pip: " + (done.stderr.strip().splitlines() or ["gave nothing"])[-1])
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
        troubles.append(f"pip: {error}")
    tried = "\n".join(f"  {t}" for t in troubles)
    raise SetupError(
        f"uv is missing and cannot be had:\n{tried}\n"
        "Is there a way to the package index? Set UV_DEFAULT_INDEX or PIP_INDEX_URL to one that answers, or install uv."
    )


# ---- installing


def digest_of_wants(root: Path, python: str) -> str:
    """What the environment depends on: the lock file, the project file, the Python."""
    h = hashlib.sha256(python.encode())
    for name in ("uv.lock", "pyproject.toml"):
        h.update((root / name).read_bytes())
    return h.hexdigest()


def read_stamp() -> dict[str, Any]:
    """What the last setup noted, or nothing."""
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_stamp(groups: list[str]) -> None:
    """Note in .venv what it holds."""
    python = platform.python_version()
    noted = {"digest": digest_of_wants(ROOT, python), "groups": groups, "python": python, "root": str(ROOT)}
    partial = STAMP.with_suffix(".partial")
    partial.write_text(json.dumps(noted) + "\n")
    partial.replace(STAMP)


def is_ready(groups: list[str], stamp: dict[str, Any]) -> bool:
    """Whether .venv already holds ``groups`` as uv.lock has them."""
    if not set(groups) <= set(stamp.get("groups", [])) or stamp.get("root") != str(ROOT):
        return False
    if stamp.get("digest") != digest_of_wants(ROOT, stamp.get("python", "")):
        return False
    # exists() follows links: a Python that has been removed since is noticed
    wanted = ("bin/python", "bin/tocsin", *(GROUPS[g] for g in groups))
    return all(any(found.exists() for found in VENV.glob(file)) for file in wanted)


_NOT_FOR_UV = {
    "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_WORKING_DIR", "UV_LOCKED",
    "UV_FROZEN", "UV_NO_SYNC", "UV_PYTHON", "PYTHONHOME", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL",
}  # fmt: skip


def uv_environment(settings: Settings, env: dict[str, str]) -> dict[str, str]:
    """The variables uv runs with: what is configured for pip too, and nothing that leads it to another environment."""
    made = {name: value for name, value in env.items() if name not in _NOT_FOR_UV}
    made["UV_PYTHON_DOWNLOADS"] = "never"
    if settings.main != PYPI:
        made["UV_DEFAULT_INDEX"] = settings.main
    if settings.extra:
        made["UV_INDEX"] = " ".join(settings.extra)
    if settings.cert:
        made["SSL_CERT_FILE"] = settings.cert
    if settings.proxy:
        made.setdefault("HTTPS_PROXY", settings.proxy)
    home = env.get("HOME", "")
    if not (env.get("UV_CACHE_DIR") or env.get("XDG_CACHE_HOME") or (home and os.access(home, os.W_OK))):
        made["UV_CACHE_DIR"] = str(ROOT / ".uv" / "cache")
    return made


def files_of(lock: dict[str, Any], wanted: dict[str, str], here: Platform) -> list[tuple[str, int | None]]:
    """Address and size (None: the lock does not tell) of what to download for each of ``wanted`` (name to version)."""
    found: list[tuple[str, int | None]] = []
    for package in lock.get("package", []):
        if wanted.get(package["name"]) != package.get("version", "?"):
            continue
        wheels = {w["url"].rpartition("/")[2]: w for w in package.get("wheels", [])}
        best = best_wheel(list(wheels), here)
        file = wheels[best] if best else package.get("sdist", {})
        found.append((file.get("url", ""), file.get("size")))
    return found


def total_size(files: list[tuple[str, int | None]], index: Index) -> tuple[int, bool]:
    """Bytes of all ``files``, asking the server where the size is not known; and whether every size became known."""
    with ThreadPoolExecutor(16) as pool:
        sizes = list(pool.map(lambda file: index.size(file[0]) if file[1] is None else file[1], files))
    return sum(size or 0 for size in sizes), None not in sizes


# bytecode once, now: without it each start of an import-heavy command costs a second or two more
COMPILED = ["--compile-bytecode"]


def announce(uv: str, flags: list[str], env: dict[str, str], index: Index) -> None:
    """Say what will be installed and how big it is, before it is."""
    command = [uv, "sync", "--frozen", "--dry-run", *flags]
    dry = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    wanted = dict(re.findall(r"^ \+ ([A-Za-z0-9._-]+)==(\S+)", dry.stderr, re.MULTILINE))
    wanted.pop("tocsin", None)
    if not wanted:
        return
    files = files_of(tomllib.loads((ROOT / "uv.lock").read_text()), wanted, this_platform())
    size, sure = total_size(files, index)
    need = size * UNPACKED
    about = ("" if sure else "at least ") + f"{size / MB:.0f} MB to download (less what uv has cached)"
    say(f"  {len(wanted)} packages to install: {about}, about {max(round(need / MB, -1), 10):.0f} MB on disk in .venv")
    free = shutil.disk_usage(ROOT).free
    if free < need:
        say(f"  Warning: only {free / MB:.0f} MB are free on this disk")


def install(uv: str, groups: list[str], settings: Settings, env: dict[str, str]) -> None:
    """Bring .venv to what uv.lock says. Raises SetupError if uv fails."""
    flags = ["--no-default-groups", *(f"--group={g}" for g in groups)]
    python = [] if venv_works() else [f"--python={sys.executable}"]
    announce(uv, flags + python, env, Index(settings))
    if settings.main == PYPI:
        _run([uv, "sync", "--frozen", *COMPILED, *flags, *python], env)
        return
    # The lock file's addresses are pypi.org's. Its digests hold with any index: the same files, from elsewhere.
    say(f"  from {shown(settings.main)}, checked against the digests in uv.lock")
    if python:
        _run([uv, "venv", "--clear", *python, str(VENV)], env)
    with tempfile.TemporaryDirectory() as folder:
        wants = str(Path(folder) / "requirements.txt")
        export = [uv, "export", "--quiet", "--frozen", "--no-emit-project", *flags, "--output-file", wants]
        _run(export, env, quiet=True)
        to = f"--python={VENV / 'bin' / 'python'}"
        _run([uv, "pip", "sync", *COMPILED, to, "--require-hashes", wants], env)
        _run([uv, "pip", "install", to, "--no-deps", "--editable", str(ROOT)], env)


def venv_works() -> bool:
    """Whether .venv has a Python that runs and is new enough."""
    probe = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        command = [str(VENV / "bin" / "python"), "-c", probe]
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _run(command: list[str], env: dict[str, str], *, quiet: bool = False) -> None:
    out = subprocess.DEVNULL if quiet else None
    code = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, check=False).returncode
    if code:
        raise SetupError(f"uv failed (exit {code}); what it says stands above. Mend that, then type the command again.")


def main(arguments: list[str]) -> int:
    """Set up .venv with the groups named in ``arguments``; 0, or an exit code with a message on standard error."""
    unknown = [a for a in arguments if a not in GROUPS]
    if unknown:
        sys.stderr.write(f"unknown group {unknown[0]!r}; known: {', '.join(GROUPS)}\n")
        return 2
    stamp = read_stamp()
    if is_ready(arguments, stamp):
        return 0
    began = time.monotonic()
    groups = sorted({*arguments, *(g for g in stamp.get("groups", []) if g in GROUPS)})
    added = f" with the groups {', '.join(groups)}" if groups else ""
    say(f"Tocsin: setting up .venv for Python {platform.python_version()}{added}")
    try:
        settings = read_settings(dict(os.environ))
        install(get_uv(settings), groups, settings, uv_environment(settings, dict(os.environ)))
        write_stamp(groups)
    except (SetupError, OSError) as error:
        sys.stderr.write(f"Tocsin: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nTocsin: stopped; the same command goes on from here.\n")
        return 130
    say(f"Tocsin: .venv is ready ({time.monotonic() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
