#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs all tests on a machine that has only Debian and Swift: installs packages, builds, makes the guest
# images, runs the fast suites, fuzzes the API, runs the suites with real guests, and removes what it
# started. The end of its output is the test runner's own summary. --fast: only what needs no guest.
# --newer: only the suites with real guests, on libvirt hosts of the next Debian.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."
export PATH=$PATH:/usr/sbin:/sbin:/opt/swift/usr/bin

say() { echo "test: $*"; }

# Every test host is in this folder, so that nothing of another run is met, and all of it can be removed.
VCTL_LAB=$(mktemp -d /tmp/vctl-test.XXXXXX)
export VCTL_LAB VCTL_LAB_IMAGES=$PWD/.build/lab

# What failed, again: it may be thousands of lines above.
failures() {
    local found pattern=' recorded an issue \|Fatal error\|^error: '
    found=$(cat "$VCTL_LAB"/*.log 2>/dev/null | grep -A 3 "$pattern") || return 0
    say "this failed:"
    echo "$found"
}

background=
clean_up() {
    local status=$? host
    trap - EXIT
    [ "$status" = 0 ] || failures >&2
    [ -z "$background" ] || { pkill -P "$background" || true; kill "$background" || true; } 2>/dev/null
    for host in "$VCTL_LAB"/*/; do
        [ ! -d "$host" ] || "$here/vhost" delete "$(basename "$host")" || true
    done
    rm -rf "$VCTL_LAB"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

command -v swift >/dev/null || {
    say "swift is not in PATH; version 6.2 or newer is needed"
    exit 1
} >&2

say "1. Debian packages"
"$here/deps.sh"
say "2. building everything (a clean build takes minutes)"
swift build --build-tests
guests() { # FILTER: not by `swift test`, of which one at a time runs in a folder
    .build/debug/vctlPackageTests.xctest --testing-library swift-testing --filter "$1"
}

# In two lanes of about the same length, which share nothing: each suite has a host of its own. Both by
# filter: a suite that is skipped boots its host all the same, and ends the other lane's of that name.
real_guests() { # [SUITE]: all suites, but for this one
    local all long others status=0 known passed
    all=$(swift test list --skip-build --disable-xctest 2>/dev/null | grep '^IntegrationTests\.' |
        grep -v "^IntegrationTests\.RealGuests/${1:--}/")
    long='WholeHost|WholeCloudImage|Agents|Clones|Consoles|Keeping|NetworkChecks|TAPs|Uplinks'
    long=$(grep -E "^IntegrationTests\.RealGuests/($long)/" <<<"$all" | suites)
    others=$(suites <<<"$all" | grep -vxF "$long")
    guests "^($(alternatives <<<"$long"))/" >"$VCTL_LAB/long.log" 2>&1 &
    background=$!
    guests "^($(alternatives <<<"$others"))/" 2>&1 | tee "$VCTL_LAB/others.log" || status=$?
    wait "$background" || status=$?
    background=
    cat "$VCTL_LAB/long.log"
    # A filter that matches nothing passes, too.
    known=$(wc -l <<<"$all")
    passed=$(sed -nE 's/.*Test run with ([0-9]+) tests? .* passed.*/\1/p' "$VCTL_LAB"/{long,others}.log |
        paste -sd +)
    [ "$((${passed:-0}))" = "$known" ] || {
        say "of $known tests with real guests $((${passed:-0})) are in runs that passed"
        status=1
    } >&2
    grep -h 'Test run with ' "$VCTL_LAB"/{long,others}.log || true
    return "$status"
}
suites() { sed 's,/[^/]*$,,' | sort -u; }
alternatives() { paste -sd '|' | sed 's,\.,\\.,g'; }

if [ "${1-}" = --newer ]; then
    say "3. guest images, and the root of a Debian 13"
    "$here/guest.sh"
    "$here/cloud-image.sh"
    "$here/newer-root.sh"
    export VCTL_LAB_ROOT=$VCTL_LAB_IMAGES/debian13
    say "4. suites with real guests, below $VCTL_LAB"
    # The lab VM is a Debian 12 wherever it runs.
    real_guests WholeHost
    exit
fi

make_images() {
    "$here/guest.sh"
    "$here/cloud-image.sh"
    "$here/labvm" build
}

if [ "${1-}" != --fast ]; then
    [ "$(id -u)" -eq 0 ] || {
        say "the tests with real guests need root"
        exit 1
    } >&2
    say "3. guest images, built from Debian packages, beside what follows"
    make_images >"$VCTL_LAB/images.log" 2>&1 &
    background=$!
fi
# What dies inside the process loses nothing that was written, on whatever that was; on a disk the tests
# would wait for it half of their time.
in_memory() {
    unshare --mount true 2>/dev/null || {
        "$@"
        return
    }
    # shellcheck disable=SC2016 # expanded by the inner shell
    TMPDIR=$VCTL_LAB unshare --mount sh -c 'mount -t tmpfs -o size=4g tests "$TMPDIR" && exec "$@"' sh "$@"
}

# A filter that matches nothing passes, too.
some_passed() { # LOG
    grep -qE 'Test run with [1-9][0-9]* tests? .* passed' "$1" || {
        say "no test ran"
        exit 1
    } >&2
}

say "4. fast suites: no guest, no privileges needed by most"
# One process each: tests that block threads on purpose would starve the others' timeouts.
for suite in ArchitectureTests VctlAPITests VirtXMLTests LibvirtTests HostNetTests vctlTests vctldTests \
    VctlCoreTests; do
    say "$suite"
    in_memory swift test --skip-build --disable-xctest --filter "^$suite\\." 2>&1 | tee "$VCTL_LAB/$suite.log"
    some_passed "$VCTL_LAB/$suite.log"
done
[ "${1-}" != --fast ] || exit 0
status=0
wait "$background" || status=$?
background=
cat "$VCTL_LAB/images.log"
[ "$status" = 0 ] || {
    say "the guest images could not be made"
    exit "$status"
} >&2
say "5. made-up requests against the API's description"
"$here/fuzz.sh"
say "6. suites with real guests, below $VCTL_LAB (QEMU without KVM: minutes)"
real_guests
