"""The parts of the set-up that can be asked without a network: which wheel, which index, what is said when it fails."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.tags import Tag, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import bootstrap  # noqa: E402
import demo  # noqa: E402
from indexes import PYPI, File, Index, Settings, read_html, read_json, read_settings, shown, split_user  # noqa: E402
from wheels import Platform, best_wheel, release, this_platform, wheel_rank  # noqa: E402

LINUX = Platform((3, 11), "Linux", "x86_64", "glibc", (2, 36))
MUSL = Platform((3, 12), "Linux", "aarch64", "musl", (1, 2))
MAC = Platform((3, 13), "Darwin", "arm64", "", (14, 2))


def tags(here: Platform) -> set[Tag]:
    """What the packaging library says runs on ``here``."""
    minor = here.python[1]
    if here.system == "Darwin":
        platforms = list(mac_platforms(here.version, here.machine))
    elif here.libc == "musl":
        platforms = [f"musllinux_1_{n}_{here.machine}" for n in range(here.version[1] + 1)] + [f"linux_{here.machine}"]
    else:
        platforms = [f"manylinux_2_{n}_{here.machine}" for n in range(5, here.version[1] + 1)]
        platforms += [f"{old}_{here.machine}" for old in ("manylinux1", "manylinux2010", "manylinux2014", "linux")]
    found = set(cpython_tags(here.python, [f"cp3{minor}", "abi3", "none"], platforms))
    generic = {Tag(p, "none", q) for p in ("py3", f"py3{minor}", f"cp3{minor}") for q in (*platforms, "any")}
    return found | generic


@pytest.mark.parametrize("here", [LINUX, MUSL, MAC])
def test_wheels_run_where_the_packaging_library_says_so(here: Platform) -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    allowed = tags(here)
    names = [w["url"].rpartition("/")[2] for p in lock["package"] for w in p.get("wheels", [])]
    assert len(names) > 1000
    for name in names:
        # cp3xt (free-threaded) and old py3x tags are beyond this project; everything else must agree
        runs = bool(parse_wheel_filename(name)[3] & allowed)
        assert (wheel_rank(name, here) is not None) == runs, name


def test_of_several_wheels_the_closest_is_taken() -> None:
    names = [
        "numpy-2.4.6-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        "numpy-2.4.6-cp311-cp311-manylinux_2_39_x86_64.whl",
        "numpy-2.4.6-cp312-cp312-manylinux_2_17_x86_64.whl",
        "numpy-2.4.6-cp311-cp311-macosx_14_0_arm64.whl",
        "numpy-2.4.6-cp311-cp311-win_amd64.whl",
        "numpy-2.4.6.tar.gz",
    ]
    assert best_wheel(names, LINUX) == names[1]
    assert best_wheel(names, LINUX._replace(version=(2, 20))) == names[0]
    assert best_wheel(names, LINUX._replace(version=(2, 40))) == names[2]
    assert best_wheel(names, MUSL) is None


def test_this_machine_is_one_that_wheels_know() -> None:
    assert best_wheel(["x-1-py3-none-any.whl"], this_platform()) is not None
    assert this_platform().python == sys.version_info[:2]


def test_only_final_versions_count() -> None:
    assert release("0.13.9") == (0, 13, 9)
    assert [release(v) for v in ("1.0rc1", "2.0.dev3", "1.0.post1", "", "latest")] == [None] * 5


def uv_file(
    version: str, tag: str = "manylinux_2_17_x86_64.manylinux2014_x86_64", sha256: str = "ab", yanked: bool = False
) -> File:
    name = f"uv-{version}-py3-none-{tag}.whl"
    return File(name, f"https://example.org/{name}", sha256, yanked)


def test_the_uv_this_project_names_is_taken_with_its_own_digest() -> None:
    files = [uv_file("99.0.0"), uv_file(bootstrap.UV_VERSION, sha256="what-the-index-says"), uv_file("0.9.0")]
    chosen = bootstrap.choose_uv(files, LINUX)
    assert chosen is not None
    assert chosen[0] == bootstrap.UV_VERSION
    assert chosen[1].sha256 == bootstrap.UV_SHA256["manylinux_2_17_x86_64.manylinux2014_x86_64"]


def test_else_the_newest_that_will_do_and_that_the_index_vouches_for() -> None:
    files = [
        uv_file("0.7.9"), uv_file("0.10.0"), uv_file("0.9.9"), uv_file("0.12.0", sha256=""),
        uv_file("0.11.0", yanked=True), uv_file("0.13.0", "win_amd64"),
        File("uv-0.13.1.tar.gz", "", "ab"), uv_file("1.0rc1"),
    ]  # fmt: skip
    chosen = bootstrap.choose_uv(files, LINUX)
    assert chosen is not None
    assert chosen[0] == "0.10.0"
    assert bootstrap.choose_uv(files, LINUX, pinned_only=True) is None
    assert bootstrap.choose_uv([uv_file("0.7.9")], LINUX) is None


def test_the_digests_are_those_of_the_wheels_one_expects() -> None:
    for tag, sha256 in bootstrap.UV_SHA256.items():
        assert len(bytes.fromhex(sha256)) == 32
        machines = [p._replace(machine=m) for p in (LINUX, MUSL, MAC) for m in ("x86_64", "aarch64", "arm64")]
        assert any(wheel_rank(f"uv-1-py3-none-{tag}.whl", p) for p in machines)


def test_where_packages_come_from(tmp_path: Path) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text(
        "[global]\nindex-url = https://conf.example/simple/\nextra-index-url =\n  https://a.example/simple\n"
        "  file:///opt/x\ncert = /c.pem\nproxy = http://proxy:3128\n[install]\nno-cache = yes\n"
    )
    files = [str(tmp_path / "none.conf"), str(conf)]
    assert read_settings({}, []) == Settings(PYPI, (), "", "")
    assert read_settings({}, files) == Settings(
        "https://conf.example/simple", ("https://a.example/simple", "file:///opt/x"), "/c.pem", "http://proxy:3128"
    )
    pip = {
        "PIP_INDEX_URL": "https://pip.example/simple",
        "PIP_CERT": "/p.pem",
        "PIP_EXTRA_INDEX_URL": "https://b.example",
    }
    assert read_settings(pip, files)[:3] == ("https://pip.example/simple", ("https://b.example",), "/p.pem")
    uv = {
        "UV_DEFAULT_INDEX": "https://uv.example/simple/",
        "UV_INDEX": "own=https://c.example/ https://d.example",
        "SSL_CERT_FILE": "/s",
    }
    assert read_settings({**pip, **uv}, files)[:3] == (
        "https://uv.example/simple", ("https://c.example", "https://d.example", "https://b.example"), "/s"
    )  # fmt: skip
    conf.write_bytes(b"\xff\xfe not a file of settings")
    assert read_settings({}, files).main == PYPI


def test_pips_files_are_looked_for_where_pip_looks() -> None:
    from indexes import pip_config_files

    found = pip_config_files({"HOME": "/home/x", "PIP_CONFIG_FILE": "/named"})
    assert found == [
        "/etc/xdg/pip/pip.conf",
        "/etc/pip.conf",
        "/home/x/.pip/pip.conf",
        "/home/x/.config/pip/pip.conf",
        "/named",
    ]
    assert pip_config_files({"PIP_CONFIG_FILE": os.devnull}) == []


def test_passwords_are_used_and_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert split_user("https://me:s%40crt@host.example/simple") == ("https://host.example/simple", "me:s@crt")
    assert split_user("https://host.example/simple") == ("https://host.example/simple", "")
    (tmp_path / ".netrc").write_text("machine host.example login me password word\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert split_user("https://host.example/simple") == ("https://host.example/simple", "me:word")
    assert shown("https://me:s@host.example/simple") == "https://host.example/simple"


def test_both_forms_of_an_index_page_say_the_same() -> None:
    page = (
        '{"files": [{"filename": "uv-1-py3-none-any.whl", "url": "../f/uv-1-py3-none-any.whl", '
        '"hashes": {"sha256": "ab"}}, '
        '{"filename": "uv-2.tar.gz", "url": "https://e.org/uv-2.tar.gz", "hashes": {}, "yanked": "broken"}]}'
    )
    links = (
        '<html><a href="../f/uv-1-py3-none-any.whl#sha256=ab">uv-1-py3-none-any.whl</a>'
        '<a href="https://e.org/uv-2.tar.gz" data-yanked="broken">uv-2</a>'
    )
    base = "https://e.org/simple/uv/"
    assert (
        read_json(page, base)
        == read_html(links, base)
        == [
            File("uv-1-py3-none-any.whl", "https://e.org/simple/f/uv-1-py3-none-any.whl", "ab"),
            File("uv-2.tar.gz", "https://e.org/uv-2.tar.gz", "", True),
        ]
    )
    for odd in ("[]", "{}", "no", '{"files": [{}]}', '{"files": 3}'):
        with pytest.raises(ValueError, match=r".+"):
            read_json(odd, base)


def wheel(path: Path, program: str) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("uv-0.13.9.data/scripts/uv", program)
        archive.writestr("uv/__init__.py", "")
    return path.read_bytes()


def test_uv_is_taken_from_a_folder_index_checked_and_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way over file: addresses, as over https: index page, choice, digest, program that runs."""
    folder = tmp_path / "simple" / "uv"
    folder.mkdir(parents=True)
    name = "uv-0.12.1-py3-none-any.whl"
    raw = wheel(folder / name, "#!/bin/sh\necho 'uv 0.12.1 (test)'\n")
    (folder / "index.html").write_text(f'<a href="{name}#sha256={hashlib.sha256(raw).hexdigest()}">{name}</a>')
    monkeypatch.setattr(bootstrap, "OWN_UV", tmp_path / "project" / ".uv" / "bin" / "uv")
    monkeypatch.setattr(bootstrap, "find_uv", lambda: None)
    settings = Settings((tmp_path / "simple").as_uri(), (), "", "")
    assert bootstrap.uv_version(bootstrap.get_uv(settings)) == (0, 12, 1)
    # one bit changed: not what the index vouches for
    (folder / name).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(bootstrap.SetupError, match=r"uv-0\.12\.1-py3-none-any\.whl .*is not what it should be"):
        bootstrap.get_uv(settings)


