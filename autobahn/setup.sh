#!/usr/bin/env bash
# Puts a working copy of the Autobahn WebSocket test suite into a folder of its own.
#
#   autobahn/setup.sh DEST        ->  DEST/bin/wstest, DEST/cases.txt
#
# The suite is Python 2.7 code.  This script finds a Python 2.7 (or unpacks Debian's into DEST, touching nothing
# outside it), installs the pinned, hash-locked packages of requirements-py27.txt into DEST/site, and checks that
# the suite imports, has its 517 cases and uses the compiled helpers.  No root, no docker.  The suite is
# unedited; bin/wstest only makes its fuzzing server listen on 127.0.0.1 instead of on every interface.
# A second call on a complete DEST of the same pins returns at once.
#
# AUTOBAHN_PYTHON27=auto (default: one found on the machine, else Debian's) | debian | /path/to/python2.7
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
reqs=$here/requirements-py27.txt
[ $# -eq 1 ] || { echo "usage: $0 DEST" >&2; exit 2; }
mkdir -p "$1"
dest=$(cd "$1" && pwd)
want=${AUTOBAHN_PYTHON27:-auto}
cases=517
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP || true

say() { echo "autobahn: $*"; }
die() { echo "autobahn: $*" >&2; exit 1; }

# Two setups into one DEST (parallel test jobs) wait for each other.
exec 9>"$dest/.lock"
command -v flock >/dev/null && flock 9

stamp=$(cat "${BASH_SOURCE[0]}" "$reqs" <(echo "$want") | sha256sum | cut -d' ' -f1)

self_check() {   # the suite imports, every case is there, masking and UTF-8 checks are the compiled ones
    "$dest/bin/python27" -c '
import sys
from autobahntestsuite import case, wstest
from autobahn.websocket import utf8validator, xormasker
assert xormasker.XorMaskerNull.__module__.startswith("wsaccel"), "wsaccel missing: 9.* would crawl"
assert utf8validator.Utf8Validator.__module__.startswith("wsaccel"), "wsaccel missing: 9.* would crawl"
ids = [".".join(c.__name__[4:].split("_")) for c in case.Cases]
assert len(ids) == len(set(ids)) == int(sys.argv[1]), "%d cases" % len(ids)
open(sys.argv[2], "w").write("\n".join(ids) + "\n")
' "$cases" "$dest/cases.txt" && "$dest/bin/wstest" --autobahnversion
}

if [ "$(cat "$dest/.stamp" 2>/dev/null)" = "$stamp" ] && self_check >/dev/null 2>&1; then
    say "already complete: $dest/bin/wstest"
    exit 0
fi
rm -rf "$dest/.stamp" "${dest:?}/bin" "${dest:?}/boot" "$dest/site" "$dest/cases.txt"
mkdir -p "$dest/bin" "$dest/boot" "$dest/site"

python3 -m pip --version >/dev/null 2>&1 || die "python3 with pip is needed to fetch packages"
command -v cc >/dev/null || command -v gcc >/dev/null || die "a C compiler is needed (wsaccel is built from source)"

# ---- 1. a Python 2.7 -------------------------------------------------------------------------------------------
usable() {       # 2.7, wide unicode (the wheels' ABI, cp27mu), zlib, and headers to build wsaccel with
    [ -x "$1" ] && "$1" -c '
import sys, os, zlib, ssl, json, ctypes
from distutils import sysconfig
assert sys.version_info[:2] == (2, 7) and sys.maxunicode == 0x10ffff
where = [sysconfig.get_python_inc()] + os.environ.get("CPATH", "").split(":")
assert any(os.path.exists(os.path.join(d, "Python.h")) for d in where)' >/dev/null 2>&1
}

find_python() {
    local p
    for p in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7.*/bin/python2.7 /usr/local/bin/python2.7 /usr/bin/python2.7; do
        if usable "$p"; then echo "$p"; return 0; fi
    done
    return 1
}

debian_python() {   # unpack (not install) the last Debian release's packages that had Python 2.7
    local root=$dest/py27 state=$dest/.apt suite=bullseye uri opts
    local v=2.7.18-8+deb11u1
    local -a debs=("python2.7-minimal=$v" "libpython2.7-minimal=$v" "libpython2.7-stdlib=$v" "libpython2.7-dev=$v"
                   "libssl1.1=1.1.1w-0+deb11u1" "libffi7=3.3-6")
    command -v dpkg-deb >/dev/null || die "no usable Python 2.7 here, and no Debian tools to unpack one with"
    # the mirror this machine already uses for Debian itself
    # shellcheck disable=SC2016     # the fields are apt's, not the shell's
    uri=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(SITE)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
          awk -F'|' '$4 ~ /\/debian\/?$/ {print $4; exit}')
    [ -n "$uri" ] || die "found no Debian mirror among this machine's apt sources"
    rm -rf "$root" "$state"
    mkdir -p "$root" "$state"/{lists/partial,cache/archives/partial,debs}
    : > "$state/status"
    echo "deb [arch=$(dpkg --print-architecture) signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" > "$state/sources.list"
    opts=(-o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=/dev/null
          -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status"
          -o "Dir::Cache=$state/cache" -o "APT::Sandbox::User=$(id -un)" -o Acquire::Languages=none
          -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=3)
    (apt-get -qq "${opts[@]}" update && cd "$state/debs" && apt-get -qq "${opts[@]}" download "${debs[@]}") \
        >"$state/log" 2>&1 || { cat "$state/log" >&2; die "could not get Debian's Python 2.7 packages"; }
    local d
    for d in "$state"/debs/*.deb; do dpkg-deb -x "$d" "$root"; done
    rm -rf "$state"
}

case $want in
    auto)   py=$(find_python) || { debian_python; py=; } ;;
    debian) debian_python; py= ;;
    *)      py=$want; usable "$py" || die "$py is no usable Python 2.7 (needs cp27mu, zlib, ssl, ctypes, headers)" ;;
esac

# bin/python27: the interpreter with DEST/site on its path, deaf to the caller's Python settings.
if [ -z "$py" ]; then
    triplet=$(basename "$(dirname "$(ls -d "$dest"/py27/usr/include/*/python2.7)")")
    cat > "$dest/bin/python27.real" <<EOF
