"""A release's program for the machine that Bazel runs on, by hash.

One hash is enough for all platforms, that of the release's SHA256SUMS: it says what the others are.
"""

_RELEASE = "https://github.com/credlatch/credlatch/releases/download/v{version}"

# How Java's os.name begins, and os.arch, and what releases call them.
_SYSTEMS = {
    "linux": "linux",
    "mac os x": "macos",
    "windows": "windows",
}
_MACHINES = {
    "aarch64": "aarch64",
    "amd64": "x86_64",
    "arm64": "aarch64",
    "x86_64": "x86_64",
}

# Where a C library is, there is its loader.
_GLIBC = {
    "aarch64": "/lib/ld-linux-aarch64.so.1",
    "x86_64": "/lib64/ld-linux-x86-64.so.2",
}

_BUILD = """\
load("@credlatch//:defs.bzl", "credlatch_command")

exports_files(["{program}"])

credlatch_command(
    name = "credlatch",
    program = "{program}",
    visibility = ["//visibility:public"],
)

credlatch_command(
    name = "install",
    args = ["install"],
    program = "{program}",
    visibility = ["//visibility:public"],
)
"""

def _target(repository_ctx):
    name = repository_ctx.os.name.lower()
    machine = _MACHINES.get(repository_ctx.os.arch.lower(), repository_ctx.os.arch)
    for begins, system in _SYSTEMS.items():
        if name.startswith(begins):
            target = "{}-{}".format(system, machine)
            if system == "linux" and machine in _GLIBC:
                musl = repository_ctx.path("/lib/ld-musl-{}.so.1".format(machine)).exists
                if musl and not repository_ctx.path(_GLIBC[machine]).exists:
                    target += "-musl"
            return target
    return "{}-{}".format(name, machine)

def _program_impl(repository_ctx):
    attr = repository_ctx.attr
    if not attr.version:
        fail("no release of credlatch is named: MODULE.bazel needs credlatch.release(version = ..., sha256 = ...)")
    url = (attr.url or _RELEASE).format(version = attr.version).rstrip("/")
    repository_ctx.download(
        url = url + "/SHA256SUMS",
        output = "SHA256SUMS",
        sha256 = attr.sha256,
    )
    hashes = {}
    for line in repository_ctx.read("SHA256SUMS").splitlines():
        sha256, _, name = line.partition("  ")
        hashes[name] = sha256
    target = _target(repository_ctx)
    end = ".exe" if target.startswith("windows-") else ""
    name = "credlatch-{}-{}{}".format(attr.version, target, end)
    if name not in hashes:
        fail("credlatch {} is not released for {}: {}/SHA256SUMS has no {}".format(attr.version, target, url, name))
    program = "program/credlatch" + end
    repository_ctx.download(
        url = url + "/" + name,
        output = program,
        sha256 = hashes[name],
        executable = True,
    )
    repository_ctx.file("BUILD.bazel", _BUILD.format(program = program), executable = False)

credlatch_program = repository_rule(
    doc = "The program of a release.",
    implementation = _program_impl,
    attrs = {
        "sha256": attr.string(doc = "Of the release's SHA256SUMS."),
        "url": attr.string(doc = "Where the release's files are, if not at the project's releases; {version} is the version."),
        "version": attr.string(doc = "Of the release."),
    },
)

def _credlatch_impl(module_ctx):
    # Which program has the user's logins, the workspace says, and no module that it depends on.
    releases = [tag for module in module_ctx.modules if module.is_root for tag in module.tags.release]
    if len(releases) > 1:
        fail("credlatch.release may be there once: it is there {} times".format(len(releases)))
    for release in releases:
        if len(release.sha256) != 64:
            fail("credlatch.release: sha256 has the 64 hexadecimal digits of the SHA-256 of SHA256SUMS")
        credlatch_program(
            name = "credlatch_program",
            sha256 = release.sha256,
            url = release.url,
            version = release.version,
        )
    if not releases:
        credlatch_program(name = "credlatch_program")
    return module_ctx.extension_metadata(reproducible = True)

credlatch = module_extension(
    doc = "Brings credlatch's program into the workspace.",
    implementation = _credlatch_impl,
    tag_classes = {
        "release": tag_class(
            doc = "Which release; of the workspace's own MODULE.bazel alone.",
            attrs = {
                "sha256": attr.string(doc = "Of the release's SHA256SUMS.", mandatory = True),
                "url": attr.string(doc = "Where its files are, if not at the project's releases; {version} is the version."),
                "version": attr.string(doc = "Of the release.", mandatory = True),
            },
        ),
    },
)
