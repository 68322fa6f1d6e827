#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds a Debian 12 cloud image (cloud-init, qemu-guest-agent, sshd; boots by BIOS) from Debian's packages:
# debian12.qcow2 in OUTDIR (default: .build/lab of the repository). Does nothing when it is there and the
# recipe has not changed; Debian's updates alone are no reason to build again.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C

here=$(dirname "$(readlink -f "$0")")
mkdir -p "${1:-$here/../../.build/lab}"
out=$(cd "${1:-$here/../../.build/lab}" && pwd)
mirror=${VCTL_LAB_MIRROR:-http://deb.debian.org/debian}
root_uuid=76637400-0000-4000-8000-0000000000aa
# With it set, Python's packages would be compiled to bytecode that hashes its source at every import.
unset SOURCE_DATE_EPOCH

packages=(
    linux-image-cloud-amd64 initramfs-tools lz4 kmod systemd-sysv systemd-resolved udev dbus
    cloud-init cloud-guest-utils qemu-guest-agent openssh-server sudo
    iproute2 iputils-ping ca-certificates e2fsprogs fdisk less procps
)

say() { echo "cloud-image: $*" >&2; }

exec 9>"$out/.debian12.lock"
flock 9
key=$(sha256sum <"$here/cloud-image.sh" | cut -d' ' -f1)
if [ -e "$out/debian12.qcow2" ] && [ "$(cat "$out/.debian12.key" 2>/dev/null)" = "$key" ]; then
    say "up to date in $out"
    exit 0
fi
[ "$(id -u)" -eq 0 ] || {
    say "needs root to unpack packages"
    exit 1
}
# Not below /tmp as such, which may be memory: the unpacked system takes 700 MB.
work=$(mktemp -d "$out/.debian12.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

bootstrap() {
    # No manuals and translations: half of the files of a small system.
    mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        bookworm "$root" "deb $mirror bookworm main" "deb $mirror bookworm-updates main" \
        "deb ${mirror%/debian}/debian-security bookworm-security main" >"$work/log" 2>&1 || {
        tail -n 30 "$work/log" >&2
        exit 1
    }
}

configure_system() {
    printf 'UUID=%s / ext4 defaults,noatime 0 1\n' "$root_uuid" >"$root/etc/fstab"
    # Each instance makes its own identity.
    rm -f "$root"/etc/ssh/ssh_host_*
    : >"$root/etc/machine-id"
    : >"$root/etc/hostname"
    printf 'deb %s bookworm main\n' "$mirror" >"$root/etc/apt/sources.list"
    cat >"$root/etc/cloud/cloud.cfg.d/90-image.cfg" <<'TEXT'
# Looking for the data sources of public clouds costs seconds and finds nothing.
datasource_list: [NoCloud, None]
apt_preserve_sources_list: true
ssh_genkeytypes: [ed25519]
locale: false
system_info:
  network:
    renderers: [networkd]
# All of the general modules. Each that is loaded for nothing costs time under emulation: so none for
# configuration managers, other distributions and services that are not installed.
cloud_init_modules: [seed_random, bootcmd, write-files, growpart, resizefs, disk_setup, mounts, set_hostname,
  update_hostname, update_etc_hosts, ca-certs, users-groups, ssh]
cloud_config_modules: [ssh-import-id, locale, set-passwords, apt-configure, timezone, runcmd]
cloud_final_modules: [package-update-upgrade-install, write-files-deferred, scripts-vendor, scripts-per-once,
  scripts-per-boot, scripts-per-instance, scripts-user, ssh-authkey-fingerprints, final-message,
  power-state-change]
TEXT
    chroot "$root" systemctl -q enable systemd-networkd systemd-resolved ssh
    # Nothing here may use the network or the CPU by itself while a test measures.
    chroot "$root" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer \
        e2scrub_reap.service fstrim.timer man-db.timer dpkg-db-backup.timer
}

configure_initramfs() {
    # What any VM of ours can boot from, and no more: the boot loader and the guest read all of it.
    printf 'MODULES=list\nCOMPRESS=lz4\n' >"$root/etc/initramfs-tools/conf.d/image"
    printf '%s\n' virtio_pci virtio_blk virtio_scsi sd_mod ext4 >>"$root/etc/initramfs-tools/modules"
    chroot "$root" update-initramfs -u -k all >>"$work/log" 2>&1
    rm -rf "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/log/apt
}

# A FAT partition that syslinux boots from, and ext4 as the last one, so that growpart can grow it. No loop
# device is needed: syslinux, mtools and mke2fs write inside an image file.
build_disk() {
    local disk=$work/disk.raw fat=$work/boot.fat boot_sectors=131072 root_start=133120
    truncate -s 2G "$disk"
    sfdisk -q "$disk" <<TEXT
label: dos
label-id: 0x76637401
start=2048, size=$boot_sectors, type=e, bootable
start=$root_start, type=83
TEXT
    dd if=/usr/lib/syslinux/mbr/mbr.bin of="$disk" bs=440 count=1 conv=notrunc status=none
    truncate -s $((boot_sectors * 512)) "$fat"
    mkfs.vfat -F 16 -n BOOT -i 76637401 --invariant -h 2048 "$fat" >/dev/null
    cat >"$work/syslinux.cfg" <<TEXT
DEFAULT debian
PROMPT 0
TIMEOUT 0
LABEL debian
  LINUX vmlinuz
  INITRD initrd.img
  APPEND root=UUID=$root_uuid rw console=tty0 console=ttyS0 quiet no_timer_check net.ifnames=0
TEXT
    mcopy -i "$fat" "$root"/boot/vmlinuz-* ::vmlinuz
    mcopy -i "$fat" "$root"/boot/initrd.img-* ::initrd.img
    mcopy -i "$fat" "$work/syslinux.cfg" ::syslinux.cfg
    syslinux --install "$fat"
    dd if="$fat" of="$disk" bs=1M seek=1 conv=notrunc,sparse status=none
    mke2fs -q -t ext4 -L root -U "$root_uuid" -E "offset=$((root_start * 512))" -d "$root" \
        "$disk" $((2 * 1024 * 1024 - root_start / 2 - 1))k
    qemu-img convert -O qcow2 -o compat=1.1 "$disk" "$work/debian12.qcow2"
}

say "building in $out (a few minutes)"
bootstrap
configure_system
configure_initramfs
build_disk
rm -f "$out/.debian12.key"
mv "$work/debian12.qcow2" "$out/"
echo "$key" >"$out/.debian12.key"
say "built: $(du -h "$out/debian12.qcow2" | cut -f1) $out/debian12.qcow2"
