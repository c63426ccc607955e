#!/bin/sh
# Installs credlatch @VERSION@ below ~/.local:
#
#   sh install.sh [--prefix FOLDER] [--mirror URL] [--force]
#
# --prefix is the folder with bin and lib in it, --mirror another place that has the release's files, and --force replaces
# programs in bin that are not credlatch's.
#
# What it gets is run only if its size and SHA-256 are those below: whoever trusts this script need trust neither the
# network, nor a mirror or proxy. All is in functions, called in the last line: half a script does nothing.
set -eu

released_at=@URL@
musl=/lib/ld-musl

# The file for a platform, its SHA-256, its size in bytes, and the least glibc, or musl, it needs.
released() {
    case $1 in
    @FILES@
    esac
}

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

platform() {
    system=$(uname -s) machine=$(uname -m)
    case $machine in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    esac
    case $system in
    Linux)
        # Where both are, the system's own is the one that says so: gcompat is no glibc, and a Debian may have musl.
        libc=
        [ ! -e "$musl-$machine.so.1" ] || glibc >/dev/null || libc=-musl
        echo "linux-$machine$libc"
        ;;
    Darwin)
        # Under Rosetta an arm64 says that it is the other one.
        [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ] && machine=aarch64
        echo "macos-$machine"
        ;;
    *) echo "$system-$machine" ;;
    esac
}

glibc() {
    getconf GNU_LIBC_VERSION 2>/dev/null
}

musl_version() {
    { "$1" 2>&1 || true; } | while read -r word version; do
        if [ "$word" = Version ]; then echo "$version"; fi
    done
}

# 1.2.5 as 1002005: versions are numbers, and no texts.
number() {
    (
        IFS=.
        # shellcheck disable=SC2086 # these are words
        set -- $1
        echo $((${1:-0} * 1000000 + ${2:-0} * 1000 + ${3:-0}))
    )
}

see_that_libc_is_new_enough() {
    case $1 in
    *-musl)
        libc=musl version=${1#linux-}
        version=$(musl_version "$musl-${version%-musl}.so.1")
        ;;
    *) libc=glibc version=$(glibc) || return 0 ;;
    esac
    version=${version#glibc }
    case $version$2 in *[!0-9.]* | '') return 0 ;; esac
    [ -z "$version" ] || [ "$(number "$version")" -ge "$(number "$2")" ] ||
        fail "credlatch needs $libc $2 or newer, and this is $version"
}

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum <"$1"
    elif command -v shasum >/dev/null; then
        shasum -a 256 <"$1"
    else
        openssl dgst -sha256 -r <"$1"
    fi
}

# At most one byte more than there should be: who sends for ever fills no disk.
download() {
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --connect-timeout 60 --max-time 3600 \
            --speed-limit 1000 --speed-time 120 -- "$1"
    else
        wget -q -T 120 -O - -- "$1"
    fi | head -c "$(($2 + 1))" || true # what came is judged, whoever failed
}

main() {
    umask 022
    mirror=$released_at prefix=${HOME:+$HOME/.local} force=
    while [ $# -gt 0 ]; do
        case $1 in
        --prefix | --mirror)
            [ $# -gt 1 ] && [ -n "$2" ] || fail "$1 needs a value"
            if [ "$1" = --prefix ]; then prefix=$2; else mirror=${2%/}; fi
            shift
            ;;
        --force) force=--force ;;
        *) fail "what is '$1'; known are --prefix FOLDER, --mirror URL and --force" ;;
        esac
        shift
    done
    [ -n "$prefix" ] || fail "HOME is not set: name a folder with --prefix"
    case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
    command -v curl >/dev/null || command -v wget >/dev/null || fail "needs curl or wget"
    command -v sha256sum >/dev/null || command -v shasum >/dev/null ||
        command -v openssl >/dev/null || fail "needs sha256sum, shasum or openssl"

    here=$(platform)
    known=$(released "$here")
    [ -n "$known" ] || fail "credlatch @VERSION@ is not released for $here"
    # shellcheck disable=SC2086 # these are words
    set -- $known
    file=$1 sha256=$2 size=$3
    see_that_libc_is_new_enough "$here" "${4-}"

    # Not in a temporary folder: others may be able to put something else there, or none may run there.
    # Whoever can do so here can replace what is installed, too.
    mkdir -p -- "$prefix" || fail "$prefix cannot be made: choose another --prefix"
    work=$(mktemp -d "$prefix/.credlatch-XXXXXX") ||
        fail "$prefix cannot be written to: choose another --prefix"
    trap 'rm -rf -- "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    echo "downloading $mirror/$file"
    download "$mirror/$file" "$size" >"$work/credlatch"
    came=$(($(wc -c <"$work/credlatch")))
    [ "$came" = "$size" ] || fail "$mirror/$file: $came bytes came, and it has $size: nothing was run"
    found=$(sha256 "$work/credlatch")
    [ "${found%% *}" = "$sha256" ] ||
        fail "$mirror/$file has the SHA-256 ${found%% *}, and should have $sha256: nothing was run"
    chmod 755 "$work/credlatch"
    # It unpacks itself first: there, and not where it would stay.
    XDG_CACHE_HOME=$work "$work/credlatch" install --prefix "$prefix" $force
}

main "$@"
