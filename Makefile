# SPDX-License-Identifier: Apache-2.0
# make          build/yagura: one statically linked file
# make demo     the same, and start it with a sample company on loopback
# make test     unit tests (sanitizers), API tests, browser tests
# make unit T=network   one test by the name of its file; api-test and ui-test too
# make check    format, floors, bans, warnings as errors, static analysis
# make tsan     unit tests again, for data races
# make bench    figures beside the limits measured in the same run
# make soak M=20 D=30   long use    make torture N=1000   kills under load
# make fuzz N=60   seconds a target
# make ui-together N=2000   two people on one plan, random edits each
# make deb      a Debian package
# make dist     source with all it needs to build offline, and the binary
# make www      the browser UI alone        make clean
VERSION := 0.1.0
# no clock is right that is before this day
RELEASED := 2026-11-01
B       := build
S       := $(B)/third
JOBS    := $(shell nproc)
PORT    ?= 8080
DATA    ?= $(B)/demo
JFLAG   := $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
MAKEFLAGS += --no-print-directory $(JFLAG)
export NODE_USE_SYSTEM_CA := 1
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo test unit api-test ui-test ui-together tsan check bench torture fuzz dist www clean
all: $(B)/yagura

# ---- what is compiled ----
SRC   := $(wildcard src/*.c src/*/*.c src/*/*/*.c)
TESTS := $(wildcard test/*/*_test.c test/*/*/*_test.c)
BENCH := $(wildcard test/bench/*.c)
FUZZ  := $(wildcard test/fuzz/*_fuzz.c)
AIDS  := $(wildcard test/*/*_server.c test/*/*/*_server.c)
PROBES := $(wildcard test/*/*_probe.c test/*/*/*_probe.c)
NEXT  := $(wildcard test/*/*_next.c test/*/*/*_next.c)
WWW   := $(if $(wildcard www/package-lock.json),$(shell find www -type f \
  -not -path '*/node_modules/*' -not -path 'www/policy/*' -not -name '*.test.ts'))

# ---- flags ----
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wcast-qual \
  -Wwrite-strings -Wundef -Wformat=2 -Wvla -Wswitch-enum -Wimplicit-fallthrough \
  -Wdouble-promotion -Wredundant-decls -Wnull-dereference
GCCW := -Wlogical-op -Wduplicated-cond -Wduplicated-branches
CONF := -D_GNU_SOURCE -DMBEDTLS_CONFIG_FILE='<mbedtls_config.h>' -DUTF8PROC_STATIC \
  -isystem third_party/config $(foreach d,mbedtls/include civetweb/include \
  sqlite cjson argon2/include utf8proc zlib mxml,-isystem $(S)/$(d))
OURS := -std=c11 -fno-common -Isrc -Itest -DYAGURA_VERSION='"$(VERSION)"' $(CONF)
HARD := -O2 -fPIE -fstack-protector-strong -fstack-clash-protection \
  -fcf-protection -ftrivial-auto-var-init=zero -fno-strict-overflow \
  -fno-delete-null-pointer-checks -ffunction-sections -fdata-sections
SAN  := -O1 -g -fno-omit-frame-pointer
UB   := -fsanitize=undefined -fno-sanitize-recover=undefined

# release: musl, static and position independent.  gcc -static-pie looks for
# glibc, so its start files are named here; build/yagura checks the outcome.
GCCF = $(shell gcc -print-file-name=$(1))
CC_release   := gcc -nostdinc -isystem $(B)/musl/include -isystem $(call GCCF,include) \
  -ffile-prefix-map=$(CURDIR)=. $(HARD)
HEAD_release := gcc -nostdlib -static-pie -Wl,-z,relro,-z,now,-z,noexecstack \
  -Wl,-z,stack-size=1048576,--gc-sections \
  $(B)/musl/lib/rcrt1.o $(B)/musl/lib/crti.o $(call GCCF,crtbeginS.o)
TAIL_release := -Wl,--start-group $(B)/musl/lib/libc.a -lgcc -lgcc_eh \
  -Wl,--end-group $(call GCCF,crtendS.o) $(B)/musl/lib/crtn.o
