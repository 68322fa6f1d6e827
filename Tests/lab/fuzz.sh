#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the API: schemathesis makes requests, right and wrong ones, from the description that vctld serves,
# and holds every reply against it. The daemon runs inside a libvirt host in namespaces, the sandbox for what
# the requests do; a proxy on the loopback device gives it a TCP port. Needs the debug build and the guest
# images (test.sh makes both). VCTL_FUZZ_SECONDS: how long, 240 without it.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."
export PATH=$PATH:/usr/sbin:/sbin
bin=$PWD/.build/debug
venv=$PWD/.build/fuzz
version=4.32.5
lab=$(mktemp -d /tmp/vctl-fuzz.XXXXXX)
export VCTL_LAB=$lab
running=()

doing=
say() {
    doing=$*
    echo "fuzz: $*"
}
inside() { "$here/vhost" exec fuzz env PATH="$bin:$PATH" "$@"; }

clean_up() {
    local status=$?
    trap - EXIT
    if [ "$status" -ne 0 ]; then
        tail -n 15 "$lab/vctld.log" >&2 || true
        say "failed with status $status while: $doing" >&2
    fi
    [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null || true
    "$here/vhost" delete fuzz >/dev/null 2>&1 || true
    rm -rf "$lab"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [[ $("$venv/bin/pip" show schemathesis 2>/dev/null || true) != *"Version: $version"* ]]; then
    say "installing schemathesis $version into $venv"
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi

say "a host with vctld, an image and VMs"
"$here/vhost" start --fresh fuzz
setsid "$here/vhost" exec fuzz "$bin/vctld" >"$lab/vctld.log" 2>&1 </dev/null &
running+=($!)
inside vctl waitready --timeout 60s
inside vctl image import tiny .build/lab/tiny.qcow2
for name in fuzz1 fuzz2 fuzz3; do
    inside vctl vm create "$name" --image tiny --memory 64M --network none --no-start --label made=fuzz
done
inside vctl vm set fuzz1 --protect >/dev/null

python3 "$here/socket-proxy.py" "$lab/fuzz/run/vctld/vctld.sock" >"$lab/port" &
running+=($!)
for _ in $(seq 100); do [ ! -s "$lab/port" ] || break; sleep 0.1; done
base=http://127.0.0.1:$(cat "$lab/port")

say "at most ${VCTL_FUZZ_SECONDS:-240} s of requests"
cd "$lab"
SCHEMATHESIS_HOOKS=fuzz_hooks PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 "$venv/bin/schemathesis" \
    --config-file "$here/schemathesis.toml" run "$base/v1/openapi.json" --max-examples 20 \
    --phases examples,coverage,fuzzing,stateful --max-time "${VCTL_FUZZ_SECONDS:-240}" --request-timeout 30 \
    --seed 1 --continue-on-failure --warnings off --no-color

# Whether fuzz1 is still there says nothing: a request may take its protection away, and the next one fuzz1.
say "vctld still serves"
inside vctl host show >/dev/null
inside vctl vm list >/dev/null
if grep -n "for an unknown reason" "$lab/vctld.log" >&2; then
    say "there were internal errors, see above" >&2
    exit 1
fi
say "passed"
