#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the lab VM: a bridge that nobody confirms goes back although systemd has ended the daemon and all that
# was in its unit, and one that was confirmed is there after the next start.
set -euo pipefail

ok() { echo "ok: $*"; }

fail() {
    echo "FAILED: $*"
    exit 1
}

report() {
    local status=$?
    [ $status != 0 ] || return 0
    set +e
    ip addr
    ls -la /var/lib/vctld/guard
    systemctl --no-pager list-units 'run-*'
    systemctl status --no-pager --lines=30 vctld
    exit "$status"
}
trap report EXIT

# Everything about links, addresses and routes, once no address is tentative.
seen() {
    local now
    for _ in $(seq 300); do
        now=$(
            ip -d addr
            ip route show table all
            ip -6 route show table all
        )
        [[ $now == *tentative* ]] || break
        sleep 0.2
    done
    echo "$now"
}

guard_unit() { systemctl list-units --plain --no-legend 'run-*.service' | awk '/Way back/ { print $1 }'; }

await() { # WHAT SECONDS COMMAND...
    local what=$1 end=$((SECONDS + $2))
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "$what"
        sleep 0.5
    done
    ok "$what"
}

ip netns add far
ip link add up0 type veth peer name far0 netns far
ip -n far addr add 10.90.0.1/24 dev far0
ip -n far link set far0 up
ip link set up0 up
ip addr add 10.90.0.2/24 dev up0
ip -6 addr add fd90::2/64 dev up0
ip route add 10.91.0.0/16 via 10.90.0.1
systemctl start vctld
vctl waitready --timeout 3m
before=$(seen)

for how in "stop vctld" "kill --signal=KILL vctld"; do
    vctl bridge create br0 --port up0 --confirm-timeout 30s
    unit=$(guard_unit)
    [ -n "$unit" ] || fail "the guard has no unit"
    ok "the guard is $unit"
    # shellcheck disable=SC2086
    systemctl $how
    [ "$(systemctl is-active "$unit")" = active ] || fail "the guard ended with: systemctl $how"
    ok "the guard outlives: systemctl $how"
    ping -c 1 -W 5 10.90.0.1 >/dev/null || fail "nobody answers over the bridge"
    is_back() { [ "$(seen)" = "$before" ]; }
    await "all is as it was after: systemctl $how" 120 is_back
    systemctl reset-failed vctld 2>/dev/null || true
    systemctl start vctld
    vctl waitready --timeout 3m
    is_forgotten() { ! vctl bridge show br0 >/dev/null 2>&1; }
    await "vctl knows of no bridge" 60 is_forgotten
done

vctl bridge create br0 --port up0 --confirm-timeout 60s
vctl bridge confirm br0
has_no_guard() { [ -z "$(guard_unit)" ]; }
await "the guard of a confirmed bridge ends" 60 has_no_guard
systemctl restart vctld
vctl waitready --timeout 3m
[ "$(vctl bridge show br0 --format json | jq -c '[.ports, .addresses]')" = \
    '[["up0"],["10.90.0.2/24","fd90::2/64"]]' ] || fail "the bridge is not as it was confirmed"
ok "what is confirmed stays"
vctl bridge delete br0 --yes
vctl bridge confirm br0
[ "$(seen)" = "$before" ] || fail "not everything is as it was"
ok "and goes when it is deleted"

# What a bridge knows of a port, that forgets who takes the port out.
ip link add pv0 type veth peer name pv1
vctl bridge create brv --port pv0 --vlan-aware
bridge vlan del dev pv0 vid 1
bridge vlan add dev pv0 vid 10 pvid untagged
bridge vlan add dev pv0 vid 20
bridge vlan add dev brv vid 20 self
bridge link set dev pv0 isolated on
ports() {
    bridge vlan show
    bridge -d link show dev pv0 | grep -o 'hairpin.*'
}
had=$(ports)
[[ $had == *"10 PVID Egress Untagged"* && $had == *"isolated on"* ]] || fail "no VLANs: $had"
for change in "set brv --no-port" "delete brv --yes"; do
    # shellcheck disable=SC2086
    vctl bridge $change --confirm-timeout 60s
    [ "$(ports || true)" != "$had" ] || fail "nothing has changed: $change"
    vctl bridge rollback brv
    [ "$(ports)" = "$had" ] || fail "the ports are not as they were after $change: $(ports)"
    ok "the ports' VLANs come back after: bridge ${change%% *}"
done
ip link add link brv name brv.20 type vlan id 20
for force in "" "--force --confirm-timeout 60s"; do
    # shellcheck disable=SC2086
    refusal=$(vctl bridge delete brv --yes $force 2>&1) && fail "a VLAN went with its bridge"
    [[ $refusal == *brv.20* ]] || fail "nobody is named: $refusal"
done
ip link show brv.20 >/dev/null
ok "a VLAN on a bridge keeps it"
ip link delete brv.20
vctl bridge delete brv --yes