# asan: the system's libc, sanitizers; undefined behaviour of others is theirs
CC_asan   := gcc $(SAN) -fsanitize=address
HEAD_asan := gcc -fsanitize=address,undefined
TAIL_asan := -lm -lpthread
# fuzz: clang's own driver
CC_fuzz   := clang $(SAN) -fsanitize=address,fuzzer-no-link
CC_fuzz_sqlite := clang -O1 # fuzzed by its own people; instrumented it takes minutes
HEAD_fuzz := clang -fsanitize=address,undefined,fuzzer
TAIL_fuzz := -lm -lpthread
# tsan: the same tests once more, for data races
CC_tsan   := gcc $(SAN) -fsanitize=thread
HEAD_tsan := gcc -fsanitize=thread
TAIL_tsan := -lm -lpthread
UB_tsan   := $(GCCW)
UB_asan   := $(UB) $(GCCW)
UB_fuzz   := $(UB)
UB_release := $(GCCW)
MOVE := -O2 -fno-stack-protector -fno-builtin -fno-tree-loop-distribute-patterns

# ---- sources of others: fetched, verified, unpacked, patched ----
$(B)/setup-%: scripts/setup
	@scripts/setup $*
	@mkdir -p $(B) && touch $@
$(S)/%/.stamp: third_party/lock | $(B)/setup-build
	@third_party/fetch $* $(S)/$* && touch $@
$(S)/zxcvbn/.stamp: third_party/lock-data
$(S)/civetweb/.stamp: $(wildcard third_party/patches/civetweb-*.patch)
$(S)/mimalloc/.stamp: $(wildcard third_party/patches/mimalloc-*.patch)

# musl's own build, as its files are chosen by machine
$(B)/musl/.stamp: $(S)/musl/.stamp
	@echo "  musl"
	@rm -rf $(B)/musl && mkdir -p $(B)/musl/obj
	@cd $(B)/musl/obj && CFLAGS="-O2 -fPIE -ffile-prefix-map=$(CURDIR)=." \
	  ../../third/musl/configure --prefix=$(CURDIR)/$(B)/musl --disable-shared \
	  --disable-wrapper >configure.log && $(MAKE) install >make.log 2>&1
	@for d in linux asm asm-generic; do for s in /usr/include/$$d \
	  /usr/include/$$(gcc -print-multiarch)/$$d; do \
	  [ ! -d $$s ] || ln -sfn $$s $(B)/musl/include/$$d; done; done
	@rm -rf $(B)/musl/obj/src && touch $@

