"""What msgspec needs is seen to be there, once for all who import it."""

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
