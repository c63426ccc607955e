"""Archives, the same wherever they are made."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


def tar(files: Mapping[str, bytes], mode: Literal["w", "w:gz", "w:bz2"] = "w") -> bytes:
    """A tar archive, packed or not."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode, format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()
