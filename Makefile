# SPDX-License-Identifier: GPL-2.0
#
# kvm-hv-ext: 'make help' lists what there is.

# The kernels of the lab to build for.
KERNELS ?= 6.1 6.12 6.12-4k

.PHONY: help setup modules qemu bench shell clean

help:
	@sed -n 's/^##//p' Makefile

## make setup        install the build packages, fetch kernels and programs
setup:
	@lab/setup

## make modules      cross-build both modules for the lab's kernels
modules: setup
	@lab/build $(KERNELS)

## make qemu         build QEMU with mended CPU models (lab/qemu)
qemu: setup
	@lab/qemu-build

## make bench        measure resizes against stock KVM (half an hour)
bench: setup
	@lab/bench

## make shell        a prompt on an emulated POWER9 host
shell: modules
	@lab/host --shell

## make clean        remove everything that was built
clean:
	@rm -rf build
