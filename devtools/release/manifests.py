"""What package managers and install scripts are told of a release: files' places and SHA-256."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from devtools.release.contents import MUSL

if TYPE_CHECKING:
    from pathlib import Path

    from devtools.release.assets import Assets
    from devtools.release.contents import Contents

# A machine's names: winget's, Scoop's, Homebrew's, conda's, and .NET's for install.ps1.
_NAMES = {
    "x86_64": ("x64", "64bit", "intel", "x86_64", "X64"),
    "aarch64": ("arm64", "arm64", "arm", "aarch64", "Arm64"),
}
_WINGET, _SCOOP, _HOMEBREW, _CONDA, _DOTNET = range(5)
_WINGETS = {"version": "", "locale": ".locale.en-US", "installer": ".installer"}  # and their files
_CONDAS = {"linux": "linux", "macos": "osx", "windows": "win"}


def write(contents: Contents) -> list[Path]:
    """Write all of which the release has files; the paths."""
    texts: dict[str, str] = {}
    unix = contents.of("linux") + contents.of("macos")
    windows = contents.of("windows")
    if contents.assets:
        texts["recipe.yaml"] = _conda(contents)
    if unix:
        texts["install.sh"] = contents.filled("install.sh", FILES=_cases(contents))
        texts["credlatch.rb"] = _homebrew(contents)
    if windows:
        rows = "\n".join(
            f"'{_NAMES[each.machine][_DOTNET]}' = @{{ File = '{each.single}'; "
            f"Sha256 = '{contents.sha256(each.single)}' }}"
            for each in windows
        )
        texts["install.ps1"] = contents.filled("install.ps1", FILES=rows)
        texts["credlatch.json"] = _scoop(contents)
        rows = "\n".join(
            f"- Architecture: {_NAMES[each.machine][_WINGET]}\n"
            f"  InstallerUrl: {contents.url}/{each.archive}\n"
            f"  InstallerSha256: {contents.sha256(each.archive).upper()}"
            for each in windows
        )
        for kind, ending in _WINGETS.items():
            name = f"Credlatch.Credlatch{ending}.yaml"
            texts[name] = contents.filled(f"winget/{kind}.yaml", FILES=rows)
    written = {contents.folder / name: text for name, text in texts.items()}
    for path, text in written.items():
        path.write_text(text, newline="\n")
    return list(written)


def _cases(contents: Contents) -> str:
    """The table of install.sh."""
    rows = []
    for target, assets in contents.assets.items():
        if assets.system != "windows":
            size = (contents.folder / assets.single).stat().st_size
            words = [assets.single, contents.sha256(assets.single), str(size)]
            if assets.system == "linux":
                words.append(MUSL if target.endswith("-musl") else contents.glibc(assets))
            rows.append(f"{target}) echo {' '.join(words)} ;;")
    return "\n".join(rows)


def _homebrew(contents: Contents) -> str:
    """Source: https://docs.brew.sh/Formula-Cookbook."""
    blocks = []
    for system in ("macos", "linux"):
        lines = [line for each in contents.of(system) for line in _bottle(contents, each)]
        if lines:
            blocks.append("\n".join([f"on_{system} do", *lines, "end"]))
    return contents.filled("credlatch.rb", FILES="\n\n".join(blocks))


def _bottle(contents: Contents, assets: Assets) -> list[str]:
    return [
        f"  on_{_NAMES[assets.machine][_HOMEBREW]} do",
        f'    url "{contents.url}/{assets.archive}"',
        f'    sha256 "{contents.sha256(assets.archive)}"',
        "  end",
    ]


def _scoop(contents: Contents) -> str:
    """Source: https://github.com/ScoopInstaller/Scoop/wiki/App-Manifests."""
    files, later = {}, {}
    for each in contents.of("windows"):
        name = _NAMES[each.machine][_SCOOP]
        files[name] = {
            "url": f"{contents.url}/{each.archive}",
            "hash": contents.sha256(each.archive),
        }
        url = f"{contents.url}/{each.archive}".replace(contents.version, "$version")
        later[name] = {"url": url}
    told = {
        "##": "On PATH, and no shims: each is a process more for every question of a build.",
        "version": contents.version,
        "description": contents.said["SUMMARY"],
        "homepage": contents.homepage,
        "license": contents.said["LICENSE"],
        "architecture": files,
        "extract_dir": f"credlatch-{contents.version}",
        "env_add_path": ".",
        "checkver": {"github": contents.homepage},
        "autoupdate": {
            "architecture": later,
            "extract_dir": "credlatch-$version",
            "hash": {"url": "$baseurl/SHA256SUMS"},
        },
    }
    return json.dumps(told, indent=4) + "\n"


def _conda(contents: Contents) -> str:
    """Source: https://rattler.build/latest/reference/recipe_file/."""
    rows = []
    for assets in (each for system in _CONDAS for each in contents.of(system)):
        system, machine = _CONDAS[assets.system], _NAMES[assets.machine][_CONDA]
        machine = "arm64" if machine == "aarch64" and system != "linux" else machine
        files = {assets.archive: ""}
        if system == "win":  # which needs the licence alone of the folder form
            files = {assets.archive: "target_directory: folder"}
            files[assets.single] = "file_name: credlatch.exe"
        rows += [f"- if: {system} and {machine}", "  then:"]
        for name, where in files.items():
            more = [f"sha256: {contents.sha256(name)}", where]
            rows += [f"    - url: {contents.url}/{name}"]
            rows += [f"      {line}" for line in more if line]
    floors = [contents.glibc(assets) for assets in contents.of("linux")]
    least = max(floors, key=lambda each: int(each.partition(".")[2]), default="2.17")
    return contents.filled("recipe.yaml", FILES="\n".join(rows), GLIBC=least)
