"""How a Python for releases is made: what is fetched is what was meant, whoever gives it."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from devtools import cpython

if TYPE_CHECKING:
    from pathlib import Path


def archive(text: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        member = tarfile.TarInfo("sources-1/file")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return whole.getvalue()


TRUE, FALSE = archive("as it was"), archive("with a door at the back")


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes | OSError]:
    """What each pool answers, by its address."""
    answers: dict[str, bytes | OSError] = {}

    def urlopen(url: str, timeout: float) -> io.BytesIO:
        assert timeout
        pool = url.removesuffix("/made-up_1.tar")
        answer = answers[pool]
        if isinstance(answer, OSError):
            raise answer
        return io.BytesIO(answer)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    source = cpython.Source("made-up_1.tar", hashlib.sha256(TRUE).hexdigest())
    monkeypatch.setattr(cpython, "SOURCES", {"made-up": source})
    return answers


FIRST, SECOND = cpython._POOLS
LACKS = OSError("404")


@pytest.mark.skipif(sys.platform != "linux", reason="is made on Linux")
@pytest.mark.parametrize("first", [TRUE, FALSE, LACKS], ids=["true", "false", "lacks"])
def test_sources_come_from_the_first_that_has_the_very_ones(
    first: Any, pools: dict[str, bytes | OSError], tmp_path: Path
) -> None:
    pools |= {FIRST: first, SECOND: TRUE}
    assert (cpython._unpacked("made-up", tmp_path) / "file").read_text() == "as it was"


@pytest.mark.parametrize(
    "answer", [FALSE, TRUE[:-1], b"", LACKS], ids=["false", "cut", "empty", "lacks"]
)
def test_no_others_are_unpacked(
    answer: Any, pools: dict[str, bytes | OSError], tmp_path: Path
) -> None:
    pools |= {FIRST: answer, SECOND: answer}
    with pytest.raises(SystemExit, match="cannot be had"):
        cpython._unpacked("made-up", tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_every_source_is_pinned() -> None:
    for source in cpython.SOURCES.values():
        assert len(bytes.fromhex(source.sha256)) == 32


@pytest.mark.skipif(sys.platform == "win32", reason="is made on Linux")
def test_the_linker_is_told_a_library_s_name_as_it_knows_it(tmp_path: Path) -> None:
    tool = tmp_path / "cc"
    tool.write_text(cpython._TOOL.format(zig="/bin/echo", does="cc"))
    tool.chmod(0o755)
    words = ["-shared", "-Wl,-hlib a.so", "-Wl,-z,now", "a b.c"]
    said = subprocess.run([tool, *words], capture_output=True, text=True, check=True).stdout
    assert said == "cc -shared -Wl,-soname,lib a.so -Wl,-z,now a b.c\n"
