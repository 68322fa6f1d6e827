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
before=$(nft list ruleset)
sysctl -qw "$key=1"
status=0
said=$(vctl network create lab --model nat --subnet 10.77.0.0/24 2>&1) || status=$?
echo "$said"
[ "$status" = 1 ] || fail "the exit status is $status"
grep -q "$key" <<<"$said" || fail "the limit is not named"
[ "$(nft list ruleset)" = "$before" ] || fail "rules are left"
! vctl network show lab 2>/dev/null || fail "the network is left"
ok "the limit is named, and nothing is left"
vctl network create deep --model isolated || fail "a network without addresses needs no dnsmasq"
vctl network delete deep --yes
ok "a network without addresses starts"

doctor=$(vctl host doctor --format json || true)
hint=$(jq -er '.[] | select(.check == "network.dnsmasq" and .status == "critical") | .hint' <<<"$doctor") ||
    fail "the doctor does not see it: $(jq -c '.[] | select(.check == "network.dnsmasq")' <<<"$doctor")"
[ "$hint" = "$(sed -n 's/^hint: //p' <<<"$said")" ] || fail "the doctor says something else: $hint"
$hint
vctl network create lab --model nat --subnet 10.77.0.0/24 || fail "the hint does not help"
doctor=$(vctl host doctor --format json || true)
jq -e '.[] | select(.check == "network.dnsmasq") | .status == "ok"' <<<"$doctor" || fail "$doctor"
vctl network delete lab --yes
[ "$(nft list ruleset)" = "$before" ] || fail "rules are left in the end"
ok "the hint helps"
