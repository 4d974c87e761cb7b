# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# What it takes to start another kernel by kexec in a Linux guest, and to read the dump of a
# crash. To be sourced on the emulated host.

kernel=$LAB_KERNEL
tools=/cache/crash-tools
brought=/tmp/brought
run='/guest/ld64.so.2 --library-path /guest'

# What they take of libraries: kexec, and who looks at a dump.
libraries="ld64.so.2 libc.so.6"
more_libraries="libdw.so.1 libelf.so.1 libz.so.1 liblzma.so.5 libbz2.so.1.0 liblzo2.so.2
	libzstd.so.1"

# copy FOLDER LIBRARY...
copy()
{
	local folder=$1 library lib=lib/powerpc64le-linux-gnu

	shift
	for library; do
		cp -L $tools/$lib/"$library" "$folder/" 2>/dev/null ||
			cp -L $tools/usr/$lib/"$library" "$folder/"
	done
}

# bring: kexec and what it starts: the same kernel, with an initrd that has what it takes
# to look at a dump.
bring()
{
	local root=/tmp/second

	rm -rf $brought $root
	mkdir -p $brought $root/guest
	# shellcheck disable=SC2086 # lists
	{
		copy $brought $libraries
		copy $root/guest $libraries $more_libraries
	}
	cp $tools/usr/bin/makedumpfile $tools/sbin/vmcore-dmesg $root/guest/
	cp /lab/rootfs/guest-init $root/init
	( cat "/build/images/guest-$kernel.cpio"
	  cd $root && find . | cpio -o -H newc 2>/dev/null ) >$brought/second.cpio
	cp $tools/sbin/kexec $brought/
	cp "/cache/kernels/$kernel/boot/vmlinux-$(cat "/cache/kernels/$kernel/release")" \
		$brought/vmlinux
	rm -rf $root
	# What is started is not to check itself, which takes longer than to boot.
	cat >$brought/load <<-END
	#!/bin/sh
	exec $run /guest/kexec \$1 /guest/vmlinux --no-checks --initrd=/guest/second.cpio \\
		--append='console=hvc0 disable_radix panic=1 nr_cpus=1 quiet' >/dev/null
	END
	chmod +x $brought/load
}

# load -l|-p: for kexec, or for a crash.
load()
{
	guest exec -t 100 "load $1"
}

# crash SECONDS: until the guest is up again. Some kernels have no key for that.
crash()
{
	if guest exec '[ -w /proc/sysrq-trigger ]'; then
		guest reboot "$1" 'echo c >/proc/sysrq-trigger'
	else
		guest monitor nmi && guest await "$1"
	fi
}

# dump: the dump is there, and has the crash in its log. makedumpfile of Debian 12 does not
# know kernels of series 7.
dump()
{
	guest exec -t 100 "[ -s /proc/vmcore ] || exit 1
		{ $run /guest/makedumpfile --dump-dmesg /proc/vmcore /tmp/log ||
			$run /guest/vmcore-dmesg /proc/vmcore >/tmp/log; } 2>&1 |
			sed 's/^/# /'
		grep -E 'Kernel panic|pseries_hpt: order' /tmp/log | sed 's/^/# /' | grep ."
}
