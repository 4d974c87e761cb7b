# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What every lab script needs: where things are, and how to speak to the user.
# To be sourced. Defines TOP (the clone), BUILD (its output, or LAB_BUILD), CACHE (shared
# by all clones of one user) and the functions below.

set -euo pipefail

# Where Debian has depmod, and who is not root does not look.
PATH=$PATH:/usr/sbin:/sbin

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # for the scripts that source this file
BUILD=${LAB_BUILD:-$TOP/build}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/kvm-hv-ext
# shellcheck disable=SC2034
CROSS=powerpc64le-linux-gnu-

# built_kernels: those that lab/kernel-build makes, one a file.
built_kernels()
{
	local file

	for file in "$TOP"/lab/kernels/[0-9]*.config; do
		file=${file##*/}
		echo "${file%.config}"
	done
}

# The kernels of the lab: series and page size. Debian has the first ones prebuilt.
LAB_KERNELS="6.1 6.12 6.12-4k $(built_kernels | xargs)"

say()
{
	printf 'lab: %s\n' "$*" >&2
}

# die MESSAGE [WHAT-TO-DO...]: one line on what is wrong, then the ways out.
die()
{
	say "error: $1"
	shift
	for line; do
		say "       $line"
	done
	exit 1
}

# need COMMAND PACKAGE: stops unless the command is there.
need()
{
	command -v "$1" >/dev/null ||
		die "the command '$1' is missing (Debian package $2)" \
		    "run 'make setup', or install that package"
}

# kernel_dir KERNEL: where that kernel is unpacked; stops on a name the lab
# does not know or a kernel that setup has not fetched.
kernel_dir()
{
	local k

	for k in $LAB_KERNELS; do
		[ "$k" = "$1" ] || continue
		[ -e "$CACHE/kernels/$1/release" ] ||
			die "kernel $1 is not in the cache" \
			    "run 'make setup', or 'lab/kernel-build $1' if it is one of ours"
		echo "$CACHE/kernels/$1"
		return
	done
	die "there is no kernel '$1' in the lab" "choose one of: $LAB_KERNELS"
}

# slower KERNEL: how many times as long anything may take with it. selftests/lib/host.c has
# the same for what runs on the host.
slower()
{
	case $1 in
	*-debug|*-kcsan) echo 5 ;;
	*) echo 1 ;;
	esac
}

# kernel_release KERNEL: its release string, as uname -r gives it.
kernel_release()
{
	cat "$(kernel_dir "$1")/release"
}

# kernel_headers KERNEL: the tree to build external modules against.
kernel_headers()
{
	echo "$(kernel_dir "$1")/usr/src/linux-headers-$(kernel_release "$1")"
}

# version: of all that is here.
version()
{
	sed -n 's/.*KVM_HV_EXT_VERSION\t"\(.*\)"/\1/p' "$TOP/include/version.h"
}

# host_options MACHINE:KERNEL: what lab/hosts.cfg says of that emulated host.
host_options()
{
	local pattern options

	while read -r pattern options; do
		# shellcheck disable=SC2254 # a pattern
		case $1 in
		$pattern)
			echo "$options"
			return ;;
		esac
	done < <(grep -v '^#' "$TOP/lab/hosts.cfg")
}

# make_selftests TARGET...: what is in C for hosts and their Linux guests, in
# build/selftests.
make_selftests()
{
	need "${CROSS}gcc" gcc-powerpc64le-linux-gnu
	make -s -C "$TOP/selftests" "CROSS_COMPILE=$CROSS" \
		"OUTPUT=$BUILD/selftests" "$@"
}

# as_root COMMAND...: runs it as root, through sudo for everybody else.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "'$1' must run as root and there is no sudo" \
		    "run 'make setup' once as root, or install sudo"
	fi
}
