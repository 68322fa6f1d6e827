#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks a Debian system of the given suite and packages into a new folder: debian-root.sh SUITE FOLDER
# PACKAGE... The log is FOLDER.log, and its end is printed when it fails. VCTL_LAB_MIRROR names a mirror.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
# With it set, Python's packages would be compiled to bytecode that hashes its source at every import.
unset SOURCE_DATE_EPOCH

suite=$1 root=$2
shift 2
mirror=${VCTL_LAB_MIRROR:-http://deb.debian.org/debian}
# No manuals and translations: half of the files of a small system.
mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "$*")" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    "$suite" "$root" "deb $mirror $suite main" "deb $mirror $suite-updates main" \
    "deb ${mirror%/debian}/debian-security $suite-security main" >"$root.log" 2>&1 || {
    tail -n 30 "$root.log" >&2
    exit 1
}
