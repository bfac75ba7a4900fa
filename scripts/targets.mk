# SPDX-License-Identifier: Apache-2.0
# What is run rather than built: the demo, tests, checks, releases.
# Included by the Makefile; its names are used.

demo: $(B)/yagura
	@$(B)/yagura demo --port $(PORT) --data $(DATA)

# ---- tests: unit and API under sanitizers, UI against the release ----
export ASAN_OPTIONS ?= detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS ?= print_stacktrace=1
test: unit api-test ui-test
	@$(NODE) scripts/record.mjs --passed test
$(TESTS:%.c=$(B)/asan/%.o) $(TESTS:%.c=$(B)/tsan/%.o): | $(B)/setup-test
# T names one test by its file: that alone is built, and nothing runs before it
UNITS := $(TESTS:%.c=$(B)/asan/%)
unit: $(if $(T),$(filter %/$(T)_test,$(UNITS)),$(UNITS))
	@$(if $^,,$(error there is no test/*/$(T)_test.c))scripts/unit $^
tsan: $(TESTS:%.c=$(B)/tsan/%)
	@scripts/unit $^
# what hangs is killed and named, each file for itself
NODE_TEST := $(NODE) --test --test-timeout=600000
TEST_ENV := YAGURA=$(CURDIR)/$(B)/asan/yagura YAGURA_NEXT=$(CURDIR)/$(B)/asan/next/yagura YAGURA_RELEASE=$(CURDIR)/$(B)/yagura
API_TESTS = $(sort $(wildcard test/api/*/$(or $(T),*).test.ts))
api-test: $(if $(T),,unit) $(B)/asan/yagura $(B)/asan/next/yagura $(AIDS:%.c=$(B)/asan/%) $(PROBES:%.c=$(B)/release/%) $(B)/yagura test/node_modules/.stamp | $(B)/setup-test
	@$(if $(API_TESTS),,$(error there is no test/api/*/$(or $(T),*).test.ts))
	@$(TEST_ENV) N=$(or $(N),20) $(NODE_TEST) --test-concurrency=2 $(API_TESTS)
UI_TESTS = $(sort $(wildcard test/ui/*/$(or $(T),*).test.ts www/src/*/$(or $(T),*).test.ts www/src/*/*/$(or $(T),*).test.ts))
ui-test: $(if $(T),,api-test) $(B)/yagura test/node_modules/.stamp | $(B)/setup-test
	@$(if $(UI_TESTS),,$(error there is no test/ui/*/$(or $(T),*).test.ts nor one in www/src))
	@$(if $(T)$(filter test/%,$(UI_TESTS)),,$(error there are no browser tests))
	@$(if $(filter www/%,$(UI_TESTS)),$(NODE_TEST) $(filter www/%,$(UI_TESTS)))
	@$(if $(filter test/%,$(UI_TESTS)),YAGURA=$(CURDIR)/$(B)/yagura $(NODE_TEST) --test-concurrency=2 $(filter test/%,$(UI_TESTS)))
# the operator's story with systemd, proxies, a relay and a store: as root,
# fetches a Debian once
ops-test: $(B)/yagura test/ops/node_modules/.stamp
	@scripts/package/deb $(VERSION)
	@test/ops/root $(B)/root/ops
	@$(NODE) --test --test-timeout=1200000 test/ops/story.test.ts
.PHONY: ops-test
# two people, random edits, latency, breaks, restarts: N edits each
ui-together: $(B)/yagura test/node_modules/.stamp | $(B)/setup-test
	@YAGURA=$(CURDIR)/$(B)/yagura EDITS=$(or $(N),2000) $(NODE) --test test/ui/work/together_random.test.ts
torture: $(B)/yagura $(S)/node/.stamp
	@$(TEST_ENV) N=$(or $(N),100) $(NODE) --test test/api/process/torture.test.ts
# Long use: M minutes of the release (20), D moved days (30) of the same sources
# with the tests' clock, both confined and watched by the kernel (root).
soak: $(B)/yagura $(B)/soak/yagura $(S)/node/.stamp | $(B)/setup-test
	@M=$(or $(M),20) D=$(or $(D),30) YAGURA_RELEASE=$(CURDIR)/$(B)/yagura YAGURA_CLOCK=$(CURDIR)/$(B)/soak/yagura \
	  $(NODE) --test --test-concurrency=1 'test/soak/*.test.ts'
.PHONY: soak
# one table: what, the limit beside it in the same run, figure, ratio, goal
bench: $(B)/yagura $(BENCH:%.c=$(B)/release/%) $(S)/node/.stamp test/node_modules/.stamp | $(B)/setup-test
	@printf '%-50s %10s %10s %8s   %s\n' what limit figure ratio goal
	@for b in $(BENCH:%.c=$(B)/release/%); do YAGURA=$(B)/yagura $$b 2>$(B)/bench.log || { tail -3 $(B)/bench.log; exit 1; }; done
	@YAGURA=$(B)/yagura $(NODE) test/bench/start.ts
	@YAGURA=$(B)/yagura $(NODE) test/bench/gantt_frames.ts
	@printf '%-50s %10s %8d K\n' 'the binary' - $$(($$(stat -c %s $(B)/yagura) / 1024))
$(FUZZ:%.c=$(B)/fuzz/%.o): | $(B)/setup-check
fuzz: $(FUZZ:%.c=$(B)/fuzz/%) | $(B)/setup-check
	@scripts/fuzz $(or $(N),10) $^

# ---- checks: what passed once is not looked at again until it changes ----
OURC := $(SRC) $(TESTS) $(AIDS) $(PROBES) $(NEXT) $(BENCH) $(FUZZ)
OURH := $(wildcard src/*/*.h src/*/*/*.h test/*/*.h test/*/*/*.h)
check: | $(B)/setup-check
check: $(B)/check/text $(OURC:%=$(B)/check/%.gcc) $(SRC:%=$(B)/check/%.tidy)
ifneq ($(WWW),)
check: $(B)/check/www
endif
check:
	@$(NODE) scripts/record.mjs --passed check
$(B)/check/text: $(OURC) $(OURH) .clang-format $(wildcard scripts/*) | $(B)/setup-check
	@mkdir -p $(@D)
	@scripts/layers
	@scripts/lint
	@clang-format --dry-run -Werror $(OURC) $(OURH)
	@touch $@
# gcc notes the headers it read, and clang-tidy comes after it
ifneq ($(filter check $(B)/check/%,$(MAKECMDGOALS)),)
-include $(wildcard $(OURC:%=$(B)/check/%.gcc.d))
endif
$(B)/check/%.gcc: % $(B)/flags | $(B)/setup-check $(LIBS:%=$(S)/%/.stamp)
	@mkdir -p $(@D)
	@echo "  check $<"
	@gcc -O2 $(OURS) $(WARN) $(GCCW) -Werror -fanalyzer -Wno-analyzer-malloc-leak \
	  -MMD -MP -MF $@.d -MT $@ -c $< -o $@.o && rm $@.o && touch $@
$(B)/check/%.tidy: % $(B)/check/%.gcc .clang-tidy | $(B)/setup-check $(LIBS:%=$(S)/%/.stamp)
	@mkdir -p $(@D)
	@echo "  tidy  $<"
	@timeout 180 clang-tidy --quiet $< -- $(OURS) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@
$(B)/check/www: $(B)/www.stamp
	@cd www && $(NODE) node_modules/svelte-check/bin/svelte-check --fail-on-warnings
	@mkdir -p $(@D) && touch $@

# the manual's pictures, taken anew
shots: $(B)/yagura test/node_modules/.stamp | $(B)/setup-test
	@YAGURA=$(CURDIR)/$(B)/yagura $(NODE) scripts/shots.ts
.PHONY: shots

deb: $(B)/yagura
	@scripts/package/deb $(VERSION)
.PHONY: deb
dist: $(B)/yagura $(if $(WWW),www/node_modules/.stamp)
	@scripts/dist $(VERSION)
clean:
	rm -rf $(B) www/node_modules test/node_modules
format:
	@clang-format -i $(OURC) $(OURH)
.PHONY: format
