"""What is done with a release's files in clean systems, as scripts for sh.

Their variables are those of `tries.Trial.variables`; folders that are given to them are in /.
"""

# What all begin with.
BEGIN = """
answers() {
    printf 'machine built.example login who password p\\n' >/root/.netrc
    chmod 600 /root/.netrc
    echo '{"uri":"https://built.example/simple/"}' | "$1" get | grep -q 'Basic d2hvOnA='
    "$1" --version | grep -q "^credlatch $VERSION"
}
tried() { python3 /checkout/devtools/release/inside.py "$@"; }
refused() { if "$@"; then exit 1; fi; }
gone() {
    refused command -v credlatch
    refused test -e /usr/lib/credlatch
    refused test -e "$MANUALS/credlatch.1.gz"
}
paged() { # by man, each by its name or place
    for page; do man "$page" | grep -q '^ *credlatch explain '; done
}
MANUALS=/usr/share/man/man1
BOTH='credlatch docker-credential-credlatch'
"""
# By name: in which of the systems, and what.
SCRIPTS: dict[str, tuple[str, str]] = {
    "apt": (
        "plain",
        """
        apt-get install -qq --yes --no-install-recommends "/release/$DEB"
        answers credlatch
        docker-credential-credlatch version
        for name in $BOTH; do test -s "$MANUALS/$name.1.gz"; done
        test -z "$(dpkg --verify credlatch)"
        apt-get purge -qq --yes credlatch
        gone
        """,
    ),
    "dpkg": (
        "tools",
        """
        dpkg --install "/release/$DEB"
        dpkg --install "/release/$DEB" # over one that is there
        tried /usr/bin/credlatch frozen
        paged $BOTH
        test -z "$(dpkg --verify credlatch)"
        dpkg --remove credlatch
        gone
        """,
    ),
    # Debian's rpm knows of no glibc: a package stands for it which provides what Fedora's does.
    "rpm": (
        "tools",
        """
        rpm --install "/release/$RPM" 2>&1 | grep -q "libc.so.6(GLIBC_$GLIBC)(64bit) is needed by"
        {glibc}
        rpm --install /root/repo/*/glibc-*.rpm "/release/$RPM"
        rpm --verify credlatch
        tried /usr/bin/credlatch frozen
        paged $BOTH
        rpm --verify credlatch
        rpm --erase credlatch
        gone
        """,
    ),
    "dnf": (
        "tools",
        """
        {glibc}
        cp "/release/$RPM" /root/repo
        createrepo_c --quiet /root/repo
        dnf() {
            command dnf --quiet --assumeyes --releasever=1 --setopt=reposdir=/none \\
                --repofrompath=here,/root/repo --nogpgcheck "$@"
        }
        dnf install credlatch
        answers credlatch
        docker-credential-credlatch version
        paged $BOTH
        dnf remove credlatch
        gone
        """,
    ),
    "archives": (
        "tools",
        """
        python3 /checkout/tests/smoke.py "/release/$ARCHIVE" "/release/$SINGLE"
        mkdir /opt/somewhere
        tar -xzf "/release/$ARCHIVE" -C /opt/somewhere
        /opt/somewhere/*/docker-credential-credlatch version
        paged /opt/somewhere/*/credlatch.1
        """,
    ),
    "pip": (
        "tools",
        """
        python3 -m venv /v
        /v/bin/pip install --quiet --no-index --find-links /wheels "/release/$WHEEL"
        answers /v/bin/credlatch
        tried /v/bin/credlatch package
        paged /v/share/man/man1/credlatch.1
        /v/bin/pip uninstall --quiet --yes credlatch
        refused test -e /v/bin/credlatch
        refused test -e /v/share/man/man1/credlatch.1
        """,
    ),
    "sdist": (
        "tools",
        """
        python3 -m venv /v
        export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels # also for what builds it
        /v/bin/pip install --quiet "/release/$SDIST"
        answers /v/bin/credlatch
        paged /v/share/man/man1/credlatch.1
        """,
    ),
    "pipx": (
        "tools",
        """
        export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
        pipx install "/release/$WHEEL"
        tried /root/.local/bin/credlatch package
        /root/.local/bin/docker-credential-credlatch version
        PATH=$PATH:/root/.local/bin paged credlatch # found by man, beside what is on PATH
        pipx uninstall credlatch
        refused test -e /root/.local/bin/credlatch
        """,
    ),
    "uv": (
        "tools",
        """
        export UV_OFFLINE=1 UV_NO_CONFIG=1 UV_PYTHON_DOWNLOADS=never
        /uv/uv tool install --no-index --find-links /wheels "/release/$WHEEL"
        tried /root/.local/bin/credlatch package
        /root/.local/bin/docker-credential-credlatch version
        /uv/uv tool uninstall credlatch
        refused test -e /root/.local/bin/credlatch
        """,
    ),
    "install.sh": (
        "tools",
        """
        mkdir /damaged
        cp "/release/$SINGLE" /damaged
        printf x | dd of="/damaged/$SINGLE" bs=1 seek=1000000 conv=notrunc
        ln -s /release /damaged/whole
        python3 -m http.server --bind 127.0.0.1 --directory /damaged 8000 2>/dev/null &
        until curl --silent --output /dev/null http://127.0.0.1:8000/; do sleep 0.1; done
        install() { sh /release/install.sh --mirror "http://127.0.0.1:8000/$1"; }
        refused install ''
        refused test -e /root/.local/bin
        install whole
        answers /root/.local/bin/credlatch
        install whole # over one that is there
        rm /usr/bin/curl
        install whole # with wget
        tried /root/.local/bin/credlatch frozen
        /root/.local/bin/credlatch uninstall
        find /root -name '*credlatch*' >/root/left
        cat /root/left
        refused test -s /root/left
        """,
    ),
}
# What {glibc} in them stands for.
GLIBC = """
        mkdir -p /root/repo
        cat >/root/glibc.spec <<END
Name: glibc
Version: $GLIBC
Release: 1
Summary: What Fedora's glibc provides
License: LGPL
Provides: libc.so.6(GLIBC_$GLIBC)(64bit)
%description
None.
%files
END
        rpmbuild -bb --quiet --define '_rpmdir /root/repo' /root/glibc.spec
"""
