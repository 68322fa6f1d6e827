#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the lab VM: a KVM guest through vctld and vctl, on a host that is as Debian sets it up. QEMU runs as
# libvirt-qemu, AppArmor confines it, and systemd runs the daemon from the unit that is installed.
set -euo pipefail

ok() { echo "ok: $*"; }

fail() {
    echo "FAILED: $*"
    exit 1
}

# Read by whoever looks for the reason: how far the guest came, and what the daemon says.
report() {
    local status=$?
    [ $status != 0 ] || return 0
    set +e
    uptime
    vctl vm console nested --log | tail -n 20
    virsh qemu-monitor-command --hmp nested info registers | head -n 4
    systemctl status --no-pager --lines=20 vctld
    exit "$status"
}
trap report EXIT

is() { # WHAT WANTED FOUND
    [ "$2" = "$3" ] || fail "$1: wanted $2, found $3"
    ok "$1: $3"
}

is "process 1" systemd "$(cat /proc/1/comm)"
virsh -q net-start default
systemctl start vctld
vctl waitready --timeout 3m
is "the unit" active "$(systemctl is-active vctld)"
is "vctl host show" kvm "$(vctl host show --format json | jq -r .accelerator.kind)"
findings=$(vctl host doctor --format json) || true
is "vctl host doctor, of KVM" ok "$(jq -r '.[] | select(.check == "kvm") | .status' <<<"$findings")"

vctl image import tiny /lab/images/tiny.qcow2
vctl vm create nested --image tiny --memory 128M --wait-for ip --timeout 8m
address=$(vctl vm show nested --format json | jq -er '[.nics[].addresses[].address][0]')
is "over HTTP" "hello from nested" "$(curl -sS --max-time 60 "http://$address/")"

# The last word of the machine: what libvirt started, and what the kernel makes of it.
is "virsh dumpxml" kvm "$(virsh dumpxml nested | sed -n "s|^<domain type='\([a-z]*\)'.*|\\1|p")"
pid=$(cat /run/libvirt/qemu/nested.pid)
is "QEMU's user" libvirt-qemu "$(ps -o user:32= -p "$pid" | tr -d ' ')"
[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *" -accel kvm "* ]] || fail "QEMU was not told to use KVM"
[[ $(readlink "/proc/$pid/fd/"*) == *anon_inode:kvm-vcpu* ]] || fail "QEMU has no vCPU of KVM's"
ok "QEMU has a vCPU of KVM's"
uuid=$(vctl vm show nested --format json | jq -r .id)
is "AppArmor" "libvirt-$uuid (enforce)" "$(cat "/proc/$pid/attr/current")"

# As when the host goes down: both units stop in one transaction, and systemd knows which is first. To name
# both to `systemctl stop` makes two of it. A VM that vctl does not manage is not theirs to stop.
units=/run/systemd/system
mkdir -p $units/vctld.service.d $units/vctl-guests.service.d
printf '[Unit]\nPartOf=host.target\n' | tee $units/vctl{d,-guests}.service.d/host.conf >/dev/null
printf '[Unit]\nDescription=What goes down\nWants=vctld.service vctl-guests.service\n' >$units/host.target
systemctl daemon-reload
virsh -q create /dev/stdin <<'TEXT'
<domain type='kvm'><name>foreign</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
TEXT
systemctl start host.target
systemctl stop host.target
# Waits for what that has begun.
systemctl stop vctld
is "the unit" inactive "$(systemctl is-active vctld)"
is "virsh domstate" "shut off" "$(virsh domstate nested | head -n 1)"
is "virsh domstate of another's" running "$(virsh domstate foreign | head -n 1)"
virsh -q destroy foreign
is "what stopped the guests" success "$(systemctl show -P Result vctl-guests)"
journalctl --sync
is "failed commands of the unit" "" "$(journalctl -q -u vctl-guests -o cat | grep 'status=' || true)"
systemctl start vctld
vctl waitready --timeout 3m

vctl vm delete nested --yes
vctl image delete tiny --yes
is "domains left" "" "$(virsh -q list --all --name)"
