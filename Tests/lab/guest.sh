#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the tiny guest from Debian packages: vmlinuz, guest.gz, guest-agent.gz and the bootable tiny.qcow2,
# in OUTDIR (default: .build/lab of the repository). Does nothing when they are there and still as the
# recipe says.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C

here=$(dirname "$(readlink -f "$0")")
mkdir -p "${1:-$here/../../.build/lab}"
out=$(cd "${1:-$here/../../.build/lab}" && pwd)
# The same input gives the same bytes: every time stamp in the images is this one (2025-01-01).
export SOURCE_DATE_EPOCH=1735689600

# Two test suites may ask for the guest at the same moment.
exec 9>"$out/.guest.lock"
flock 9

modules=(
    button evdev scsi_mod virtio_pci virtio_net virtio_blk virtio_scsi virtio_console virtio_balloon
    virtio-rng sd_mod sr_mod isofs vfat nls_ascii nls_cp437 nls_iso8859-1 nls_utf8
    virtio_mem virtiofs 8021q ahci
)

say() { echo "guest: $*" >&2; }

package_field() { # FIELD PACKAGE
    apt-cache show --no-all-versions "$2" 2>/dev/null | sed -n "s/^$1: //p"
}

kernel_package() { # the package that the metapackage stands for today
    package_field Depends linux-image-cloud-amd64 | grep -oE 'linux-image-[^ ]+-cloud-amd64' | head -n 1
}

versions() {
    local package
    for package in "$kernel" qemu-guest-agent; do
        echo "$package $(package_field Version "$package")"
    done
    # shellcheck disable=SC2016
    dpkg-query -W -f '${Package} ${Version}\n' busybox-static syslinux libc6 libglib2.0-0
}

