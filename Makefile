# SPDX-License-Identifier: GPL-2.0
#
# CCM: `make help` says what there is.

top := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

# The kernel to build for: the running one's headers, else the newest that are installed.
newest-headers = $(patsubst %/Module.symvers,%,$(lastword $(shell ls /usr/src/linux-headers-*/Module.symvers 2>/dev/null | sort -V)))
KDIR ?= $(or $(wildcard /lib/modules/$(shell uname -r)/build),$(newest-headers))
kernel-release := $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)

# Each kernel has a folder of its own with real folders and linked sources: builds for several kernels live side by
# side, and a second build compiles only what changed.
FLAVOUR ?= $(kernel-release)
build := $(top)/build/$(FLAVOUR)

# BTF of a module would need pahole and says nothing about C++.
kbuild = +$(MAKE) --no-print-directory -C $(KDIR) $(if $(ARCH),ARCH=$(ARCH)) CONFIG_DEBUG_INFO_BTF_MODULES=

all: ccm
	@ln -sf build/$(FLAVOUR)/ccm/ccm.ko ccm.ko
	@echo "ccm.ko is for kernel $(kernel-release)"

# $(call link-sources,FOLDER,PATHS): mirrors the sources under PATHS into FOLDER.
define link-sources
	@cd $(top) && find $(2) -type f \( -name '*.[ch]' -o -name '*.[ch]pp' -o -name '*.sh' -o -name Kbuild \) ! -name '*.mod.c' \
		! -path src/kernel/sizes.h | while read -r file; do \
		[ -e "$(1)/$$file" ] || { mkdir -p "$(1)/$$(dirname "$$file")" && ln -s "$(top)/$$file" "$(1)/$$file"; }; \
	done
	@find $(1) -xtype l -delete
endef

need-kernel:
	@test -n "$(kernel-release)" || { \
		echo "make: no kernel headers in '$(KDIR)': install linux-headers-amd64 or set KDIR" >&2; exit 1; }

ccm: need-kernel
	$(call link-sources,$(build)/ccm,Kbuild src include)
	$(kbuild) M=$(build)/ccm modules
	@$(top)/tests/vm/no-constructors.sh $(KDIR) $(build)/ccm/ccm.ko

kunit: need-kernel
	$(call link-sources,$(build)/kunit,Kbuild src include tests/kunit)
	$(kbuild) M=$(build)/kunit CCM_KUNIT=y modules

# Against the public header alone, as any consumer would be.
samples: ccm
	$(call link-sources,$(build)/consumers,samples include)
	$(kbuild) M=$(build)/consumers/samples KBUILD_EXTRA_SYMBOLS=$(build)/ccm/Module.symvers modules

ccmctl:
	+$(MAKE) --no-print-directory -C tools/ccmctl

# These do all their own set-up; nothing of theirs touches the machine's own kernel.
demo:
	@tests/vm/demo.sh

test:
	@tests/vm/test.sh

check:
	@tests/vm/check.sh

clean:
	rm -rf build ccm.ko
	+$(MAKE) --no-print-directory -C tools/ccmctl clean

help:
	@echo 'make            ccm.ko for KDIR ($(or $(KDIR),no kernel headers found))'
	@echo 'make samples    the sample consumers, for the same kernel'
	@echo 'make ccmctl     the tool that configures it'
	@echo 'make demo       three virtual machines talk; shows what CCM does'
	@echo 'make test       every test, in virtual machines'
	@echo 'make check      the quick tests: the core on the host, KUnit on User Mode Linux'
	@echo 'make clean      removes what was built here; $${XDG_CACHE_HOME:-~/.cache}/ccm keeps the downloads and test kernels'

.PHONY: all need-kernel ccm kunit samples ccmctl demo test check clean help
