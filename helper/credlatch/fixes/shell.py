"""What a person pastes into the shell that they have: sh and its kind, on Windows PowerShell."""

from __future__ import annotations

import os
import shlex
import sys

_IS_POWERSHELL = sys.platform == "win32"


def quote(text: str) -> str:
    """A word, whatever is in it."""
    if _IS_POWERSHELL:
        plain = text and all(each.isalnum() or each in "-_./\\:" for each in text)
        return text if plain else "'{}'".format(text.replace("'", "''"))
    return shlex.quote(text)


def command(*words: str) -> str:
    """A command line."""
    line = " ".join(map(quote, words))
    # What PowerShell finds in quotes is a text, and no program.
    return f"& {line}" if _IS_POWERSHELL and line.startswith("'") else line


def setup(tool: str, *words: str) -> str:
    """A call of our own that wires a tool."""
    return command("credlatch", "setup", tool, *words)


def both(*commands: str) -> str:
    """One command after the other, as long as they succeed."""
    # PowerShell 5 has no &&.
    return ("; " if _IS_POWERSHELL else " && ").join(filter(None, commands))


def unset(*names: str) -> str:
    """Variables unset."""
    if _IS_POWERSHELL:
        return "Remove-Item {}".format(", ".join(quote(f"Env:{name}") for name in names))
    return f"unset {' '.join(names)}"


def export(name: str, value: str) -> str:
    """A variable set."""
    return f"$env:{name} = {value}" if _IS_POWERSHELL else f"export {name}={value}"


def is_variable(name: str) -> bool:
    """Whether a shell can name a variable so."""
    return name.isascii() and name.isidentifier()


def renamed(old: str, new: str) -> str:
    """A variable by another name, without that its value is shown."""
    if _IS_POWERSHELL:
        return both(export(new, f"(Get-Item {quote(f'Env:{old}')}).Value"), unset(old))
    # Of a name that no shell can say, nothing but a new process is without it.
    if not is_variable(old):
        return both(export(new, f'"$(printenv {quote(old)})"'), without(old))
    return both(export(new, f'"${old}"'), unset(old))


def without(name: str) -> str:
    """A variable unset, whatever it is called."""
    return unset(name) if is_variable(name) else f'exec env -u {quote(name)} "$SHELL"'


def asked_for(name: str, *, is_secret: bool) -> str:
    """A variable typed in."""
    if _IS_POWERSHELL:
        typed = f"Read-Host {'-AsSecureString ' if is_secret else ''}{name}"
        return export(name, f"[Net.NetworkCredential]::new('', ({typed})).Password")
    return f"read {'-rs' if is_secret else '-r'} {name} && export {name}"


def found_first(folder: str) -> str:
    """A folder put at the beginning of PATH."""
    if _IS_POWERSHELL:
        return f"$env:PATH = {quote(folder + os.pathsep)} + $env:PATH"
    return f'export PATH={quote(folder)}:"$PATH"'


def edited(path: str, line: int = 0) -> str:
    """A file opened in the user's editor, at a line."""
    if _IS_POWERSHELL:
        return f"notepad {quote(path)}"
    # It may be several words: without quotes the shell takes them apart.
    return f"${{EDITOR:-vi}} {f'+{line} ' if line else ''}{quote(path)}"


def replaced(path: str, line: int, old: str, new: str) -> str:
    """A text put in another's place, once, on one line of a file, which keeps its mode."""
    path = os.path.realpath(path)
    if _IS_POWERSHELL or "\n" in old + new:
        return edited(path, line)
    special = "\\/&.[]*^$"
    old, new = ("".join(f"\\{c}" if c in special else c for c in each) for each in (old, new))
    # GNU's and BSD's have no other form of -i in common.
    script = quote(f"{line}s/{old}/{new}/")
    return f"sed -i.old {script} {quote(path)} && rm {quote(f'{path}.old')}"


def removed(path: str) -> str:
    """A file removed."""
    return f"Remove-Item {quote(path)}" if _IS_POWERSHELL else f"rm {quote(path)}"


def put_aside(path: str) -> str:
    """A file kept under another name."""
    move = "Move-Item" if _IS_POWERSHELL else "mv"
    return f"{move} {quote(path)} {quote(f'{path}.aside')}"


def with_mode(mode: int, path: str) -> str:
    """A file's or folder's mode."""
    return f"chmod {mode:o} {quote(path)}"


def made_mine(path: str, *, whole: bool = False) -> str:
    """A file, or a folder and all that is in it, given to the user."""
    return f'sudo chown {"-R " if whole else ""}"$(id -un)" {quote(path)}'
