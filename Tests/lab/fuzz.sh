#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the API of a development build with schemathesis, against the OpenAPI document that the daemon itself
# serves. Everything that is fuzzed runs in a libvirt host of its own (vhost), without a way out of its network
# and with vctld's paths limited to that host's folders, so that no request reaches anything else. Takes three to
# four minutes. Arguments are passed on to schemathesis: fuzz.sh --include-operation-id vm.create --seed 7
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."
export PATH=$PATH:/usr/sbin:/sbin:/opt/swift/usr/bin
bin=$PWD/.build/debug
venv=$PWD/.build/fuzz-venv
images=${VCTL_LAB_IMAGES:-$PWD/.build/lab}
own_lab=
if [ -z "${VCTL_LAB-}" ]; then
    own_lab=$(mktemp -d /tmp/vctl-fuzz.XXXXXX)
    export VCTL_LAB=$own_lab
fi
mkdir -p "$VCTL_LAB"
work=$VCTL_LAB/fuzz.files
children=()

say() { echo "fuzz: $*"; }

die() {
    echo "fuzz: $*" >&2
    exit 1
}

inside() { "$here/vhost" exec fuzz env PATH="$bin:$PATH" "$@"; }

clean_up() {
    local status=$? child
    trap - EXIT
    if [ "$status" -ne 0 ] && [ -s "$work/vctld.log" ]; then
        echo "--- the end of vctld's log" >&2
        tail -n 30 "$work/vctld.log" >&2
    fi
    for child in "${children[@]}"; do
        kill -TERM "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    done
    "$here/vhost" delete fuzz || status=1
    rm -rf "$work"
    [ -z "$own_lab" ] || rm -rf "$own_lab"
    exit "$status"
}

# Whatever python3 is first in PATH may lack what a venv needs; then Debian's own is taken.
make_venv() {
    local python wanted=$here/fuzz_requirements.txt
    if cmp -s "$wanted" "$venv/requirements" && "$venv/bin/schemathesis" --version >/dev/null 2>&1; then
        return
    fi
    for python in python3 /usr/bin/python3; do
        rm -rf "$venv"
        "$python" -m venv "$venv" &&
            "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-input -r "$wanted" &&
            cp "$wanted" "$venv/requirements" && return
    done
    die "schemathesis cannot be installed into $venv; pip says above why"
}

plant() { # the objects that fuzz.toml names; again and again, since fuzzed requests delete them
    local vm
    inside vctl image import tiny "$images/tiny.qcow2" --label os=tiny --if-not-exists
    for vm in web db; do
        inside vctl vm create "$vm" --image tiny --memory 128M --label "role=$vm" --no-start --if-not-exists
    done
}

garden() {
    local running
    while sleep 3; do
        plant || true
        # Guests that idle are cheap, those that boot are not; and requests are what is tested.
        running=$(inside vctl vm list --format name) || continue
        for vm in $running; do
            case $vm in web | db) ;; *) inside vctl vm stop "$vm" --grace 0s --force || true ;; esac
        done
    done
}

[ "$(id -u)" -eq 0 ] || die "needs root, for namespaces"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "schemathesis, from the Python package index (cached in .build)"
make_venv
"$here/guest.sh" >/dev/null
"$here/vhost" start --fresh fuzz
mkdir -p "$work"
echo 'storage.allowed_paths = ["/var/lib/libvirt/images"]' >"$("$here/vhost" path fuzz)/vctl-etc/vctld.toml"
"$here/vhost" exec fuzz "$bin/vctld" >"$work/vctld.log" 2>&1 </dev/null &
daemon=$!
children+=("$daemon")
inside vctl waitready --timeout 60s

plant >/dev/null
inside vctl operation list --format json | jq -r '.[].id | @json' >"$work/operations.dict"
garden >"$work/garden.log" 2>&1 &
children+=("$!")

"$here/vhost" exec fuzz python3 "$here/fuzz_proxy.py" /run/vctld/vctld.sock "$work/port" &
children+=("$!")
for _ in {1..100}; do
    [ ! -e "$work/port" ] || break
    sleep 0.1
done
port=$(cat "$work/port")

say "schemathesis against $bin/vctld"
cp "$here/fuzz.toml" "$work/schemathesis.toml"
cd "$work"
failed=
# PYTHONPATH: where the hooks are. --seed: the same requests in every run, except for what replies make of them.
timeout --kill-after 10 300 "$here/vhost" exec fuzz env PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 \
    "$venv/bin/schemathesis" --config-file "$work/schemathesis.toml" run --no-color --seed 1 \
    --max-examples 25 --max-time 200 --generation-database none --no-shrink "$@" \
    "http://127.0.0.1:$port/v1/openapi.json" </dev/null || failed="schemathesis found something, see above"

say "the daemon afterwards"
kill -0 "$daemon" 2>/dev/null || die "vctld has died"
inside vctl version
inside vctl host show >/dev/null
bad=$(grep -nE 'unknown reason|Fatal error|Crash|precondition' "$work/vctld.log" || true)
[ -z "$bad" ] || die "vctld's log has errors that nobody expects:
$bad"
[ -z "$failed" ] || die "$failed"
say "passed"
