"""Debian's and rpm's packages, and the container image, of the packed folder and single file."""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devtools.release import archives
from devtools.release.archives import Entry, Link
from devtools.release.assets import MANUAL, NOTICES
from devtools.steps import ROOT, must

if TYPE_CHECKING:
    from devtools.release.assets import Assets
    from devtools.release.contents import Contents

DEBIANS = {"x86_64": "amd64", "aarch64": "arm64"}  # Go's names, and so the image's, are the same
_PROGRAMS = ("credlatch", "docker-credential-credlatch")
_MANUALS = "usr/share/man/man1"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "credlatch"  # the image's name, wherever no registry has given it another


def sorting_before(version: str) -> str:
    """A version in which Debian and rpm see that 1.0rc1 is before 1.0 (deb-version(7))."""
    return re.sub(r"\.?(a|b|rc|dev)(?=\d)", r"~\1", version)


def deb(contents: Contents, assets: Assets) -> Path:
    """Make the Debian package of a Linux.

    Sources: deb(5), deb-control(5), Debian Policy.
    """
    packed = contents.entries(assets)
    share = "usr/share/doc/credlatch"
    licence, log = packed.pop("LICENSE"), (ROOT / "CHANGELOG.md").read_bytes()
    del packed[NOTICES]
    manual = packed.pop(MANUAL)
    files = {f"usr/lib/credlatch/{name}": entry for name, entry in packed.items()}
    files |= {f"usr/bin/{name}": Entry(Link(f"../lib/credlatch/{name}")) for name in _PROGRAMS}
    files |= {f"{share}/copyright": licence, f"{share}/changelog.gz": Entry(archives.gzipped(log))}
    files[f"{share}/{NOTICES}"] = Entry(Link(f"../../../lib/credlatch/_internal/{NOTICES}"))
    if isinstance(manual.content, bytes):
        files[f"{_MANUALS}/{MANUAL}.gz"] = Entry(archives.gzipped(manual.content))
        files[f"{_MANUALS}/docker-credential-{MANUAL}.gz"] = Entry(Link(f"{MANUAL}.gz"))
    plain = [
        (name, each.content) for name, each in files.items() if isinstance(each.content, bytes)
    ]
    machine, version = DEBIANS[assets.machine], sorting_before(contents.version)
    told = contents.filled(
        "control",
        DEB_VERSION=version,
        DEB_MACHINE=machine,
        GLIBC=contents.glibc(assets),
        KIBIBYTES=sum(-(-len(content) // 1024) for _, content in plain),
    )
    sums = "".join(f"{_md5(content)}  {name}\n" for name, content in sorted(plain))
    control = {"control": Entry(told.encode()), "md5sums": Entry(sums.encode())}
    package = contents.folder / f"credlatch_{version}_{machine}.deb"
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": lzma.compress(archives.tarred(".", control)),
        "data.tar.xz": lzma.compress(archives.tarred(".", files)),
    }
    package.write_bytes(archives.ar(members))
    return package


def _md5(content: bytes) -> str:
    # Which dpkg --verify wants, and nobody trusts.
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def rpm(contents: Contents, assets: Assets) -> Path:
    """Make the rpm package of a Linux, with rpmbuild.

    Raises:
        SystemExit: there is no rpmbuild, or it fails.
    """
    if not shutil.which("rpmbuild"):
        sys.exit("dev: there is no rpmbuild: install rpm (Debian) or rpm-build (Fedora)")
    with tempfile.TemporaryDirectory() as work:
        spec = Path(work, "credlatch.spec")
        archive = contents.folder / assets.archive
        shutil.copyfile(archive, Path(work, archive.name))
        version = sorting_before(contents.version)
        told = {"RPM_VERSION": version, "ARCHIVE": archive.name, "GLIBC": contents.glibc(assets)}
        spec.write_text(contents.filled("credlatch.spec", **told))
        places = [("_topdir", work), ("_sourcedir", work), ("_rpmdir", work)]
        macros = [word for name, value in places for word in ("--define", f"{name} {value}")]
        words: list[str | Path] = [
            "-bb",
            "--quiet",
            "--nodeps",
            "--target",
            f"{assets.machine}-linux",
            *macros,
            spec,
        ]
        env = {"SOURCE_DATE_EPOCH": str(archives.epoch()), "LC_ALL": "C.UTF-8", "HOME": work}
        must(f"building the rpm for {assets.machine}", "rpmbuild", *words, env=env)
        (built,) = Path(work).rglob("*.rpm")
        return Path(shutil.copy(built, contents.folder))


def image(contents: Contents) -> Path:
    """Make the image for all Linux platforms, which has the single file and its licences alone.

    An OCI layout, which Docker also loads where it knows that format of its own alone. Source:
    https://github.com/opencontainers/image-spec
    """
    blobs: dict[str, bytes] = {}

    def blob(kind: str, content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    made = datetime.fromtimestamp(archives.epoch(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {
        "org.opencontainers.image.title": "credlatch",
        "org.opencontainers.image.version": contents.version,
        "org.opencontainers.image.source": contents.homepage,
        "org.opencontainers.image.licenses": contents.said["LICENSE"],
    }
    manifests, dockers = [], []
    for assets in contents.of("linux"):
        packed = contents.entries(assets)
        files = {
            "credlatch": Entry((contents.folder / assets.single).read_bytes(), runs=True),
            "docker-credential-credlatch": Entry(Link("credlatch")),
            "LICENSE": packed["LICENSE"],
            NOTICES: packed[f"_internal/{NOTICES}"],
        }
        tar = archives.tarred("", files)
        layer = blob(_LAYER, archives.gzipped(tar))
        platform = {"architecture": DEBIANS[assets.machine], "os": "linux"}
        diffs = [f"sha256:{hashlib.sha256(tar).hexdigest()}"]
        config = {
            "created": made,
            **platform,
            "config": {"Entrypoint": ["/credlatch"], "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": diffs},
            "history": [{"created": made, "created_by": "./dev release"}],
        }
        configured = blob(_CONFIG, _json(config))
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": configured,
            "layers": [layer],
            "annotations": labels,
        }
        manifests.append(blob(_MANIFEST, _json(manifest)) | {"platform": platform})
        tag = f"{IMAGE}:{contents.version}-{platform['architecture']}"
        layers = [_path(layer)]
        dockers.append({"Config": _path(configured), "RepoTags": [tag], "Layers": layers})
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests, "annotations": labels}
    name = {"org.opencontainers.image.ref.name": contents.version}
    top = {
        "schemaVersion": 2,
        "mediaType": _INDEX,
        "manifests": [blob(_INDEX, _json(index)) | {"annotations": name}],
    }
    layout = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json(top),
        "manifest.json": _json(dockers),  # which Docker alone reads (docker/image-spec v1.2)
        **blobs,
    }
    archive = contents.folder / f"credlatch-{contents.version}.oci.tar"
    archive.write_bytes(archives.tarred("", {path: Entry(each) for path, each in layout.items()}))
    return archive


def _path(descriptor: dict[str, Any]) -> str:
    return f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"


def _json(said: object) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def feature(contents: Contents) -> Path:
    """Make the dev container feature, under the name by which such a file is known.

    Source: https://containers.dev/implementors/features/#referencing-a-feature
    """
    path = contents.folder / "devcontainer-feature-credlatch.tgz"
    entries = archives.folder(ROOT / "docker" / "devcontainer" / "feature" / "credlatch")
    path.write_bytes(archives.gzipped(archives.tarred("", entries)))
    return path
