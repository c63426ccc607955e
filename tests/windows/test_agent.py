"""The agent on Windows: started by a call, found by its pipe, there for one logon session."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import wire
from support.logins import ENDED, FIRST, oauth, refusal
from support.windows_agent import until, windows_agent
from support.windows_python import ask_windows
from support.wine import finished, windows_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.token_server import TokenServer
    from support.windows_agent import WindowsAgent
    from support.wine import Windows


@pytest.fixture
def agent(folder: Windows) -> Iterator[WindowsAgent]:
    with windows_agent(folder) as agent:
        yield agent


def header(answer: object) -> str:
    """The one header of an answer, which must be there."""
    assert isinstance(answer, tuple), answer
    status, out, err = answer
    assert (status, err) == (0, b""), answer
    (value,) = json.loads(out)["headers"]["Authorization"]
    return str(value)


def test_a_call_starts_it_and_people_see_it_and_end_it(agent: WindowsAgent, host: str) -> None:
    program = agent.program
    before = program("agent", "status")
    assert (before.code, before.out) == (1, b"no agent is running: the next get starts one\n")
    assert agent.up(host).code == 0
    shown = program("agent", "status")
    assert shown.code == 0
    told = dict(line.split(": ", 1) for line in shown.out.decode().splitlines())
    assert told["build"] == agent.build
    assert told["pipe"].startswith(r"\\.\pipe\credlatch-S-1-5-")
    assert told["pipe"].endswith(f"-{agent.build}")
    assert told["requests"] == "0, 0 of them left to the caller"
    assert float(told["memory"].removesuffix(" MB")) > 1
    assert told["program"].endswith(".exe")
    login = {"CREDLATCH_TOKEN_A_EXAMPLE": "t"}
    assert header(agent.get("https://a.example/x", login)) == "Bearer t"
    log = program("agent", "log")
    first, second = log.out.decode().splitlines()
    assert f"bazel {host} - no credential" in first
    assert "bazel a.example environment answered" in second
    assert program("agent", "stop").out == b"the agent has ended\n"
    assert program("agent", "stop").out == b"no agent is running\n"
    assert program("agent", "status").code == 1


def test_what_the_caller_sent_counts_and_not_what_the_agent_has(
    agent: WindowsAgent, host: str
) -> None:
    agent.up(host)
    home = agent.program.home
    for name in ("one ü", "two"):
        home.write(f"{name}/auth.json", json.dumps({host: {"BearerToken": name[:3]}}))
        folder = windows_path(home.path / name)
        for variable in ("RATTLER_AUTH_FILE", "Rattler_Auth_File"):
            for place, cwd in ((f"{folder}\\auth.json", "C:\\"), ("auth.json", folder)):
                answer = agent.get(f"https://{host}/x", {variable: place}, cwd=cwd)
                assert header(answer) == f"Bearer {name[:3]}"
    # A login is seen by the very next call.
    home.write("two/auth.json", json.dumps({host: {"BearerToken": "changed"}}))
    answer = agent.get(f"https://{host}/x", {"RATTLER_AUTH_FILE": f"{folder}\\auth.json"})
    assert header(answer) == "Bearer changed"


@pytest.mark.parametrize(
    ("session", "variables"), [("00000000ffffffff", b""), ("", b""), (None, b"NAME=\xff\xfe")]
)
def test_who_is_of_another_session_or_no_windows_program_is_left_alone(
    agent: WindowsAgent, host: str, session: str | None, variables: bytes
) -> None:
    agent.up(host)
    where = agent.session if session is None else session
    fields = (b"bazel", b"C:\\", where.encode(), b'{"uri":"https://a.example/"}', variables)
    assert agent.ask(wire.GET, *fields) == wire.DECLINED
    assert session is None or "another logon session" in agent.log()[-1]


def test_a_lone_surrogate_is_as_windows_has_it(agent: WindowsAgent, host: str) -> None:
    agent.up(host)
    login = {"NAME": "\ud800", "CREDLATCH_TOKEN_A_EXAMPLE": "t"}
    assert header(agent.get("https://a.example/", login)) == "Bearer t"


def test_it_is_switched_off(agent: WindowsAgent, host: str) -> None:
    agent.program.env["CREDLATCH_AGENT"] = "off"
    agent.age()
    assert agent.program.bazel(f"https://{host}/").code == 0
    said = agent.program("agent", "status")
    assert said.out.endswith(b"none is started: CREDLATCH_AGENT is set to 'off'\n")


def test_of_many_that_are_started_at_once_one_lives(agent: WindowsAgent, host: str) -> None:
    agent.age()
    request = json.dumps({"uri": f"https://{host}/"}).encode()
    callers = [agent.program.start("get") for _ in range(6)]
    for caller in callers:
        answer = finished(caller, request)
        assert (answer.code, answer.err) == (0, "")
        assert answer.json() == {"headers": {}}
    until(agent.status, "none comes up")
    pid = agent.status()["pid"]
    agent.age()
    assert agent.program.bazel(f"https://{host}/").code == 0
    assert agent.status()["pid"] == pid


def test_it_ends_when_nobody_asks(agent: WindowsAgent, host: str) -> None:
    agent.program.env["CREDLATCH_AGENT_IDLE"] = "2"
    agent.up(host)
    agent.gone()
    said = agent.program("agent", "status")
    assert said.out == b"no agent is running: the next get starts one\n"


KILL = """
import ctypes
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
kernel.OpenProcess.restype = ctypes.c_void_p
process = ctypes.c_void_p(kernel.OpenProcess(1, False, int(given)))  # PROCESS_TERMINATE
tell(bool(kernel.TerminateProcess(process, 1)))
"""


def test_one_that_was_killed_is_followed_by_another(agent: WindowsAgent, host: str) -> None:
    agent.up(host)
    pid = agent.status()["pid"]
    ask_windows(KILL, pid)
    agent.gone()
    agent.up(host)
    assert agent.status()["pid"] != pid


MEMORY = """
import ctypes
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
kernel.OpenProcess.restype = ctypes.c_void_p
tell([bool(kernel.OpenProcess(right, False, int(given))) for right in (0x1000, 0x10, 0x20, 0x40)])
"""


def test_other_processes_cannot_look_into_it(agent: WindowsAgent, host: str) -> None:
    """PROCESS_QUERY_LIMITED_INFORMATION is what clients need; not VM_READ, VM_WRITE, DUP_HANDLE."""
    agent.up(host)
    assert ask_windows(MEMORY, agent.status()["pid"]) == [True, False, False, False]


def test_a_token_in_use_is_renewed_once_whoever_asks(
    agent: WindowsAgent, host: str, token_server: TokenServer
) -> None:
    agent.up(host)
    file = agent.program.home.write("auth.json", json.dumps({host: oauth(token_server, ENDED)}))
    variables = {"RATTLER_AUTH_FILE": windows_path(file)}
    told = header(agent.get(f"https://{host}/x", variables))
    assert told == f"Bearer {token_server.current_access_token}"
    assert header(agent.get(f"https://{host}/y", variables)) == told
    agent.program.env |= variables
    assert agent.program.bazel(f"https://{host}/z").authorization == told
    assert [post.form["refresh_token"] for post in token_server.posts("/token")] == [FIRST]
    assert json.loads(file.read_bytes())[host]["OAuth"]["refresh_token"] == "rotated-1"


JOB = """
import ctypes, subprocess
from ctypes import wintypes
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
kernel.CreateJobObjectW.restype = wintypes.HANDLE
class Limits(ctypes.Structure):
    _fields_ = [
        ("times", ctypes.c_int64 * 2), ("flags", wintypes.DWORD), ("more", ctypes.c_byte * 124)
    ]
