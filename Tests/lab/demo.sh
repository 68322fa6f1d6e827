#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shows a real guest on a machine that has only Debian and Swift: installs packages, builds, makes a small
# disk image, starts a libvirt host in namespaces with vctld in it, makes a VM with vctl, and lets the guest
# speak for itself. Everything is removed at the end; KEEP=1 leaves it running and says how to talk to it.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."
export PATH=$PATH:/usr/sbin:/sbin:/opt/swift/usr/bin
bin=$PWD/.build/debug
images=$PWD/.build/lab
keep=${KEEP:-}
if [ -n "$keep" ]; then lab=/tmp/vctl-demo; else lab=$(mktemp -d /tmp/vctl-demo.XXXXXX); fi
export VCTL_LAB=$lab
work=$lab/demo.files
daemon=
started=

say() { printf '\n== %s\n' "$*"; }

show() { # COMMAND...: prints a command as a user would type it, and runs it inside the host
    echo "\$ $*"
    inside "$@"
}

inside() { "$here/vhost" exec host env PATH="$bin:$PATH" "$@"; }

logs() {
    local log
    for log in "$work"/*.log "$lab/host/log/libvirtd.log" "$lab"/host/log/qemu/*.log; do
        [ -s "$log" ] || continue
        echo "--- the end of $log"
        tail -n 30 "$log"
    done
}

clean_up() {
    local status=$?
    trap - EXIT
    case $status in
    0) ;;
    130 | 143) echo "demo: interrupted; cleaning up" >&2 ;;
    *) { echo; echo "demo: FAILED with exit code $status"; logs; } >&2 ;;
    esac
    if [ "$status" -eq 0 ] && [ -n "$keep" ]; then exit; fi
    [ -z "$daemon" ] || kill -TERM "$daemon" 2>/dev/null || true
    [ -z "$daemon" ] || wait "$daemon" 2>/dev/null || true
    if [ -n "$started" ]; then
        "$here/vhost" delete host 2>"$lab/delete.log" || { cat "$lab/delete.log" >&2; status=1; }
    fi
    rm -rf "$lab"
    exit "$status"
}

guest_says() { # what the guest printed on its serial console for people, without its line ends
    inside vctl vm console demo --log | tr -d '\r' | grep -E '^(SEED device=|GUEST-)' || true
}

expect() { # PATTERN TEXT
    grep -q "$1" <<<"$2" || { printf 'demo: expected %s in:\n%s\n' "$1" "$2" >&2; return 1; }
}

until_it_says() { # SECONDS PATTERN
    local deadline=$((SECONDS + $1))
    until guest_says | grep -q "$2"; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "demo: the guest did not say $2 in $1 s" >&2; return 1; }
        sleep 1
    done
}

[ "$(id -u)" -eq 0 ] || { echo "demo: needs root, for packages and namespaces" >&2; exit 1; }
command -v swift >/dev/null || { echo "demo: swift is not in PATH; 6.2 or newer is needed" >&2; exit 1; }
[ ! -e "$lab/host" ] || {
    echo "demo: a kept demo is in $lab; remove it with: VCTL_LAB=$lab Tests/lab/vhost delete host" >&2
    exit 1
}
mkdir -p "$work"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "1. Debian packages: libvirt, QEMU and what builds need"
"$here/deps.sh"

say "2. vctl and vctld, a development build (a clean one takes minutes)"
swift build --product vctl
swift build --product vctld

say "3. a small guest image, made from Debian packages: busybox, a kernel, qemu-guest-agent"
"$here/guest.sh"

say "4. a libvirt host in namespaces of its own: nothing of this machine's libvirt is touched"
started=yes
"$here/vhost" start --fresh host

say "5. vctld inside it, with no configuration file"
# A session of its own: a kept demo outlives the terminal it was started from.
setsid "$here/vhost" exec host "$bin/vctld" >"$work/vctld.log" 2>&1 </dev/null &
daemon=$!
show vctl waitready --timeout 60s
show vctl version

say "6. an image, and a VM from it"
cat >"$work/hello.sh" <<'TEXT'
#!/bin/sh
memory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
echo "GUEST-SAYS I am $(hostname), Linux $(uname -r), with $memory MiB of memory"
TEXT
show vctl image import tiny "$images/tiny.qcow2"
show vctl vm create demo --image tiny --memory 256M --cloud-init "$work/hello.sh" \
    --label purpose=demo --wait-for ip --timeout 5m

say "7. what the guest itself has to say"
until_it_says 180 '^GUEST-UP'
address=$(inside vctl vm show demo --format json | jq -er '[.nics[].addresses[].address][0]')
echo "\$ vctl vm console demo --log | grep -E '^(SEED|GUEST)'"
words=$(guest_says)
echo "$words"
expect '^GUEST-SAYS I am demo' "$words"
expect "^GUEST-UP name=demo ip=$address\$" "$words"
answer=$(inside curl -sS --max-time 30 "http://$address/")
printf '$ curl http://%s/\n%s\n' "$address" "$answer"
expect '^hello from demo$' "$answer"

say "8. everything that happened, and who asked for it"
show vctl event list --columns sequence,type,subject,origin
show vctl audit list --columns sequence,requestor,action,target,outcome

say "The running guest, its address, and its own words"
show vctl vm list
echo
sed -n 's/^GUEST-SAYS /"/p' <<<"$words" | sed 's/$/"/; s/^/demo on its console:  /'
echo "demo over HTTP:        \"$answer\""

if [ -n "$keep" ]; then
    cat <<TEXT

It is left running, as you asked (KEEP=1). To talk to it:

    export VCTL_LAB=$lab
    vctl() { Tests/lab/vhost exec host $bin/vctl "\$@"; }
    vctl vm list
    vctl console demo                                # Ctrl-] leaves it
    Tests/lab/vhost exec host curl http://$address/
    Tests/lab/vhost delete host && rm -rf $lab       # ends and removes everything
TEXT
    exit 0
fi

{
    inside vctl vm stop demo --grace 30s --force
    inside vctl vm delete demo --yes
    inside vctl image delete tiny --yes
    left=$(inside virsh list --all --name)
    [ -z "$left" ] || { echo "still defined: $left"; exit 1; }
} >"$work/clean-up.log" 2>&1
