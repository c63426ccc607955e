"""The agent's named pipe, and both its ends: nobody hears or answers but the pipe's own user."""

from __future__ import annotations

import pytest

from support.windows_python import ask_windows

SERVER = """
from credlatch.agent import server, wire
from credlatch.system import windows_pipes as pipes, windows_users as users
NAME = r"\\\\.\\pipe\\credlatch-test-%d" % os.getpid()
heard = []
def answer(what, fields):
    heard.append(len(fields))
    if fields == [b"slow"]:
        time.sleep(1.0)
    return wire.answer(0, what + b"".join(fields), b"")
listener = pipes.Listener(NAME)
it = server.Server(listener, answer, None, lambda: 1000.0)
def run():
    it.run()
    it.finish()
running = threading.Thread(target=run)
running.start()
def rest(connection):
    return b"".join(iter(lambda: connection.recv(65536), b""))
def ask(*fields, end=None):
    connection = pipes.connect(NAME, 60.0)
    connection.settimeout(60.0)
    connection.sendall(wire.request(wire.GET, *fields)[:end])
    try:
        return rest(connection)
    finally:
        connection.close()
def stop():
    it.stop()
    running.join(30)
"""


def test_each_request_has_its_answer_however_long_and_however_many_ask() -> None:
    told = ask_windows(
        SERVER
        + """
large = b"x" * 3_000_000
same = [ask(*fields).lstrip(b".") == wire.answer(0, b"G" + b"".join(fields), b"")
        for fields in ([], [b"a", b"b"], [large])]
pulses = ask(b"slow")
got = []
many = [threading.Thread(target=lambda: got.append(ask(b"a"))) for _ in range(60)]
for each in many: each.start()
for each in many: each.join()
stop()
tell([same, pulses[:3].decode(), pulses.lstrip(b".") == wire.answer(0, b"Gslow", b""),
      len(got), list({each.lstrip(b".").hex() for each in got}),
      running.is_alive(), pipes.connect(NAME, 0.0) is None])
"""
    )
    answer = b"=\0\0\0\x0f\0\0\0\x01\0\0\0\0\x02Ga\0\0\0\0".hex()
    assert told == [[True] * 3, "...", True, 60, [answer], False, True]


def test_who_says_nothing_or_goes_away_hinders_nobody() -> None:
    told = ask_windows(
        SERVER
        + """
server.PATIENCE = 0.5
silent = [pipes.connect(NAME, 60.0) for _ in range(40)]  # more than wait for clients at once
gone = [pipes.connect(NAME, 60.0) for _ in range(40)]
for each in gone: each.close()
first = ask(b"a").lstrip(b".")
ends = []
for each in silent:
    each.settimeout(60.0)
    ends.append(each.recv(1))
    each.close()
stop()
tell([first.hex(), sorted({each.hex() for each in ends}), len(heard)])
"""
    )
    assert told == [b"=\0\0\0\x0f\0\0\0\x01\0\0\0\0\x02Ga\0\0\0\0".hex(), [""], 1]


def test_a_client_of_another_user_is_not_heard() -> None:
    told = ask_windows(
        SERVER
        + """
users.of_client = lambda pipe: "S-1-5-21-1-2-3-1001"
connection = pipes.connect(NAME, 60.0)
connection.settimeout(60.0)
connection.sendall(wire.request(wire.GET, b"a"))
try:
    said = rest(connection)
except OSError as error:
    said = b""
stop()
tell([said.hex(), heard])
"""
    )
    assert told == ["", []]


@pytest.mark.parametrize("what", ["of_object", "of_process"])
def test_a_server_of_another_user_is_told_nothing(what: str) -> None:
    told = ask_windows(
        """
from credlatch.system import windows_pipes as pipes, windows_users as users
from credlatch.errors import AgentError
from credlatch.agent import by_pipe, control, wire
NAME = r"\\\\.\\pipe\\credlatch-test-%d" % os.getpid()
by_pipe.name = lambda build: NAME
listener = pipes.Listener(NAME)
setattr(users, given, lambda _: "S-1-5-21-1-2-3-1001")
said = []
def ask():
    try:
        control.ask("b", wire.STATUS)
    except AgentError as error:
        said.append(str(error))
asking = threading.Thread(target=ask)
asking.start()
connection = listener.accept(60.0)
connection.settimeout(60.0)
asking.join()
tell([said, connection.recv(1).hex()])
""",
        what,
    )
    assert told[1] == ""
    (said,) = told[0]
    assert said.endswith("is another user's, who has to end what listens there")


def test_the_pipe_is_its_user_s_alone() -> None:
    told = ask_windows("""
import ctypes
from ctypes import wintypes
from credlatch.system import windows_pipes as pipes, windows_users as users
name = r"\\\\.\\pipe\\credlatch-test-%d" % os.getpid()
listener = pipes.Listener(name)
handle = listener._waiting[0][0]
advapi = ctypes.WinDLL("advapi32")
descriptor, text = ctypes.c_void_p(), wintypes.LPWSTR()
void, word = ctypes.c_void_p, wintypes.DWORD
look = advapi.GetSecurityInfo
look.argtypes = [wintypes.HANDLE, ctypes.c_int, word, void, void, void, void, void]
assert look(handle, 6, 5, None, None, None, None, ctypes.addressof(descriptor)) == 0
convert = advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW
convert.argtypes = [void, word, word, void, void]
assert convert(descriptor, 1, 5, ctypes.addressof(text), None)
tell([text.value, users.own(), users.of_object(handle)])
""")
    text, own, owner = told
    assert owner == own
    assert text.replace("0x1f01ff", "FA") in {f"O:{own}D:P(A;;FA;;;{own})"}


def test_the_logon_session_is_sixteen_digits() -> None:
    session = ask_windows("""
from credlatch.system import windows_users as users
tell([users.logon_session().decode(), users.logon_session().decode()])
""")
    assert session[0] == session[1]
    assert len(session[0]) == 16
    int(session[0], 16)


def test_one_process_at_a_time_has_the_lock_and_its_heir_keeps_it() -> None:
    told = ask_windows("""
import subprocess
from credlatch.agent import by_pipe, start, transport
os.environ["LOCALAPPDATA"] = os.path.join(os.environ["TEMP"], "credlatch test ünï %d" % os.getpid())
lock = start.take("b")
def taken(pause=0.0):
    other = start.take("b", pause)
    if other is not None:
        os.close(other)
    return other is not None
held = taken()
import msvcrt
handle = msvcrt.get_osfhandle(lock)
os.set_handle_inheritable(handle, True)
startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
pipe = subprocess.PIPE
words = [sys.executable, "-c", "import sys; sys.stdin.read()"]
streams = dict.fromkeys(("stdin", "stdout", "stderr"), pipe)
heir = subprocess.Popen(words, **streams, startupinfo=startup, close_fds=False)
os.close(lock)
inherited = taken()
heir.communicate(b"")
free = [taken(), taken(3.0)]
import shutil
shutil.rmtree(os.environ["LOCALAPPDATA"])
tell([lock is not None, held, inherited, free])
""")
    assert told == [True, False, False, [True, False]]
