# SPDX-License-Identifier: Apache-2.0
# Everything that is done with this repository. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help deps build release test test-fast test-newer lab lab-shell fuzz demo lint fmt schemas
.PHONY: bench man install clean

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

deps: ## install the Debian packages that building and testing need (root; starts no service)
	@Tests/lab/deps.sh

build: deps ## build vctl and vctld for development, into .build/debug
	$(SWIFT) build

release: deps ## build vctl and vctld for use, with Swift linked in, into .build/release
	$(SWIFT) build -c release --static-swift-stdlib --product vctl
	$(SWIFT) build -c release --static-swift-stdlib --product vctld
	$(SWIFT) build -c release --static-swift-stdlib --product vctl-guard

test: ## run all tests, with real guests too; installs, builds and cleans up by itself (root)
	@Tests/lab/test.sh

test-fast: ## run the tests that need no guest
	@Tests/lab/test.sh --fast

test-newer: ## the tests with real guests on Debian 13's libvirt and QEMU (root)
	@Tests/lab/test.sh --newer

lab: deps ## run Tests/lab/vm/*.sh, or SCRIPT=FILE, in a VM that is a whole Debian host (root)
	$(SWIFT) build --product vctl
	$(SWIFT) build --product vctld
	$(SWIFT) build --product vctl-guard
	@Tests/lab/guest.sh
	@Tests/lab/labvm run $(SCRIPT)

lab-shell: deps ## a root shell in such a VM, with vctl and vctld installed (root)
	$(SWIFT) build --product vctl
	$(SWIFT) build --product vctld
	$(SWIFT) build --product vctl-guard
	@Tests/lab/guest.sh
	@Tests/lab/labvm shell

fuzz: deps ## hold the running API against its description with made-up requests (root)
	$(SWIFT) build
	@Tests/lab/guest.sh
	@Tests/lab/fuzz.sh

demo: ## show a real guest, from an image to its own words; cleans up (root; KEEP=1 leaves it running)
	@Tests/lab/demo.sh

lint: ## check formatting, sizes, licences, shell scripts and what is tracked; changes nothing
	@Tests/lab/lint.sh

fmt: ## bring all Swift code into the form that lint wants
	$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests

schemas: deps ## write Schemas/ and Config/ again, after a change of the code that they are derived from
	$(SWIFT) build --product vctld
	.build/debug/vctld --print-openapi >.build/openapi.json && mv .build/openapi.json Schemas/
	.build/debug/vctld --print-config >.build/vctld.toml && mv .build/vctld.toml Config/
	VCTL_REGENERATE=1 $(SWIFT) test --disable-xctest --filter '^VctlCoreTests\.InventorySchemaTests'

bench: release ## compare with peers; prints ratios measured in one run (root)
	@Benchmarks/run

man: ## write the manual pages into .build/man (run `make release` or `make build` first)
	@program=.build/release/vctl; [ -x $$program ] || program=.build/debug/vctl; \
		[ -x $$program ] || { echo "run 'make release' first" >&2; exit 1; }; \
		rm -rf .build/man; $$program man .build/man; echo ".build/man: $$(ls .build/man | wc -l) pages"

install: ## install the release build; PREFIX=/usr/local DESTDIR= (run `make release` first)
	@test -x .build/release/vctl -a -x .build/release/vctld || { echo "run 'make release' first" >&2; exit 1; }
	install -D -m 755 .build/release/vctl '$(DESTDIR)$(PREFIX)/bin/vctl'
	install -D -m 755 .build/release/vctl-guard '$(DESTDIR)$(PREFIX)/bin/vctl-guard'
	install -D -m 755 .build/release/vctld '$(DESTDIR)$(PREFIX)/sbin/vctld'
	rm -rf .build/share && mkdir -p .build/share
	.build/release/vctl man .build/share/man1
	.build/release/vctl completion bash >.build/share/vctl
	.build/release/vctl completion zsh >.build/share/_vctl
	.build/release/vctl completion fish >.build/share/vctl.fish
	install -d -m 755 '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 644 .build/share/man1/*.1 '$(DESTDIR)$(PREFIX)/share/man/man1/'
	install -D -m 644 .build/share/vctl '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vctl'
	install -D -m 644 .build/share/_vctl '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_vctl'
	install -D -m 644 .build/share/vctl.fish '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/vctl.fish'
	install -d -m 755 '$(DESTDIR)$(PREFIX)/lib/systemd/system' '$(DESTDIR)/etc/vctl'
	for unit in vctld vctl-firewall; do \
		sed -E 's|^(Exec[A-Za-z]*=)[^ ]*/vctld|\1$(PREFIX)/sbin/vctld|' "systemd/$$unit.service" \
			>"$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit.service"; \
	done
	sed -E 's|^(ExecStop=-)[^ ]*/vctl|\1$(PREFIX)/bin/vctl|' systemd/vctl-guests.service \
		>'$(DESTDIR)$(PREFIX)/lib/systemd/system/vctl-guests.service'
	install -D -m 644 systemd/vctld.sysusers '$(DESTDIR)$(PREFIX)/lib/sysusers.d/vctld.conf'
	@test -e '$(DESTDIR)/etc/vctl/vctld.toml' && echo "kept: $(DESTDIR)/etc/vctl/vctld.toml" \
		|| install -m 644 Config/vctld.toml '$(DESTDIR)/etc/vctl/vctld.toml'

clean: ## remove everything that was built
	rm -rf .build
