"""A file that has changed is read anew on Windows, whatever its times were set back to."""

from __future__ import annotations

from support.windows_python import ask_windows


def test_a_change_is_seen_whatever_a_file_s_times_were_set_back_to() -> None:
    told = ask_windows("""
from credlatch.system import documents, files
path = os.path.join(os.environ["TEMP"], "documents ü %d" % os.getpid())
kept = documents.Documents()
documents.SETTLED = 0.0
parsed = []
def parse(text, path):
    parsed.append(text)
    return text
def read():
    file = files.opened(path)
    with file:
        return kept.content(file, parse)
with open(path, "w") as file: file.write("old")
before = os.stat(path)
time.sleep(0.1)
said = [read(), read()]
with open(path, "w") as file: file.write("new")
os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
same = os.stat(path).st_mtime_ns == before.st_mtime_ns
said.append(read())
os.remove(path)
tell([said, parsed, same])
""")
    assert told == [["old", "old", "new"], ["old", "new"], True]
