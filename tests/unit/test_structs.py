"""What msgspec needs is seen to be there, once for all who use it."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import sys
sys.modules["_datetime"] = None
for time in 1, 2:
    try:
        import credlatch.setup.record
    except ImportError as error:
        print(error.name, error)
    sys.modules.pop("_datetime", None)
import datetime
print(credlatch.setup.record.FileStep, isinstance(datetime.datetime_CAPI, object))
"""


def test_without_it_an_import_fails_and_the_next_one_tries_again() -> None:
    # Where it goes on, msgspec ends the process at the first class of ours.
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith(b"datetime cannot import name 'datetime_CAPI'")
    assert second == b"<class 'credlatch.setup.record.FileStep'> True"


# Each class is met by eight threads at the same moment, which the interpreter changes as often as
# it can: without a lock one of them reads what another has only begun to write.
_THREADS = """
import sys, threading
from typing import Annotated
from credlatch.structs import converted, decoded, msgspec

sys.setswitchinterval(1e-6)
said = {f"f{number}": {"a": 1, "b": "x"} for number in range(10)}
text = msgspec.json.encode(said)

def meet(kind, ready, met):
    ready.wait(60)
    for whole in converted(said, kind), decoded(text, kind):
        met.append(whole.f9.b)

for _ in range(100):
    fields = [("a", Annotated[int, msgspec.Meta(ge=0)]), ("b", str | None, None)]
    parts = [(f"f{number}", msgspec.defstruct("Part", fields)) for number in range(10)]
    ready, met = threading.Barrier(8), []
    given = msgspec.defstruct("Whole", parts), ready, met
    threads = [threading.Thread(target=meet, args=given) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert met == ["x"] * 16
"""


def test_threads_that_meet_a_class_at_the_same_moment_all_read_it() -> None:
    subprocess.run([sys.executable, "-c", _THREADS], check=True)
