#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the lab VM, whose limits are nobody else's: a network whose dnsmasq gets no instance of inotify.
set -euo pipefail

ok() { echo "ok: $*"; }

fail() {
    echo "FAILED: $*"
    journalctl -u vctld --no-pager -n 20 || true
    exit 1
}

key=fs.inotify.max_user_instances
systemctl start vctld
vctl waitready --timeout 3m
sysctl -qw "$key=1"
status=0
said=$(vctl network create lab --model nat --subnet 10.77.0.0/24 2>&1) || status=$?
echo "$said"
[ "$status" = 1 ] || fail "the exit status is $status"
grep -q "$key" <<<"$said" || fail "the limit is not named"
! nft list table inet vctl 2>/dev/null || fail "rules are left"
status=0
vctl network show lab 2>/dev/null || status=$?
[ "$status" = 3 ] || fail "the network is left"
ok "the limit is named, and nothing is left"
vctl network create deep --model isolated || fail "a network without addresses needs no dnsmasq"
vctl network delete deep --yes
ok "a network without addresses starts"

# What the doctor says of it, by jq's filter; asked again where this slow machine gave no answer in time.
told() {
    for _ in 1 2 3 4 5; do
        { vctl host doctor --format json || true; } >/run/doctor.json
        jq -er ".[] | select(.check == \"network.dnsmasq\") | $1" /run/doctor.json && return 0
    done
    return 1
}

hint=$(told 'select(.status == "critical") | .hint') || fail "the doctor does not see it"
[ "$hint" = "$(sed -n 's/^hint: //p' <<<"$said")" ] || fail "the doctor says something else: $hint"
$hint
vctl network create lab --model nat --subnet 10.77.0.0/24 || fail "the hint does not help"
told 'select(.status == "ok") | .message' || fail "the doctor still sees it"
vctl network delete lab --yes
! nft list table inet vctl 2>/dev/null || fail "rules are left in the end"
ok "the hint helps"
