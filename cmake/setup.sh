#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing on Debian 12 or 13, and nothing else: setup.sh [build|paraview|tests|bench]...
# Without arguments: build, paraview and tests. Says nothing, and needs no network, when nothing is missing.
set -euo pipefail

# The one list of packages. A group, then its packages.
packages() {
    case $1 in
    build)
        # Compilers and build tools; the libraries of cnn_core (gzip, JSON) and of the program (options).
        echo gcc g++ make cmake ninja-build pkgconf zlib1g-dev libjansson-dev libpopt-dev
        # Recordings are packed with zstd.
        echo libzstd-dev
        # To fetch data over https, and for the version in a run's record.
        echo ca-certificates curl git
        ;;
    paraview)
        # ParaView 5.11 or 5.13, its headers and its Python; headers that theirs ask for: MPI, Python.
        echo paraview paraview-dev python3-paraview libopenmpi-dev libpython3-dev
        # Toolbar and widgets in ParaView's window.
        echo qtbase5-dev
        # A display for pictures where there is none.
        echo xvfb xauth
        ;;
    tests)
        # Unit tests, Python tests and what they compute with; checks of format and man page; a decimal-comma locale.
        echo libcmocka-dev python3-pytest python3-numpy python3-pil clang-format groff-base locales
        # To count instructions, and to look for lost memory.
        echo valgrind
        # mpirun.
        echo openmpi-bin
        # A window manager, and hands for the tests of ParaView's window.
        echo openbox xdotool
        ;;
    bench)
        # What `make bench` compares with, and the BLAS that makes it fast: the build that shares PyTorch's threads.
        echo python3-torch libopenblas0-openmp
        # The same networks from C, by other libraries; the roofline's picture.
        echo libdnnl-dev libopenblas-openmp-dev python3-matplotlib
        ;;
    *)
        echo "setup.sh: no group '$1': build, paraview, tests, bench" >&2
        exit 2
        ;;
    esac
}

[ $# -gt 0 ] || set -- build paraview tests
wanted=()
for group in "$@"; do
    list=$(packages "$group")
    # shellcheck disable=SC2206  # one word per package is meant
    wanted+=($list)
done

if ! command -v dpkg-query apt-get >/dev/null; then
    echo "setup.sh: not a Debian system; install the counterparts of: ${wanted[*]}; then: make SETUP= ..." >&2
    exit 1
fi

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=none
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup.sh: as root: apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
apt() {
    # A mirror that does not answer is given up soon; nobody is there to be asked anything.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=2 \
        -o Acquire::http::Timeout=20 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

echo "setup.sh: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A third party's broken source is no reason to stop: what counts is whether the packages come.
apt update >"$log" 2>&1 || true
if ! apt install --no-install-recommends -y "${missing[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup.sh: cannot install ${missing[*]}: no network, or not in this system's package lists" >&2
    exit 1
fi