def test_where_nothing_can_be_had_the_message_names_every_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "OWN_UV", tmp_path / "uv")
    monkeypatch.setattr(bootstrap, "find_uv", lambda: None)
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 1, "", "no way\n"))
    monkeypatch.setattr("time.sleep", lambda _: None)
    (tmp_path / "empty" / "uv").mkdir(parents=True)
    (tmp_path / "empty" / "uv" / "index.html").write_text("<html></html>")
    settings = Settings("file:///nowhere/simple", ((tmp_path / "empty").as_uri(),), "", "")
    with pytest.raises(bootstrap.SetupError) as caught:
        bootstrap.get_uv(settings)
    text = str(caught.value)
    assert "file:///nowhere/simple: " in text
    assert "offers no uv for" in text
    assert "pip: no way" in text
    assert "Set UV_DEFAULT_INDEX or PIP_INDEX_URL" in text


def test_uv_is_led_to_no_other_environment_and_told_what_pip_knows() -> None:
    made = bootstrap.uv_environment(
        Settings("https://m.example", ("https://x.example",), "/c.pem", "http://p:1"),
        {"VIRTUAL_ENV": "/v", "UV_LOCKED": "1", "UV_PROJECT_ENVIRONMENT": "/w", "HOME": "/does/not/exist", "KEPT": "1"},
    )
    assert made == {
        "KEPT": "1", "HOME": "/does/not/exist", "UV_PYTHON_DOWNLOADS": "never", "UV_DEFAULT_INDEX": "https://m.example",
        "UV_INDEX": "https://x.example", "SSL_CERT_FILE": "/c.pem", "HTTPS_PROXY": "http://p:1",
        "UV_CACHE_DIR": str(ROOT / ".uv" / "cache"),
    }  # fmt: skip
    assert "UV_DEFAULT_INDEX" not in bootstrap.uv_environment(Settings(PYPI, (), "", ""), {"XDG_CACHE_HOME": "/c"})


