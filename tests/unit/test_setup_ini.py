"""pip's configuration, edited line by line."""

from __future__ import annotations

import pytest

from credlatch.setup.changes import splices, without
from credlatch.setup.formats.ini_text import IniText

KEY = ("global", "keyring-provider")
INI = IniText()
OURS = "[global]\nkeyring-provider = subprocess\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", OURS),
        (
            "; mine\n[global]\ntimeout = 60\n",
            "; mine\n[global]\nkeyring-provider = subprocess\ntimeout = 60\n",
        ),
        ("[install]\nuser = yes", "[install]\nuser = yes\n\n" + OURS),
        ("[global]", OURS),
        ("[global]\r\na = b\r\n", "[global]\r\nkeyring-provider = subprocess\r\na = b\r\n"),
        ("[global]\nkeyring_provider: import\n", "[global]\nkeyring-provider = subprocess\n"),
        ("[global]\nKeyring-Provider=\n   auto\nx = y\n", OURS + "x = y\n"),
    ],
)  # fmt: skip
def test_a_setting_is_put_where_it_belongs(before: str, after: str) -> None:
    assert INI.put(before, KEY, "subprocess") == after
    assert INI.get(after, KEY) == "subprocess"
    assert without(after, splices(before, after)) == before


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[global]\nkeyring-provider = import\n", "import"),
        ("[global]\nkeyring_provider : auto\n", "auto"),
        ("[install]\nkeyring-provider = import\n", None),
        ("[global]\n# keyring-provider = import\n", None),
        ("[global]\nextra-index-url =\n    https://a\n    keyring-provider = no\n", None),
        ("", None),
    ],
)
def test_it_is_read_as_pip_reads_it(text: str, value: str | None) -> None:
    assert INI.get(text, KEY) == value


def test_what_was_there_is_put_back_after_a_change_by_hand() -> None:
    text = INI.put("[install]\nuser = yes\n", KEY, "subprocess") + "timeout = 1\n"
    assert INI.put_back(text, KEY, None) == ("[install]\nuser = yes\n\n[global]\ntimeout = 1\n")
    text = INI.put("[global]\nkeyring-provider = import\na = b\n", KEY, "subprocess")
    assert INI.put_back(f"# c\n{text}", KEY, "import") == (
        "# c\n[global]\nkeyring-provider = import\na = b\n"
    )


def test_the_section_that_was_made_goes_with_the_setting() -> None:
    text = INI.put("", KEY, "subprocess")
    assert INI.put_back(f"# c\n{text}", KEY, None) == "# c\n"
    assert INI.put_back("# c\n", KEY, None) == "# c\n"


@pytest.mark.parametrize(
    "text",
    ["keyring-provider = x\n", "[global\n", "[global]\na = 1\n[global]\n", "[global]\nword\n"],
)
def test_what_pip_does_not_read_is_not_changed(text: str) -> None:
    with pytest.raises(ValueError, match=r"contains|section|parsing"):
        INI.put(text, KEY, "subprocess")
