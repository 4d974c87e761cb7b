# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Packages from the machine's own mirror without touching its apt: sources,
# lists and archives are in folders of ours. To be sourced after lib.sh. apt checks
# everything against the archive's keys; a list that does not pass is not used.
#
# Four worlds, each with a folder in the cache:
#   native   packages of the machine's own suite, to be installed
#   foreign  ppc64el packages of Debian 12, only ever unpacked
#   source   source packages of Debian 13, only ever unpacked
#   kernels  linux-source-* of Debian 13's backports, only ever unpacked

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# The foreign world is always this suite: it has both kernel series, and its
# packages never meet those of the machine.
FOREIGN_SUITE=bookworm

# The release with QEMU 10, and with the newest kernels in its backports.
SOURCE_SUITE=trixie

# machine_suites: "URI suite" of each Debian suite in the machine's own apt
# configuration, which apt itself lists without going to the network.
machine_suites()
{
	apt-get update --print-uris 2>/dev/null |
	sed -nE "s|^'([^']*)/dists/([^']*)/InRelease'.*|\1 \2|p" |
	grep -E " $(machine_codename)(-|/|\$)" | sort -u
}

machine_codename()
{
	(
		# shellcheck disable=SC1091
		. /etc/os-release
		echo "${VERSION_CODENAME:-unknown}"
	)
}

# source_line ARCH URI SUITE
source_line()
{
	echo "deb [arch=$1 signed-by=$KEYRING] $2 $3 main"
}

# write_sources WORLD: sources.list of that world on standard output. The foreign
# one names amd64 too, for the kernel's build tools, which run on this machine.
write_sources()
{
	local code main arch uri suite

	code=$(machine_codename)
	arch=$(dpkg --print-architecture)
	main=$(machine_suites | sed -n "s/ $code\$//p" | head -n 1)
	[ -n "$main" ] ||
		die "apt on this machine has no source for Debian '$code'" \
		    "the lab needs Debian 12 or newer, with its archive among apt's sources"

	if [ "$1" = foreign ]; then
		source_line ppc64el,amd64 "$main" $FOREIGN_SUITE
		source_line ppc64el,amd64 "$main" $FOREIGN_SUITE-backports
		return
	fi
	if [ "$1" = source ]; then
		echo "deb-src [signed-by=$KEYRING] $main $SOURCE_SUITE main"
		return
	fi
	if [ "$1" = kernels ]; then
		# Packages for all architectures are in each one's list.
		source_line "$arch" "$main" $SOURCE_SUITE-backports
		return
	fi
	machine_suites | while read -r uri suite; do
		source_line "$arch" "$uri" "$suite"
	done
	[ "$code" != bookworm ] ||
		source_line "$arch" "$main" bookworm-backports
}

# apt_in WORLD TOOL ARGS...: apt-get or apt-cache with that world's folders.
apt_in()
{
	local world=$1 tool=$2 dir=$CACHE/apt/$1
	local opt=(
		-o "Dir::State::Lists=$dir/lists"
		-o "Dir::Etc::SourceList=$dir/sources.list"
		-o Dir::Etc::SourceParts=/dev/null
		-o "Dir::Cache=$dir/cache"
		-o Dir::Cache::pkgcache=
		-o Dir::Cache::srcpkgcache=
		-o APT::Sandbox::User=root
		-o Acquire::Retries=3
		-q
	)
	shift 2

	if [ "$world" = foreign ]; then
		opt+=(
			-o APT::Architecture=ppc64el
			-o APT::Architectures::=ppc64el
			-o APT::Architectures::=amd64
		)
	fi
	if [ "$world" = foreign ] || [ "$world" = kernels ]; then
		opt+=(
			-o "Dir::State::status=$dir/status"
			-o Dir::Etc::Preferences=/dev/null
			-o Dir::Etc::PreferencesParts=/dev/null
			-o Debug::NoLocking=1
		)
	fi
	"$tool" "${opt[@]}" "$@"
}

# apt_refresh WORLD: writes its sources and fetches its package lists. A list that
# fails (a mirror in the middle of an update) is no reason to stop: what is needed
# from it will be missed by name.
apt_refresh()
{
	local dir=$CACHE/apt/$1

	[ -e "$KEYRING" ] ||
		die "$KEYRING is missing, so no package could be trusted" \
		    "install the package debian-archive-keyring"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	write_sources "$1" >"$dir/sources.list"
	apt_in "$1" apt-get update >"$dir/update.log" 2>&1 || {
		grep '^[EW]:' "$dir/update.log" >&2 || true
		say "warning: not every package list ($1) could be fetched; going on" \
		    "with those that were"
	}
}

# missing_packages NAME...: those that are not installed, or are too old: QEMU 7.2
# does not boot a powernv host with KVM HV, and QEMU 10 is built by meson 1.5.
missing_packages()
{
	local p version least

	for p; do
		version=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$p" \
			  2>/dev/null || true)
		case $p in
		qemu-system-*) least=1:10 ;;
		meson) least=1.5 ;;
		*) least=0 ;;
		esac
		case $version in
		installed\ *)
			dpkg --compare-versions "${version#* }" ge "$least" ||
				echo "$p" ;;
		*) echo "$p" ;;
		esac
	done
}

# install_packages [-t SUITE] NAME...
install_packages()
{
	# shellcheck disable=SC2016 # for the inner shell
	as_root env DEBIAN_FRONTEND=noninteractive bash -c '
		. "$1/lab/lib.sh"; . "$1/lab/apt.sh"
		CACHE=$2; shift 2
		apt_in native apt-get install -y --no-install-recommends "$@"
	' setup "$TOP" "$CACHE" "$@" >"$CACHE/apt/install.log" 2>&1 || {
		tail -n 5 "$CACHE/apt/install.log" >&2
		die "packages could not be installed: $*" \
		    "the whole output is in $CACHE/apt/install.log"
	}
	as_root chown -R "$(id -u):$(id -g)" "$CACHE/apt"
}

# install_missing NAME...: those that are not there, one clone at a time.
install_missing()
{
	local missing

	missing=$(missing_packages "$@" | xargs)
	[ -n "$missing" ] || return 0
	need apt-get apt
	mkdir -p "$CACHE/apt"
	exec 9>"$CACHE/lock"
	flock 9
	say "installing $missing"
	apt_refresh native
	# shellcheck disable=SC2086 # a list
	install_packages $missing
	exec 9>&-
}
