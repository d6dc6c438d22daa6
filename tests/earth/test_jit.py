"""The kernels' cache: nobody is served stale machine code, and nowhere to write is no reason to fail."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import tocsin
from tocsin.earth import jit

PACKAGE = Path(tocsin.__file__).parent
INNER = "from tocsin.earth.jit import kernel\n\n\n@kernel\ndef inner(x: float) -> float:\n    return x + {}\n"
OUTER = (
    "from tocsin.earth.inner import inner\nfrom tocsin.earth.jit import kernel\n\n\n"
    "@kernel\ndef outer(x: float) -> float:\n    return 10.0 * inner(x)\n"
)
CALL = """
from tocsin.earth import jit
told = []
jit.on_compile(lambda name, n: told.append(n))
from tocsin.dynamics.outer import outer
print(outer(1.0), *told)
"""


@pytest.fixture
def small_package(tmp_path):
    """A package of the same name with one kernel that calls another, one room up."""
    root = tmp_path / "small" / "tocsin"
    for room in ("", "earth", "dynamics"):
        (root / room).mkdir(parents=True, exist_ok=True)
        (root / room / "__init__.py").write_text("")
    shutil.copy(PACKAGE / "earth" / "jit.py", root / "earth" / "jit.py")
    (root / "earth" / "inner.py").write_text(INNER.format("1.0"))
    (root / "dynamics" / "outer.py").write_text(OUTER)
    return root


def run(code, cache_dir, path=PACKAGE.parent):
    env = {**os.environ, "PYTHONPATH": str(path), "TOCSIN_CACHE_DIR": str(cache_dir), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_caller_in_another_room_sees_a_changed_kernel(small_package, tmp_path):
    """With numba's own cache the last line would still print 20: it keys the caller by the caller's file alone."""
    where = tmp_path / "cache"
    assert run(CALL, where, small_package.parent) == ["20.0", "1", "2"]  # both are compiled, and it is told
    assert run(CALL, where, small_package.parent) == ["20.0"]  # kept: nothing is compiled again
    (small_package / "earth" / "inner.py").write_text(INNER.format("4.0"))
    assert run(CALL, where, small_package.parent)[0] == "50.0"


def test_keys_follow_the_kernels_a_room_may_call(small_package, monkeypatch):
    def keys():
        jit._digest.cache_clear()
        return jit._digest("earth"), jit._digest("dynamics"), jit._digest("tracking")

    monkeypatch.setattr(jit, "_PACKAGE", small_package)
    before = keys()
    (small_package / "dynamics" / "outer.py").write_text(OUTER + "# more\n")
    after = keys()
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert after[2] != before[2]
    (small_package / "earth" / "plain.py").write_text("X = 1\n")  # no kernel in it
    assert keys() == after
    monkeypatch.undo()
    jit._digest.cache_clear()


def test_no_writable_home_still_works(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    code = "from tocsin.earth import jit, wgs84; print(jit.cache_folder('earth'), wgs84.ecef_of(0.0, 0.0, 1.0)[0])"
    assert run(code, in_the_way / "below") == ["None", "6378138.0"]


def test_folders_are_private_and_old_ones_pruned(tmp_path, monkeypatch):
    monkeypatch.setenv("TOCSIN_CACHE_DIR", str(tmp_path))
    root = tmp_path / "kernels"
    for name, age in (("earth-old", jit._KEEP_UNUSED_S + 3600), ("earth-young", 3600.0)):
        (root / name).mkdir(parents=True)
        then = root.stat().st_mtime - age
        os.utime(root / name, (then, then))
    made = jit._root.__wrapped__()
    monkeypatch.setattr(jit, "_root", lambda: made)
    folder = jit.cache_folder.__wrapped__("earth")
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(f.name for f in root.iterdir()) == sorted(["earth-young", folder.name])


def test_a_folder_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("TOCSIN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(jit.os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
    assert jit._root.__wrapped__() is None


def test_kernels_keep_their_plain_form():
    from tocsin.earth import wgs84

    assert wgs84.ecef_of.py_func(0.3, 0.4, 5.0) == pytest.approx(wgs84.ecef_of(0.3, 0.4, 5.0))
    assert jit.kernel_count() > 5