X86  := $(filter x86_64,$(shell uname -m))
LIBS := civetweb mbedtls $(if $(X86),7zip) sqlite cjson argon2 utf8proc zlib mxml
LIBS_release := mimalloc
SRC_civetweb := src/civetweb.c
SRC_mbedtls  := library/*.c
SRC_7zip     := $(addprefix C/,Sha256.c Sha256Opt.c CpuArch.c) \
  ../../../third_party/glue/sha256.c
SRC_sqlite   := sqlite3.c
SRC_cjson    := cJSON.c
SRC_argon2   := $(addprefix src/,argon2.c core.c encoding.c blake2/blake2b.c \
  $(if $(X86),opt.c,ref.c))
SRC_utf8proc := utf8proc.c
SRC_zlib     := adler32.c compress.c crc32.c deflate.c inffast.c inflate.c \
  inftrees.c trees.c uncompr.c zutil.c
SRC_mxml     := mxml-*.c
SRC_mimalloc := src/static.c

# $(1) variant, $(2) library.  All warnings off: what is wrong is upstream's.
define library
$(B)/$(1)/lib/$(2).a: $(S)/$(2)/.stamp $(S)/mbedtls/.stamp $(if $(filter release,$(1)),$(B)/musl/.stamp) \
    $(wildcard third_party/config/$(2)_config.h third_party/config/$(2)/*) \
    $(if $(filter civetweb 7zip,$(2)),third_party/config/mbedtls_config.h $(wildcard third_party/glue/*))
	@echo "  lib   $(1) $(2)"
	@rm -rf $(B)/$(1)/lib/$(2) && mkdir -p $(B)/$(1)/lib/$(2)
	@ls $(SRC_$(2):%=$(S)/$(2)/%) | xargs -P$(JOBS) -I{} sh -c 'c=$$$$1; shift; \
	  $$(or $$(CC_$(1)_$(2)),$$(CC_$(1))) -w "$$$$@" -c $$$$c -o $(B)/$(1)/lib/$(2)/$$$$(basename $$$$c .c).o' \
	  sh {} $(patsubst %,-include %,$(wildcard third_party/config/$(2)_config.h)) $$(CONF) \
	  -Ithird_party/config/$(2) -Ithird_party/glue -I$(S)/$(2)/library \
	  $(if $(filter mimalloc,$(2)),-I$(S)/mimalloc/include) $(if $(filter 7zip,$(2)),-I$(S)/7zip/C)
	@rm -f $$@ && ar crsD $$@ $(B)/$(1)/lib/$(2)/*.o
endef

# $(1) variant: our objects, the binary without the UI (bare) and with it.
define variant
$(foreach l,$(LIBS) $(LIBS_$(1)),$(eval $(call library,$(1),$(l))))
LIB_$(1) := $(patsubst %,$(B)/$(1)/lib/%.a,$(LIBS) $(LIBS_$(1))) $(if $(filter release,$(1)),$(B)/release/lib/move.a)
OBJ_$(1) := $(SRC:%.c=$(B)/$(1)/%.o) $(B)/$(1)/$(B)/cp932.o $(B)/$(1)/$(B)/common_password.o $(B)/$(1)/$(B)/sbom.o $(B)/$(1)/$(B)/texts.o $(B)/$(1)/$(B)/record.o
$(B)/$(1)/test/%: $(B)/$(1)/test/%.o $$$$(call below,$(1),$$$$(*D)) $$(LIB_$(1))
	@echo "  link  $$@"
	@$$(HEAD_$(1)) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) $$(TAIL_$(1)) $$(if $$(filter %_test,$$@),-lcmocka)
$(B)/$(1)/%.o: %.c $(B)/flags | $(LIBS:%=$(S)/%/.stamp) $(if $(filter release,$(1)),$(B)/musl/.stamp)
	@mkdir -p $$(@D)
	@echo "  cc    $(1) $$<"
	@$$(CC_$(1)) $$(OURS) $$(UB_$(1)) $$(WARN) $$(if $$(filter $(B)/%,$$<),-w) -MMD -MP -c $$< -o $$@
$(B)/$(1)/yagura: $(B)/$(1)/$(B)/assets.o
$(B)/$(1)/yagura-bare: $(B)/$(1)/$(B)/bare.o
$(B)/$(1)/yagura $(B)/$(1)/yagura-bare: $$(OBJ_$(1)) $$(LIB_$(1))
	@echo "  link  $$@"
	@$$(HEAD_$(1)) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) $$(TAIL_$(1))
-include $(patsubst %.c,$(B)/$(1)/%.d,$(SRC) $(TESTS) $(AIDS) $(PROBES) $(BENCH) $(FUZZ))
endef
# What a program in test/DIR is linked with: the floors that DIR may know.
FLOOR_base := base
FLOOR_db   := db base
FLOOR_http := http base
FLOOR_net  := net base
FLOOR_plan := plan base
FLOOR_core := core plan net db base
floor = $(FLOOR_$(firstword $(subst /, ,$(1))))
below = $(filter $(if $(call floor,$(2)),$(addsuffix /%,$(addprefix $(B)/$(1)/src/,$(call floor,$(2)))) $(B)/$(1)/$(B)/%,%),$(filter-out \
  %/src/main.o $(if $(call floor,$(2)),%/record.o),$(OBJ_$(1)))) $(B)/$(1)/$(B)/bare.o
.SECONDEXPANSION:
$(foreach v,release asan tsan fuzz,$(eval $(call variant,$(v))))

# the release after this one, as far as a data directory can tell
$(B)/asan/next/yagura: $(filter-out %/src/db/version.o,$(OBJ_asan)) $(NEXT:%.c=$(B)/asan/%.o) $(B)/asan/$(B)/assets.o $(LIB_asan)
	@mkdir -p $(@D)
	@echo "  link  $@"
	@$(HEAD_asan) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(TAIL_asan)

# the release with the tests' clock, for make soak
$(B)/soak/clock.o: src/base/clock.c $(B)/flags | $(B)/musl/.stamp
	@mkdir -p $(@D)
	@echo "  cc    soak $<"
	@$(CC_release) $(OURS) -DYAGURA_TEST -DYAGURA_RELEASED=0 $(WARN) -MMD -MP -c $< -o $@
$(B)/soak/yagura: $(filter-out %/src/base/clock.o,$(OBJ_release)) $(B)/soak/clock.o $(B)/release/$(B)/assets.o $(LIB_release)
	@echo "  link  $@"
	@$(HEAD_release) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(TAIL_release)
-include $(B)/soak/clock.d

$(B)/release/lib/move.a: third_party/glue/move.c $(B)/flags | $(B)/musl/.stamp
	@mkdir -p $(@D)
	@$(CC_release) $(MOVE) -c $< -o $(@D)/move.o
	@rm -f $@ && ar crsD $@ $(@D)/move.o

CLOCK := $(B)/asan/src/base/clock.o $(B)/tsan/src/base/clock.o $(B)/release/src/base/clock.o \
  $(B)/fuzz/src/base/clock.o $(B)/check/src/base/clock.c.gcc $(B)/check/src/base/clock.c.tidy
$(CLOCK): private OURS += -DYAGURA_RELEASED=$(shell expr $$(date -u -d $(RELEASED) +%s) / 86400)
$(B)/asan/src/base/clock.o: private OURS += -DYAGURA_TEST # its clock can be moved
$(B)/flags: Makefile | $(B)/setup-build # all is compiled anew only if the flags change
	@echo '$(subst ','\'',$(CC_release) $(CC_asan) $(CC_fuzz) $(OURS))' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(B)/yagura: $(B)/release/yagura
	@strip -o $@.new $<
	@! readelf -l $@.new | grep -q INTERP || { echo "$@ is not static" >&2; exit 1; }
	@readelf -h $@.new | grep -q DYN || { echo "$@ is not a PIE" >&2; exit 1; }
	@mv $@.new $@ && echo "  $@ $$(stat -c %s $@) bytes"

# ---- generated ----
NODE := $(CURDIR)/$(S)/node/bin/node
NPM  := PATH="$(CURDIR)/$(S)/node/bin:$$PATH" npm_config_cache="$(or $(wildcard \
  $(CURDIR)/vendor/npm),$${XDG_CACHE_HOME:-$$HOME/.cache}/yagura/npm)" $(NODE) \
  $(CURDIR)/$(S)/npm/bin/npm-cli.js
TOOLS := $(S)/node/.stamp $(S)/npm/.stamp
$(B)/embed: scripts/embed.c | $(B)/setup-build
	@gcc -O1 -o $@ $<
$(B)/cp932.c: scripts/cp932.mjs $(S)/node/.stamp
	@$(NODE) $< >$@
$(B)/sbom.c: scripts/sbom.mjs third_party/lock third_party/lock-data third_party/dates www/package-lock.json LICENSE \
    $(LIBS:%=$(S)/%/.stamp) $(S)/mimalloc/.stamp $(S)/node/.stamp \
    $(if $(WWW),www/node_modules/.stamp)
	@$(NODE) $< $(VERSION) >$@.new && mv $@.new $@
# who made it of what: of the binaries alone, no test links it anew for a commit
$(B)/record.c: scripts/record.mjs $(S)/node/.stamp FORCE
	@$(NODE) $< >$@.new && { cmp -s $@.new $@ || cp $@.new $@; }
.PHONY: FORCE
$(B)/texts.c: scripts/texts.mjs $(wildcard www/policy/*/*.md) $(S)/node/.stamp
	@$(NODE) $< >$@.new && mv $@.new $@
