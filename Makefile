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
	@ln -sf build/$(FLAVOUR)/ccm/kccm.ko kccm.ko
	@echo "kccm.ko is for kernel $(kernel-release)"

# $(call link-sources,FOLDER,PATHS): mirrors the sources under PATHS into FOLDER. Targets that share one may do so at
# the same time (make -j): who finds a link made in between replaces it.
define link-sources
	@cd $(top) && find $(2) -type f \( -name '*.[ch]' -o -name '*.[ch]pp' -o -name '*.sh' -o -name Kbuild -o -name dkms.conf \) ! -name '*.mod.c' \
		! -path src/kernel/sizes.h | while read -r file; do \
		[ -e "$(1)/$$file" ] || { mkdir -p "$(1)/$$(dirname "$$file")" && ln -sf "$(top)/$$file" "$(1)/$$file"; }; \
	done
	@find $(1) -ignore_readdir_race -xtype l -delete
endef

need-kernel:
	@test -n "$(kernel-release)" || { \
		echo "make: no kernel headers in '$(KDIR)': install linux-headers-amd64 or set KDIR" >&2; exit 1; }

ccm: need-kernel
	$(call link-sources,$(build)/ccm,Kbuild dkms.conf src include)
	$(kbuild) M=$(build)/ccm modules
	@$(top)/tests/vm/no-constructors.sh $(KDIR) $(build)/ccm/kccm.ko

kunit: need-kernel
	$(call link-sources,$(build)/kunit,Kbuild dkms.conf src include tests/kunit)
	$(kbuild) M=$(build)/kunit CCM_KUNIT=y modules

# Against the public header alone, as any consumer would be.
samples: ccm
	$(call link-sources,$(build)/consumers,samples include)
	$(kbuild) M=$(build)/consumers/samples KBUILD_EXTRA_SYMBOLS=$(build)/ccm/Module.symvers modules

# The smoke test's own consumer.
test-consumer: ccm
	$(call link-sources,$(build)/consumers,tests/vm/consumer include)
	$(kbuild) M=$(build)/consumers/tests/vm/consumer ccflags-y=-I$(build)/consumers/include \
		KBUILD_EXTRA_SYMBOLS=$(build)/ccm/Module.symvers modules

# What `make bench` loads.
bench-module: ccm
	$(call link-sources,$(build)/consumers,bench/kernel include)
	$(kbuild) M=$(build)/consumers/bench/kernel KBUILD_EXTRA_SYMBOLS=$(build)/ccm/Module.symvers modules

# The examples of Documentation/api.rst, as a consumer.
examples: ccm
	$(call link-sources,$(build)/consumers,tests/vm/examples include)
	@$(top)/tests/vm/examples.sh $(build)/consumers/tests/vm/examples
	$(kbuild) M=$(build)/consumers/tests/vm/examples ccflags-y='-I$(build)/consumers/include -Werror' \
		KBUILD_EXTRA_SYMBOLS=$(build)/ccm/Module.symvers modules

ccmctl:
	+$(MAKE) --no-print-directory -C tools/ccmctl

# What a consumer is built with lies in /usr/src: the header, and for each kernel the symbols with their CRCs.
PREFIX         ?= /usr/local
version        := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' $(top)/dkms.conf)
module-file    := $(DESTDIR)/lib/modules/$(kernel-release)/extra/kccm.ko
tool-file      := $(DESTDIR)$(PREFIX)/sbin/ccmctl
manual-files   := $(DESTDIR)$(PREFIX)/share/man/man8/ccmctl.8 $(DESTDIR)$(PREFIX)/share/man/man5/ccm-cluster.toml.5
completion     := $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ccmctl
example-file   := $(DESTDIR)$(PREFIX)/share/doc/ccm/cluster.toml
unit-file      := $(DESTDIR)$(PREFIX)/lib/systemd/system/ccm.service
tool-files     := $(tool-file) $(manual-files) $(completion) $(example-file) $(unit-file)
consumers-need := $(DESTDIR)/usr/src/ccm-$(version)
# A kernel with Secure Boot loads only what is signed by a key that it has: give SIGN_KEY and SIGN_CERT, as for the
# kernel's sign-file.
sign-hash       = $(or $(shell sed -n 's/^CONFIG_MODULE_SIG_HASH="\{0,1\}\([a-z0-9-]*\).*/\1/p' $(KDIR)/include/config/auto.conf),sha256)
sign            = $(KDIR)/scripts/sign-file $(sign-hash) '$(SIGN_KEY)' '$(or $(SIGN_CERT),$(error SIGN_KEY needs SIGN_CERT))'
not-signed     := kccm.ko is not signed: a machine with Secure Boot refuses it (give SIGN_KEY and SIGN_CERT, see README.md)
depmod          = $(if $(DESTDIR),,PATH="$$PATH:/usr/sbin:/sbin" depmod $(kernel-release))

