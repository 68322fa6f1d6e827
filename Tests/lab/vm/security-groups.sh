#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the lab VM, whose kernel follows flows on bridges: a guest with a security group, seen from the host.
set -euo pipefail

ok() { echo "ok: $*"; }

fail() {
    echo "FAILED: $*"
    nft list table bridge vctl || true
    journalctl -u vctld --no-pager -n 20 || true
    exit 1
}

passes() { # WHAT COMMAND...
    local what=$1
    shift
    "$@" >/dev/null 2>&1 || fail "$what is stopped"
    ok "$what passes"
}

stops() { # WHAT COMMAND...
    local what=$1
    shift
    ! "$@" >/dev/null 2>&1 || fail "$what passes"
    ok "$what is stopped"
}

virsh -q net-start default
systemctl start vctld
vctl waitready --timeout 3m
vctl image import tiny /lab/images/tiny.qcow2
vctl securitygroup create web --allow tcp/80
vctl vm create closed --image tiny --memory 128M --network default,sg=web --wait-for ip --timeout 8m
vctl vm wait closed --for agent --timeout 5m
address=$(vctl vm show closed --format json | jq -er '[.nics[].addresses[].address][0]')
mac=$(vctl vm show closed --format json | jq -er '.nics[0].mac')

passes "HTTP that is allowed" curl -sS --max-time 20 "http://$address/"
stops "a ping that nobody allowed" ping -c 2 -W 2 "$address"
passes "what the guest asks for" vctl exec closed -- ping -c 2 -W 5 192.168.122.1

systemctl kill --signal=KILL vctld
nft delete table bridge vctl
systemctl restart vctld
vctl waitready --timeout 3m
until nft list table bridge vctl >/dev/null 2>&1; do sleep 0.2; done
stops "a ping when vctld was killed and somebody removed its rules" ping -c 2 -W 2 "$address"
passes "HTTP then" curl -sS --max-time 20 "http://$address/"

vctl securitygroup set web --allow icmp --allow tcp/7000
passes "a ping once it is allowed" ping -c 2 -W 5 "$address"

# A flow that is open when its rule goes.
vctl exec closed -- sh -c 'nc -l -p 7000 >/run/got 2>/dev/null </dev/null & sleep 1'
exec 3<>"/dev/tcp/$address/7000"
echo first >&3
for _ in $(seq 50); do
    [ "$(vctl exec closed cat /run/got)" = first ] && break
    sleep 0.2
done
[ "$(vctl exec closed cat /run/got)" = first ] || fail "the open flow carries nothing"
ok "an open flow carries"
vctl securitygroup set web --disallow tcp/7000
echo second >&3 || true
stops "what comes over an open flow that is allowed no more" \
    timeout 10 sh -c "until vctl exec closed cat /run/got | grep -q second; do sleep 0.5; done"
exec 3>&-

vctl securitygroup set web --no-rules --allow "tcp/80 from 10.99.0.0/16"
stops "HTTP from elsewhere" curl -sS --max-time 5 "http://$address/"
vctl securitygroup set web --allow "tcp/80 from 192.168.122.0/24"
passes "HTTP from there" curl -sS --max-time 20 "http://$address/"
! vctl securitygroup delete web --yes 2>/dev/null || fail "a group in use was deleted"
ok "a group in use stays"
vctl vm nic set closed "$mac" --sg none
passes "a ping without groups" ping -c 2 -W 5 "$address"
vctl securitygroup delete web --yes
! nft list table bridge vctl 2>/dev/null || fail "rules are left"
ok "no rule is left"