download() { # PACKAGE: unpacks it into $work/PACKAGE
    local folder=$work/debs-$1
    mkdir "$folder"
    # A list that is older than the archive names a version that is gone.
    (cd "$folder" && { apt-get -q download "$1" || { apt-get -q update && apt-get -q download "$1"; }; }) \
        >"$work/apt.log" 2>&1 || {
        cat "$work/apt.log" >&2
        exit 1
    }
    dpkg-deb -x "$folder"/*.deb "$work/$1"
}

skeleton() {
    local applet
    mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,mnt,seed,data,www,root,var,etc/udhcpc} \
        "$root/etc/acpi/PWRF" "$root/lib/modules"
    ln -s bin "$root/sbin"
    ln -s ../run "$root/var/run"
    cp /bin/busybox "$root/bin/busybox"
    # Here and not with `busybox --install` in the guest, where it costs time at every boot.
    for applet in $(/bin/busybox --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    install -m 755 "$here/guest-init" "$root/init"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    # shellcheck disable=SC2016
    echo 'PS1="$(hostname):\w# "' >"$root/etc/profile"
}

scripts() {
    # All ways to power off lead here: the agent's guest-shutdown calls `shutdown`, the power button acpid's
    # rule.
    cat >"$root/bin/shutdown.new" <<'TEXT'
#!/bin/sh
sync
umount /data 2>/dev/null
case " $* " in
*" -r "*) reboot -f ;;
*) poweroff -f ;;
esac
TEXT
    mv -f "$root/bin/shutdown.new" "$root/bin/shutdown"
    ln -s /bin/shutdown "$root/etc/acpi/PWRF/00000080"
    cat >"$root/etc/udhcpc/default.script" <<'TEXT'
#!/bin/sh
case $1 in
bound | renew)
    ip -4 addr flush dev "$interface"
    ip addr add "$ip/${mask:-24}" dev "$interface"
    for gateway in $router; do ip route replace default via "$gateway" dev "$interface"; done
    for server in $dns; do echo "nameserver $server"; done >/etc/resolv.conf
    ;;
deconfig) ip -4 addr flush dev "$interface" ;;
esac
TEXT
    chmod 755 "$root/bin/shutdown" "$root/etc/udhcpc/default.script"
}

add_modules() {
    local unpacked=$work/$kernel version module file
    version=$(ls "$unpacked/lib/modules")
    depmod -b "$unpacked" "$version"
    for module in "${modules[@]}"; do
        # ahci is for other kernels: Debian's cloud kernel has none. What the guest needs is seen by its boot.
        { modprobe -d "$unpacked" -S "$version" --show-depends "$module" 2>/dev/null || true; } |
            while read -r kind file _; do
                [ "$kind" = insmod ] || continue
                file=${file#"$unpacked"}
                install -D -m 644 "$unpacked$file" "$root$file"
            done
    done
    cp "$unpacked/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "$root/lib/modules/$version/"
    depmod -b "$root" "$version"
    # busybox reads the text files only.
    (cd "$root/lib/modules/$version" && rm -f modules.*.bin modules.order modules.builtin.modinfo)
}

add_agent() {
    local library
    install -m 755 "$work/qemu-guest-agent/usr/sbin/qemu-ga" "$root/bin/qemu-ga"
    ldd "$root/bin/qemu-ga" | grep -oE '/[^ ]+' | while read -r library; do
        install -D -m 755 "$library" "$root$library"
    done
}

pack() { # FILE
    find "$root" -depth -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    (cd "$root" && find . -print0 | sort -z | cpio --null -o -H newc --quiet --reproducible -R 0:0) |
        gzip -9n >"$1"
}

# MBR, then a FAT partition that syslinux boots from, then 64 MiB of ext4 for data. No loop device is needed:
# syslinux, mtools and mke2fs all write inside an image file.
build_disk() {
    local boot=1048576 data=34603008 disk=$work/tiny.raw uuid=76637400-0000-4000-8000-000000000001
    truncate -s 96M "$disk"
    sfdisk -q "$disk" <<'TEXT'
label: dos
label-id: 0x7663746c
start=2048, size=65536, type=e, bootable
start=67584, type=83
TEXT
    dd if=/usr/lib/syslinux/mbr/mbr.bin of="$disk" bs=440 count=1 conv=notrunc status=none
    truncate -s 32M "$work/boot.fat"
    # The partition is written separately and knows at which sector of the disk it starts (-h).
    mkfs.vfat -F 16 -n VCTL-BOOT -i 7663746c --invariant -h 2048 "$work/boot.fat" >/dev/null
    cat >"$work/syslinux.cfg" <<'TEXT'
DEFAULT guest
PROMPT 0
TIMEOUT 0
LABEL guest
  LINUX vmlinuz
  INITRD guest.gz
  APPEND console=tty0 console=ttyS0 quiet no_timer_check
TEXT
    cp "$work/vmlinuz" "$work/boot-vmlinuz"
    touch -d "@$SOURCE_DATE_EPOCH" "$work"/{syslinux.cfg,vmlinuz,guest-agent.gz}
    mcopy -m -i "$work/boot.fat" "$work/vmlinuz" ::vmlinuz
    mcopy -m -i "$work/boot.fat" "$work/guest-agent.gz" ::guest.gz
    mcopy -m -i "$work/boot.fat" "$work/syslinux.cfg" ::syslinux.cfg
    syslinux --install "$work/boot.fat"
    dd if="$work/boot.fat" of="$disk" bs=1M seek=$((boot >> 20)) conv=notrunc,sparse status=none
    E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -L vctl-data -U "$uuid" \
        -E "offset=$data,hash_seed=$uuid,lazy_itable_init=0,root_owner=0:0" "$disk" 63M
    qemu-img convert -O qcow2 -o compat=1.1 "$disk" "$work/tiny.qcow2"
}

# Asking apt takes seconds; what it would say cannot have changed while its lists and dpkg's have not.
watched=("$here/guest.sh" "$here/guest-init" /var/lib/apt/lists /var/lib/dpkg/status)
stamp=$(stat -c '%n %Y' "${watched[@]}" | sha256sum)
if [ "$(cat "$out/.guest.stamp" 2>/dev/null)" = "$stamp" ]; then
    say "up to date in $out"
    exit 0
fi
kernel=$(kernel_package)
if [ -z "$kernel" ]; then
    say "apt knows no packages yet: updating its lists"
    apt-get -q update >/dev/null
    kernel=$(kernel_package)
fi
key=$({ cat "$here/guest.sh" "$here/guest-init"; versions; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$out/.guest.key" 2>/dev/null)" = "$key" ]; then
    echo "$stamp" >"$out/.guest.stamp"
    say "up to date in $out"
    exit 0
fi

say "building from $kernel in $out"
work=$(mktemp -d "$out/.guest.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
download "$kernel"
download qemu-guest-agent
cp "$work/$kernel"/boot/vmlinuz-* "$work/vmlinuz"
skeleton
scripts
add_modules
pack "$work/guest.gz"
add_agent
pack "$work/guest-agent.gz"
build_disk
# The key last: a build that was interrupted here is done again.
rm -f "$out/.guest.key" "$out/.guest.stamp"
mv "$work"/{vmlinuz,guest.gz,guest-agent.gz,tiny.qcow2} "$out/"
echo "$key" >"$out/.guest.key"
echo "$stamp" >"$out/.guest.stamp"
say "built: $(cd "$out" && du -h --apparent-size vmlinuz guest.gz guest-agent.gz tiny.qcow2 | tr '\n\t' ', ')"