program, flags, request = given
job = kernel.CreateJobObjectW(None, None)
limits = Limits(flags=flags)
assert ctypes.sizeof(limits) == 144
set_limits = kernel.SetInformationJobObject
set_limits.argtypes = [wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD]
assert set_limits(job, 9, ctypes.byref(limits), 144), ctypes.get_last_error()
kernel.AssignProcessToJobObject.argtypes = [wintypes.HANDLE, wintypes.HANDLE]
kernel.GetCurrentProcess.restype = wintypes.HANDLE
assert kernel.AssignProcessToJobObject(job, kernel.GetCurrentProcess()), ctypes.get_last_error()
done = subprocess.run([program, "get"], input=request.encode(), capture_output=True)
tell([done.returncode, done.stdout.decode(), done.stderr.decode()])
"""
BREAKAWAY_OK, KILL_ON_JOB_CLOSE = 0x800, 0x2000


@pytest.mark.parametrize(
    ("flags", "starts"),
    [(KILL_ON_JOB_CLOSE | BREAKAWAY_OK, True), (KILL_ON_JOB_CLOSE, False)],
)
def test_it_is_started_out_of_the_caller_s_job_or_not_at_all(
    agent: WindowsAgent, host: str, flags: int, *, starts: bool
) -> None:
    agent.age()
    request = json.dumps({"uri": f"https://{host}/"})
    program = windows_path(agent.program.program)
    code, out, err = ask_windows(JOB, [program, flags, request])
    assert (code, json.loads(out), err) == (0, {"headers": {}}, "")
    if starts:
        until(agent.status, "it does not come up")
    else:
        time.sleep(5.0)  # as long as it takes one to come up
        assert agent.status() == {}


def test_people_start_it_for_build_tools_that_end_what_their_helpers_start(
    agent: WindowsAgent,
) -> None:
    agent.age()
    program = agent.program
    for said in (b"the agent has been started\n", b"the agent is running\n"):
        assert program("agent", "start") == (0, said, "")
    assert agent.log() == []
    program.env["CREDLATCH_AGENT"] = "off"
    assert program("agent", "stop").code == 0
    assert "is set to 'off'" in refusal(program("agent", "start"), 1)


def test_uninstalling_ends_it_first(agent: WindowsAgent, host: str) -> None:
    """The files of a program that runs cannot be removed on Windows."""
    program, prefix = agent.program, r"C:\credlatch tests\ünï"
    assert program("install", "--prefix", prefix).code == 0
    lib = program.home.drive / "credlatch tests" / "ünï" / "lib" / "credlatch"
    (version,) = [path for path in lib.iterdir() if path.is_dir()]
    agent.age()
    assert program.at(version / program.program.name).bazel(f"https://{host}/").code == 0
    until(agent.status, "it does not come up")
    assert version.name in agent.status()["program"]
    gone = program("uninstall", "--prefix", prefix)
    assert gone.code == 0, gone
    assert not lib.exists()
    assert agent.status() == {}
