"""A conda package of the released recipe: built by rattler-build, and installed by rattler.

usage: python3 -m devtools.release.conda RELEASE FOLDER URL
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

from rattler import Gateway, Platform, VirtualPackage, install, solve
from rattler_build import Stage0Recipe, ToolConfiguration


def build(release: Path, recipe: Path, url: str, channel: Path) -> None:
    """Build the package, of the release's own files, and run the recipe's tests.

    Args:
        release: the folder with them.
        recipe: where a recipe goes that finds them on this machine.
        url: where they will be.
        channel: a folder for the package.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ("-m", "http.server", "--bind", "127.0.0.1", "--directory", release, str(port))
    # A process of its own: while rattler-build works no other thread of this one does.
    with subprocess.Popen([sys.executable, *words], stderr=subprocess.DEVNULL) as server:
        try:
            text = (release / "recipe.yaml").read_text()
            recipe.write_text(text.replace(url, f"http://127.0.0.1:{port}"))
            tool = ToolConfiguration(test_strategy="native")
            read = Stage0Recipe.from_file(recipe)
            for built in read.run_build(tool_config=tool, output_dir=channel, channels=[]):
                print(built.packages)
        finally:
            server.kill()


async def put(channel: Path, prefix: Path, cache: Path) -> None:
    """Install it in a prefix."""
    here = [Platform.current(), Platform("noarch")]
    records = await solve(
        [channel.as_uri()],
        ["credlatch"],
        gateway=Gateway(cache_dir=cache / "repodata"),
        platforms=here,
        virtual_packages=VirtualPackage.detect(),
    )
    await install(records, prefix, cache_dir=cache / "packages", show_progress=False)


def main(release: str, folder: str, url: str) -> None:
    """Do both, below a folder: the environment is its env/."""
    place = Path(folder)
    place.mkdir()
    os.environ["RATTLER_CACHE_DIR"] = str(place / "cache")
    build(Path(release), place / "recipe.yaml", url, place / "channel")
    asyncio.run(put(place / "channel", place / "env", place / "cache"))
    print("installed", flush=True)
    os._exit(0)  # rattler's threads keep the interpreter from ending


if __name__ == "__main__":
    main(*sys.argv[1:])
