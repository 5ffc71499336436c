# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# The first thing every guest's init sources: a small system, its report, and its end.
#
# The kernel's command line sets ccm_report (where the report goes; may be a pattern) and ccm_end (how this machine is
# switched off).

/bin/busybox mkdir -p /proc /sys /dev /run /tmp /sbin /usr/bin /usr/sbin
/bin/busybox --install -s
PATH=/bin:/sbin:/usr/bin:/usr/sbin
export PATH
# iproute2's, where it is packed: busybox prefers its own commands to what PATH has. Its own knows no namespaces.
IP=/usr/lib/iproute2/ip
[ -x $IP ] || IP=ip
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
# From here on a complaint of the kernel is our doing: judge.sh looks for this line.
echo "<5>ccm guest: init runs" >/dev/kmsg
stalls=/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress
[ ! -f $stalls ] || echo 0 >$stalls
$IP link set lo up

# Stock kernels have their drivers as modules; "order" lists those packed here, each after what it needs.
if [ -f /modules/order ]; then
	while read -r module; do insmod "/modules/$module"; done </modules/order
fi

# Descriptor 3 is the report: a file of the host (User Mode Linux) or a virtio serial port.
case $ccm_report in
/dev/*)
	# Drivers take their time, and s390x finds its devices in any order: the port may be of the second one.
	tries=0
	# shellcheck disable=SC2086
	until port=$(ls $ccm_report 2>/dev/null) || [ $tries = 50 ]; do sleep 0.1; tries=$((tries + 1)); done
	exec 3<>"$port"
	;;
*)
	mkdir -p /host
	mount -t hostfs -o "${ccm_report%/*}" none /host
	exec 3>"/host/${ccm_report##*/}"
	;;
esac

report() { echo "$*" >&3; }

# check NAME COMMAND...: one case of the report. Its output goes to the console.
check() {
	name=$1
	shift
	if "$@"; then report "ok $name"; else report "not ok $name"; fi
}

end() {
	sync
	$ccm_end
	sleep 60
}