install: ccm ccmctl
	install -D -m 644 $(build)/ccm/kccm.ko $(module-file)
	$(if $(SIGN_KEY),$(sign) $(module-file),@echo '$(not-signed)')
	install -D -m 644 $(top)/include/ccm/ccm.h $(consumers-need)/include/ccm/ccm.h
	install -D -m 644 $(build)/ccm/Module.symvers $(consumers-need)/$(kernel-release)/Module.symvers
	install -D -m 755 $(top)/build/ccmctl $(tool-file)
	for file in $(manual-files); do install -D -m 644 $(top)/Documentation/$$(basename $$file) $$file || exit 1; done
	install -D -m 644 $(top)/tools/ccmctl/ccmctl.bash $(completion)
	install -D -m 644 $(top)/tools/ccmctl/cluster.toml $(example-file)
	install -d $(dir $(unit-file))
	sed 's,@sbin@,$(PREFIX)/sbin,' $(top)/tools/ccmctl/ccm.service >$(unit-file)
	$(depmod)

# The header, the tool and what goes with it stay while CCM is installed for another kernel.
uninstall: need-kernel
	rm -f $(module-file) $(consumers-need)/$(kernel-release)/Module.symvers
	ls $(consumers-need)/*/Module.symvers >/dev/null 2>&1 || \
		rm -f $(consumers-need)/include/ccm/ccm.h $(tool-files)
	@rmdir $(dir $(module-file)) $(consumers-need)/$(kernel-release) $(consumers-need)/include/ccm \
		$(consumers-need)/include $(consumers-need) $(dir $(example-file)) 2>/dev/null || :
	$(depmod)

# These do all their own set-up; nothing of theirs touches the machine's own kernel.
demo:
	@tests/vm/demo.sh $(ARCHES)

test:
	@tests/vm/test.sh

test-arch:
	@tests/vm/test.sh arch

test-long:
	@tests/vm/test.sh long $(SLICE)

check:
	@tests/vm/check.sh

# SEED=n: one run, and not a minute of them.
sim:
	@+$(MAKE) --no-print-directory -C tests/host sim

lint:
	@tests/vm/lint.sh

bench:
	@bench/run.sh

clean:
	rm -rf build kccm.ko
	+$(MAKE) --no-print-directory -C tools/ccmctl clean

help:
	@echo 'make            kccm.ko for KDIR ($(or $(KDIR),no kernel headers found))'
	@echo 'make samples    the sample consumers, for the same kernel'
	@echo 'make ccmctl     the tool that configures it'
	@echo 'make install    all of it for one kernel, and what consumers are built with; DESTDIR, PREFIX; make uninstall'
	@echo '                SIGN_KEY=KEY SIGN_CERT=CERTIFICATE signs the module, for machines with Secure Boot'
	@echo 'make demo       three virtual machines talk; shows what CCM does'
	@echo '                ARCHES="x86_64 arm64 s390x" gives each another architecture'
	@echo 'make test       every test, in virtual machines'
	@echo 'make test-arch  the tests of other architectures: a cluster of x86_64, arm64 and s390x'
	@echo 'make test-long  faults at random, and again and again, the newest kernels, and clang; SLICE=2/3 is the second of three slices of it'
	@echo 'make check      the quick tests: the core on the host, KUnit on User Mode Linux'
	@echo 'make sim        whole clusters in one program, played by chance, for a minute; SEED=n plays one of them again'
	@echo 'make lint       what linters say of the sources; a part of make test'
	@echo 'make bench      CCM beside raw sockets, SUNRPC and iperf3, in counted instructions; bench/results has what came out'
	@echo 'make clean      removes what was built here; $${XDG_CACHE_HOME:-~/.cache}/ccm keeps the downloads and test kernels'

.PHONY: all need-kernel ccm kunit samples test-consumer bench-module examples ccmctl install uninstall demo \
	test test-arch test-long check sim lint bench clean help
