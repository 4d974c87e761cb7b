# SPDX-License-Identifier: GPL-2.0
#
# kvm-hv-ext: 'make help' lists what there is.

# The kernels of the lab to build for.
KERNELS ?= 6.1 6.12 6.12-4k
# On a real POWER host: the kernel to build for.
KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build

# LAB=host uses this machine, which must be a POWER host, instead of emulated
# ones. It is never chosen for you.
LAB ?= emulated
ifeq ($(filter emulated host,$(LAB)),)
$(error LAB=$(LAB): choose LAB=host (this machine) or leave it out)
endif

.PHONY: help setup kernels modules modules_install clean shell demo check unit lint docs qemu bench check-patches check-vmm check-vmm-host check-migrate check-two-hosts \
	deb rpm man install-dkms install-hpt-resize hpt-resize

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

## On any Debian machine (12 or newer), with an emulated POWER host:
##
##   make demo         resize the HPT of a running Linux guest
##   make check        build and test everything on a POWER9 host
##   make check MATRIX=all
##                     on POWER8, POWER9 and POWER10, with all kernels
##   make check MATRIX=debug
##                     the selftests there with a kernel that watches itself: KASAN,
##                     lockdep, kmemleak (an hour or two, and a kernel to build)
##   make shell        a prompt on an emulated POWER9 host
##   make setup        install build packages, fetch kernels (the others do it too)
##   make kernels      build the kernels that are not to be fetched (20 minutes)
##   make modules      cross-build the modules for 6.1 and 6.12, or for KERNELS="7.3 7.3-4k"
##   make bench        measure resizes against stock KVM (ten minutes)
##   make qemu         build QEMU with mended CPU models (lab/qemu)
##   make check QEMU=built
##                     the same tests under that one, among them guest stop
##   make check-patches
##                     apply the patches for host and guest to Linux 6.12 and 7.3,
##                     compile, and boot a guest (40 minutes, and QEMU)
##   make soak HOURS=2
##                     the same few tests over and over, on a host that preempts
##   make mutants      break the module on purpose, and see which test notices (an hour)
##   make coverage     which lines and branches the tests reach (two hours)
##   make check-vmm    build QEMU with the patches of kvm-hv/qemu, and test it (20 minutes)
##   make check-vmm-host
##                     the same on an emulated host, with KVM (30 minutes)
##   make check-migrate
##                     what takes long of migration, or MATRIX="power8:6.12 ..." (10 minutes)
##   make check-two-hosts
##                     a guest goes from one host to another, of another kernel or CPU, or
##                     without kvm-hv-ext (10 minutes)
##   make unit         unit tests of the HPT arithmetic
##   make lint         checkpatch, shellcheck, kernel-doc, codespell
##   make docs         web pages of Documentation, in build/docs
##   make deb          packages for Debian and Ubuntu, in build/packages: the
##                     modules by DKMS, and the guest's tool
##   make rpm          the same for distributions with RPM
##   make check-packages
##                     install, build and remove them in a Debian for POWER
##   make clean        remove everything that was built
##
## On a POWER host with KVM HV, for its own kernel and as it is:
##
##   make modules LAB=host
##   make hpt-resize           (the guest's tool, in build)
##   make modules_install LAB=host
##   make check LAB=host       (as root; runs virtual machines on this machine)

ifeq ($(LAB),host)

modules modules_install clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

check: modules
	@lab/check-here

setup kernels demo shell qemu bench check-patches check-vmm check-vmm-host check-migrate \
check-two-hosts soak mutants coverage deb rpm check-packages:
	@echo "make $@ is for the emulated host: leave out LAB=host" >&2; exit 1

else

setup:
	@lab/setup

kernels: setup
	@lab/kernel-build

modules: setup
	@lab/kernel-build $(KERNELS)
	@lab/build $(KERNELS)

modules_install:
	@echo "for this machine's own kernel: make modules_install LAB=host" >&2
	@exit 1

demo: setup
	@lab/kernel-build $(or $(KERNEL),6.12)
	@lab/demo

check: setup
	@lab/check

shell: setup
	@lab/build 6.12
	@lab/host --shell

qemu: setup
	@lab/qemu-build

check-vmm: setup
	@lab/qemu-build vmm
	@lab/check-vmm

check-vmm-host: setup
	@lab/qemu-build
	@lab/qemu-build vmm-host
	@lab/check-vmm host

check-migrate: setup
	@lab/qemu-build
	@TESTS="guest-migrate*" lab/check

check-two-hosts: setup
	@lab/qemu-build
	@lab/kernel-build 6.1 6.12 7.3
	@lab/check-vmm two-hosts

bench: setup
	@lab/bench

check-patches: setup
	@lab/qemu-build
	@lab/check-patches

.PHONY: soak mutants coverage check-packages
mutants: setup
	@lab/qemu-build
	@lab/kernel-build 6.12 7.3-4k
	@lab/mutants

coverage: setup
	@lab/coverage

soak: setup
	@lab/kernel-build $(or $(KERNEL),7.3-4k)
	@lab/soak

deb rpm:
	@lab/package $@

check-packages: setup
	@lab/check-packages

clean:
	@rm -rf build

endif

# The guest's tool, for this machine or by CC for another.
hpt-resize: build/hpt-resize

build/hpt-resize: pseries-guest/tools/hpt-resize.c
	@mkdir -p build
	$(CC) -O2 -Wall -Wextra $(CFLAGS) $(LDFLAGS) -o $@ $<

unit: setup
	@$(MAKE) -s -C selftests/unit OUTPUT=$(CURDIR)/build/unit run

lint: setup
	@lab/lint

docs:
	@lab/docs

# What follows is for debian/rules and the spec file of RPM: how the packages' files are
# made, and where they go.
VERSION = $(shell sed -n 's/.*_VERSION\t"\(.*\)"/\1/p' include/version.h)
SOURCE = $(DESTDIR)/usr/src/kvm-hv-ext-$(VERSION)
DOC = $(DESTDIR)/usr/share/doc/kvm-hv-ext-dkms
SPHINX = sphinx-build -q -b man

man:
	$(SPHINX) Documentation build/man

install-dkms:
	install -d $(SOURCE) $(DOC) $(DESTDIR)/etc/modprobe.d $(DESTDIR)/usr/share/man/man7
	cp -r Kbuild dkms.conf include kvm-hv pseries-guest $(SOURCE)
	rm -rf $(foreach dir,test patches modprobe.conf tools udev,$(SOURCE)/*/$(dir))
	install -m 644 kvm-hv/modprobe.conf $(DESTDIR)/etc/modprobe.d/kvm-hv-ext.conf
	install -d $(DESTDIR)/usr/lib/udev/rules.d
	install -m 644 pseries-guest/udev/90-pseries-hpt.rules $(DESTDIR)/usr/lib/udev/rules.d
	install -m 755 pseries-guest/udev/hpt-kdump-reload $(DESTDIR)/usr/lib/udev
	install -m 644 build/man/*.7 $(DESTDIR)/usr/share/man/man7
	cp -r README.md SECURITY.md NEWS Documentation/ABI \
		$(filter-out %/index.rst %/news.rst %/contributing.rst %/abi-files.rst,$(wildcard \
			Documentation/*.rst)) $(DOC)

install-hpt-resize: build/hpt-resize
	install -d $(DESTDIR)/usr/sbin $(DESTDIR)/usr/share/man/man8
	install -m 755 build/hpt-resize $(DESTDIR)/usr/sbin
	install -m 644 pseries-guest/tools/hpt-resize.8 $(DESTDIR)/usr/share/man/man8