$(B)/common_password.c: scripts/common_password.mjs $(S)/zxcvbn/.stamp $(S)/node/.stamp
	@$(NODE) $< $(S)/zxcvbn >$@
$(B)/bare.c: schema.sql $(B)/embed
	@$(B)/embed schema.sql >$@
$(B)/assets.c: schema.sql $(B)/embed $(if $(WWW),$(B)/www.stamp) $(B)/openapi.json
	@mkdir -p $(B)/www/api && cp $(B)/openapi.json $(B)/www/api/
	@$(B)/embed schema.sql $(B)/www $$(find $(B)/www -type f 2>/dev/null | LC_ALL=C sort) >$@
$(B)/types.stamp: $(B)/release/yagura-bare
	@$< types >$(B)/types.new
	@cmp -s $(B)/types.new $(B)/types.ts || cp $(B)/types.new $(B)/types.ts
	@$< openapi >$(B)/openapi.new
	@cmp -s $(B)/openapi.new $(B)/openapi.json || cp $(B)/openapi.new $(B)/openapi.json
	@touch $@
$(B)/types.ts $(B)/openapi.json: $(B)/types.stamp
	@:
%/node_modules/.stamp: %/package-lock.json $(TOOLS)
	@echo "  npm   $*"
	@cd $* && $(NPM) ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error
	@touch $@
$(B)/www.stamp: $(WWW) $(B)/types.ts www/node_modules/.stamp
	@echo "  vite"
	@cd www && $(NODE) node_modules/vite/bin/vite.js build --outDir ../$(B)/www --emptyOutDir --logLevel warn
	@[ ! -d www/manual ] || cp -r www/manual $(B)/www/
	@touch $@
www: $(B)/www.stamp
include scripts/targets.mk