def test_sizes_are_those_of_the_lock_file_for_this_platform() -> None:
    lock = {"package": [
        {"name": "a", "version": "1", "wheels": [
            {"url": "https://f/a-1-cp311-cp311-manylinux_2_28_x86_64.whl", "size": 1000},
            {"url": "https://f/a-1-cp312-cp312-manylinux_2_28_x86_64.whl", "size": 7},
        ]},
        {"name": "b", "version": "2", "sdist": {"url": "https://f/b-2.tar.gz"}},
        {"name": "b", "version": "3", "wheels": [{"url": "https://f/b-3-py3-none-any.whl", "size": 9}]},
        {"name": "c", "version": "1", "wheels": [{"url": "https://f/c-1-py3-none-any.whl", "size": 9}]},
    ]}  # fmt: skip
    files = bootstrap.files_of(lock, {"a": "1", "b": "2"}, LINUX)
    assert files == [("https://f/a-1-cp311-cp311-manylinux_2_28_x86_64.whl", 1000), ("https://f/b-2.tar.gz", None)]
    index = Index(Settings(PYPI, (), "", ""))
    index.size = {"https://f/b-2.tar.gz": 50}.get  # type: ignore[method-assign]
    assert bootstrap.total_size(files, index) == (1050, True)
    assert bootstrap.total_size([*files, ("https://f/gone", None)], index) == (1050, False)


