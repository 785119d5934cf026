#!/usr/bin/env bash
# Installs the peers of the interoperability tests into a folder of their own.
#
#   setup.sh DEST [--chromium]
#
# DEST/bin then has one command per peer: ws-server, ws-client, ws-readme (npm ws), faye-server, faye-client, faye-readme
# (npm faye-websocket), websockets-server, websockets-client (Python websockets) and page (Chromium); README.md has their
# arguments. The versions are pinned and hash-locked in package-lock.json and requirements.txt. --chromium also installs Debian's chromium and chromium-driver through apt-get
# when they are missing, the only thing put outside DEST. A second call on a complete DEST returns at once.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { echo "interop: $*"; }
die() { echo "interop: $*" >&2; exit 1; }

dest='' chromium=''
for arg in "$@"; do
    case $arg in
        --chromium) chromium=yes ;;
        -*) die "unknown option $arg; usage: $0 DEST [--chromium]" ;;
        *) [ -z "$dest" ] || die "one DEST only"; dest=$arg ;;
    esac
done
[ -n "$dest" ] || { echo "usage: $0 DEST [--chromium]" >&2; exit 2; }
mkdir -p "$dest"
dest=$(cd "$dest" && pwd)

# Two setups into one DEST wait for each other.
exec 9>"$dest/.lock"
if command -v flock >/dev/null; then flock -w 600 9 || die "another setup holds $dest"; fi

install_chromium() {
    if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then return; fi
    command -v apt-get >/dev/null || die "chromium or chromedriver is missing, and there is no apt-get to install them"
    local -a root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || die "chromium or chromedriver is missing, and installing them needs root"
        root=(sudo -n)
    fi
    say "installing chromium and chromium-driver"
    "${root[@]}" timeout 300 apt-get -qq -o Acquire::Retries=3 update >&2 || die "apt-get update failed"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -qq -y -o Acquire::Retries=3 \
        -o Dpkg::Use-Pty=0 install --no-install-recommends chromium chromium-driver >"$dest/apt.log" 2>&1 ||
        { cat "$dest/apt.log" >&2; die "apt-get could not install chromium and chromium-driver"; }
    command -v chromium >/dev/null || die "apt-get was content, but there is no chromium"
    command -v chromedriver >/dev/null || die "apt-get was content, but there is no chromedriver"
}

# One command in DEST/bin that becomes the interpreter running a script of this folder.
command_for() {   # NAME INTERPRETER SCRIPT
    printf '#!/bin/sh\n%s\nexport %s\nexec %s %q "$@"\n' \
        "NODE_PATH='$dest/node_modules' PYTHONPATH='$dest/python' PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1" \
        "NODE_PATH PYTHONPATH PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED" "$2" "$here/$3" >"$dest/bin/$1"
    chmod +x "$dest/bin/$1"
}

works() {   # the libraries load, in the versions that were asked for
    "$dest/bin/ws-server" --version >/dev/null && "$dest/bin/faye-server" --version >/dev/null && "$dest/bin/websockets-server" --version >/dev/null
}

command -v node >/dev/null || die "node is needed"
command -v npm >/dev/null || die "npm is needed"
command -v python3 >/dev/null || die "python3 is needed"
python3 -m pip --version >/dev/null 2>&1 || die "pip for python3 is needed"

stamp=$({ cat "${BASH_SOURCE[0]}" "$here/package-lock.json" "$here/requirements.txt"; echo "$here" "$dest"
          node --version; python3 --version; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$dest/.stamp" 2>/dev/null)" != "$stamp" ] || ! works 2>/dev/null; then
    rm -rf "$dest/.stamp" "${dest:?}/bin" "$dest/python" "$dest/node_modules"
    mkdir "$dest/bin"
    cp "$here/package.json" "$here/package-lock.json" "$dest"
    (cd "$dest" && timeout 300 npm ci --silent --ignore-scripts --no-audit --no-fund --no-update-notifier </dev/null) ||
        die "npm could not install ws and faye-websocket"
    timeout 300 python3 -m pip install -q --disable-pip-version-check --root-user-action ignore --no-deps \
        --require-hashes --target "$dest/python" -r "$here/requirements.txt" </dev/null ||
        die "pip could not install websockets"
    command_for ws-server node ws-server.js
    command_for ws-client node ws-client.js
    command_for ws-readme node ws-readme.js
    command_for faye-server node faye-server.js
    command_for faye-client node faye-client.js
    command_for faye-readme node faye-readme.js
    command_for websockets-server python3 websockets-server.py
    command_for websockets-client python3 websockets-client.py
    command_for page python3 page.py
    works || die "the installed peers do not run"
    echo "$stamp" >"$dest/.stamp"
fi
[ -z "$chromium" ] || install_chromium
versions="$("$dest/bin/ws-server" --version), $("$dest/bin/faye-server" --version), $("$dest/bin/websockets-server" --version)"
[ -z "$chromium" ] || versions+=", $(chromium --version 2>/dev/null | cut -d' ' -f1-2)"
say "ready: $dest/bin ($versions)"
