"""What strace has written down is read as it was."""

from __future__ import annotations

from support.canary import sightings, unescaped

SHOWN = {
    b"plain": b"plain",
    rb"\0\1\0012\377\344x": b"\0\1\x012\xff\xe4x",
    rb"\n\t\r\v\f\"\\": b'\n\t\r\v\f"\\',
    rb"\xe4\x0a1": b"\xe4\n1",
    rb"a path with \x and an end \ ".rstrip(b" "): b"a path with x and an end \\",
}


def test_escapes_are_what_they_stand_for() -> None:
    assert {shown: unescaped(shown) for shown in SHOWN} == SHOWN


LOG = """\
1 execve("/x/credlatch.d/credlatch", ["credlatch", "secrets"], ["T=a-secret"]) = 0
1 write(5</memfd:a>, "a-secret", 12) = 12
2 execve("/bin/sh", ["sh", "a-secret"], ["A=1"]) = 0
2 write(1</tmp/its-own>, "a-secret", 12) = 12
3 execve("/no/sh", ["sh"], ["A=1"]) = -1 ENOENT (No such file or directory)
3 write(7</tmp/ours>, "a-secret", 12) = 12
2 execve("/x/_internal/credlatch-program", ["x"], ["A=1"]) = 0
2 write(7</tmp/ours-again>, "a-secret", 12) = 12
2 write(1, "a-secret", 12) = -1 EBADF (Bad file descriptor)
"""


def test_what_another_program_does_with_what_it_is_given_is_its_own_affair() -> None:
    assert [(each.where, each.call) for each in sightings(LOG, ["a-secret"])] == [
        ("environment", "execve"),
        ("memory", "write"),
        ("arguments", "execve"),
        ("/tmp/ours", "write"),  # noqa: S108 - in a log
        ("/tmp/ours-again", "write"),  # noqa: S108 - likewise
        ("closed", "write"),
    ]


THREADS = """\
1 clone3({flags=CLONE_VM}, 88 <unfinished ...>
1 <... clone3 resumed> => {parent_tid=[2]}, 88) = 2
2 execve("/bin/sh", ["sh"], ["A=1"] <unfinished ...>
2 <... execve resumed>) = 0
2 clone(child_stack=NULL, flags=CLONE_CHILD) = 3
3 write(7</tmp/its-own>, "a-secret", 12) = 12
1 clone3({flags=CLONE_VM} => {parent_tid=[4]}, 88) = 4
4 write(7</tmp/ours>, "a-secret", 12) = 12
"""


def test_a_thread_is_of_the_program_that_has_made_it() -> None:
    (seen,) = sightings(THREADS, ["a-secret"])
    assert seen.where == "/tmp/ours"  # noqa: S108 - in a log