def test_the_stamp_is_for_this_lock_these_groups_and_this_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("uv.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "stamp.json")
    assert not bootstrap.is_ready([], bootstrap.read_stamp())
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for program in ("python", "tocsin", "pytest"):
        (tmp_path / ".venv" / "bin" / program).touch()
    bootstrap.write_stamp(["test"])
    stamp = bootstrap.read_stamp()
    assert bootstrap.is_ready([], stamp)
    assert bootstrap.is_ready(["test"], stamp)
    assert not bootstrap.is_ready(["check"], stamp)
    assert not bootstrap.is_ready([], {**stamp, "root": "/moved"})
    # a group that brings no program is known by a package of it
    package = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "stonesoup"
    bootstrap.write_stamp(["test", "peers"])
    assert not bootstrap.is_ready(["peers"], bootstrap.read_stamp())
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert bootstrap.is_ready(["test", "peers"], bootstrap.read_stamp())
    (tmp_path / ".venv" / "bin" / "tocsin").unlink()
    assert not bootstrap.is_ready([], stamp)
    (tmp_path / ".venv" / "bin" / "tocsin").touch()
    (tmp_path / "uv.lock").write_text("changed")
    assert not bootstrap.is_ready([], stamp)
    bootstrap.STAMP.write_text("[")
    assert bootstrap.read_stamp() == {}


def test_an_unknown_group_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["tests"]) == 2
    assert capsys.readouterr().err == "unknown group 'tests'; known: test, check, docs, peers\n"


def test_an_old_python_gets_a_sentence(tmp_path: Path) -> None:
    """The launcher must find its way past interpreters that are too old, or say what is missing."""
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    bare = {"PATH": f"{tmp_path}:/bin:/usr/bin", "PYTHON": str(old)}
    done = subprocess.run(
        ["sh", str(ROOT / "tools" / "setup.sh")], env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"Tocsin needs Python 3.11 or newer; {old} is: Python 3.9.2." in done.stderr
    assert "make PYTHON=/path/to/python3.12 demo" in done.stderr
    assert done.stdout == ""


def test_next_commands_never_meet_a_file_in_their_way(tmp_path: Path) -> None:
    first = [command for command, _ in demo.next_commands(tmp_path)]
    assert first == [
        ".venv/bin/tocsin run black-brant-1995",
        ".venv/bin/tocsin run hokkaido-2017 --sharing none --out runs/alone",
        ".venv/bin/tocsin new mine",
    ]
    (tmp_path / "runs" / "black-brant-1995-1").mkdir(parents=True)
    (tmp_path / "runs" / "alone").mkdir()
    (tmp_path / "mine.yaml").touch()
    assert [command for command, _ in demo.next_commands(tmp_path)] == [
        f"{first[0]} --force",
        f"{first[1]} --force",
        f"{first[2]}-2",
    ]


def test_the_demonstration_ends_with_what_to_type_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / ".venv" / "bin" / "tocsin"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "ran: $*"\necho "report: runs/x/report.html"\n')
    program.chmod(0o755)
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert demo.main() == 0
    said = capfd.readouterr().out.splitlines()
    assert said[:2] == ["ran: run hokkaido-2017 --force", "report: runs/x/report.html"]
    assert said[-4] == "Next, type one of:"
    assert [line.split("#")[0].strip() for line in said[-3:]] == [c for c, _ in demo.next_commands(tmp_path)]
    program.write_text("#!/bin/sh\nexit 2\n")
    assert demo.main() == 2
    assert "Next" not in capfd.readouterr().out