#!/bin/sh
r=\$(cd "\$(dirname "\$0")/../py27" && pwd)
LD_LIBRARY_PATH="\$r/usr/lib/$triplet\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
CPATH="\$r/usr/include:\$r/usr/include/python2.7\${CPATH:+:\$CPATH}"
export LD_LIBRARY_PATH CPATH
exec "\$r/usr/bin/python2.7" "\$@"
EOF
    chmod +x "$dest/bin/python27.real"
    usable "$dest/bin/python27.real" || die "the unpacked Python 2.7 does not run"
    # shellcheck disable=SC2016     # expanded when the wrapper runs
    py_line='"$d/python27.real"'
    say "Python: Debian's 2.7, unpacked under $dest/py27"
else
    rm -rf "$dest/py27"
    py_line="'$py'"
    say "Python: $py"
fi
cat > "$dest/bin/python27" <<EOF
#!/bin/sh
d=\$(cd "\$(dirname "\$0")" && pwd)
unset PYTHONHOME PYTHONSTARTUP
PYTHONPATH="\$d/../site" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED
exec $py_line -s "\$@"
EOF
cat > "$dest/bin/wstest" <<'EOF'
#!/bin/sh
d=$(cd "$(dirname "$0")" && pwd)
exec "$d/python27" -c '
from autobahntestsuite import wstest, fuzzing
listen = fuzzing.listenWS      # which would listen on every interface
fuzzing.listenWS = lambda factory, context=None: listen(factory, context, interface="127.0.0.1")
wstest.run()' "$@"
EOF
chmod +x "$dest/bin/python27" "$dest/bin/wstest"

# ---- 2. the last pip for Python 2.7, then the packages ---------------------------------------------------------
python3 -m pip download -q --no-deps --only-binary=:all: --require-hashes -r "$here/requirements-boot.txt" \
        -d "$dest/boot" --python-version 27 --implementation py
for w in "$dest"/boot/*.whl; do python3 -m zipfile -e "$w" "$dest/boot"; rm "$w"; done
if [ -n "$py" ]; then run_py=$py; else run_py=$dest/bin/python27.real; fi
PYTHONPATH=$dest/boot PYTHONDONTWRITEBYTECODE=1 "$run_py" -W ignore -s -m pip install -q --no-warn-script-location \
        --disable-pip-version-check --no-build-isolation --no-deps --require-hashes --target "$dest/site" -r "$reqs" \
        2> >(grep -v DEPRECATION >&2)
: > "$dest/site/zope/__init__.py"      # a .pth file makes this package, and those are not read from a plain path entry
rm -rf "${dest:?}/boot"
"$run_py" -m compileall -q "$dest/site" >/dev/null 2>&1 || true

# ---- 3. does it work? ------------------------------------------------------------------------------------------
self_check || die "the installed suite does not pass its check"
echo "$stamp" > "$dest/.stamp"
say "ready: $dest/bin/wstest ($cases cases, listed in $dest/cases.txt)"
