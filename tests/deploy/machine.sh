#!/usr/bin/env bash
# machine.sh SCRIPT OUTPUT: runs SCRIPT as root on a throw-away machine: this one's files under an overlay, namespaces of its own for
# processes, mounts and the network (loopback only), and a real systemd. Real paths, users and ports; nothing of it is left behind.
# Exit code: the script's; 77 where such a machine cannot be made, with the reason.
set -euo pipefail
cannot() { echo "not run: $1"; exit 77; }

if [[ ${1:-} != --inside ]]; then
  script=$(realpath "$1") output=$(realpath -m "$2") here=$(realpath "$0")
  ((EUID == 0)) || cannot "a throw-away machine needs root"
  [[ -x /lib/systemd/systemd ]] || cannot "a throw-away machine needs Debian's package systemd"
  mkdir -p "$output" && rm -f "$output"/{log,code}
  work=$(mktemp -d) group=idp-walk-$$
  cgroups=() init=
  for folder in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
    if [[ -e $folder/cgroup.procs ]]; then cgroups+=("$folder"); fi
  done
  # shellcheck disable=SC2317
  end() {
    [[ ! $init ]] || { kill -KILL "$init" && wait "$init"; } 2>/dev/null || true
    local folder
    for folder in "${cgroups[@]}"; do
      for _ in {1..50}; do
        find "$folder/$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [[ -e $folder/$group ]] || break
        sleep 0.1
      done
    done
    rm -rf "$work"
  }
  trap end EXIT
  trap 'exit 130' INT TERM
  for folder in "${cgroups[@]}"; do mkdir "$folder/$group" 2>/dev/null || cannot "control groups may not be made here"; done
  # The subshell goes into the groups and becomes the machine; this shell stays where it was.
  (
    for folder in "${cgroups[@]}"; do echo "$BASHPID" >"$folder/$group/cgroup.procs"; done
    exec unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child --propagation private bash "$here" --inside "$work" "$script" "$output" "$PWD"
  ) >"$output/boot.log" 2>&1 &
  init=$!
  : >>"$output/log"
  tail -n +1 -f --pid="$init" "$output/log" &
  until [[ -e $output/code ]]; do
    if ! kill -0 "$init" 2>/dev/null; then
      tail -n 5 "$output/boot.log"
      init=
      cannot "a throw-away machine does not start here (namespaces or an overlay are not allowed)"
    fi
    sleep 0.2
  done
  sleep 1.2
  exit "$(cat "$output/code")"
fi

# --- inside ---
work=$2 script=$3 output=$4 folder=$5 root=$work/root
mount -t tmpfs none "$work"
mkdir "$work"/{upper,scratch,root,cgroup}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/scratch" "$root"
ip link set lo up
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs none "$root/dev"
for device in null zero full random urandom tty; do cp -a "/dev/$device" "$root/dev/"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
touch "$root/dev/console" && mount --bind /dev/null "$root/dev/console"
for place in dev/shm run tmp; do mount -t tmpfs none "$root/$place"; done
mkdir -p "$root$folder"
# The repository may be on another file system, or in /tmp, which is a new one in there.
if [[ $(stat -c %d "$folder") != "$(stat -c %d /)" || $folder == /tmp/* ]]; then mount --bind "$folder" "$root$folder"; fi
mkdir -p "$root$output"
mount --bind "$output" "$root$output"
if [[ -e /sys/fs/cgroup/systemd/cgroup.procs ]]; then
  mount -t tmpfs none "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
  mount -t cgroup -o none,name=systemd systemd "$root/sys/fs/cgroup/systemd"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified" || true
else
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
fi
install -m 755 "$script" "$root/run/walk"
units=$root/etc/systemd/system
printf '[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\nWants=walk.service\n' >"$units/walk.target"
cat >"$units/walk.service" <<END
[Unit]
After=sysinit.target dbus.socket
Wants=dbus.socket
[Service]
Type=oneshot
WorkingDirectory=$folder
Environment=HOME=/root LANG=C.UTF-8
ExecStart=/run/walk
ExecStopPost=/bin/sh -c 'case \$EXIT_STATUS in [0-9]*) echo \$EXIT_STATUS;; *) echo 1;; esac >$output/code.new; mv $output/code.new $output/code'
StandardOutput=append:$output/log
StandardError=inherit
TimeoutStartSec=1200
END
# Not a chroot: in one, units that ask for a user namespace (PrivateUsers) do not start.
mkdir "$root/run/outside"
cd "$root"
pivot_root . run/outside
exec env -i container=lxc PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /bin/sh -c 'umount -l /run/outside; exec /lib/systemd/systemd --unit=walk.target'
