# xfiot: settings on top, plain rules below. Every setting can be given on the
# command line: make PREFIX=/opt/xfiot install

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
LUA     ?= lua5.4
CC      ?= cc
CFLAGS  ?= -O2 -g
# Empty on compilers whose warnings differ: make WERROR=
WERROR  ?= -Werror
# Set to address,undefined by `make sanitize`, to --coverage by `make coverage`.
SANITIZE ?=
COVERAGE ?=

VERSION := $(shell sed -n 's/^\#define XF_VERSION "\(.*\)"/\1/p' core/version.h)

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
           -Wmissing-prototypes -Wold-style-definition -Wcast-qual -Wundef -Wvla \
           -Wformat=2 -Wwrite-strings -Wpointer-arith -Wswitch-enum $(WERROR)
# -Wno-overlength-strings: the SQL schema of the journal is one text, and no C99 minimum
# that a compiler here is bound to.
WARNINGS += -Wno-overlength-strings
# $(call once,NAME,COMMAND): asked when the first recipe needs it, so that the
# packages are there by then, and never a second time.
once = $(eval $(1) := $(shell $(2)))$($(1))
PKG_CFLAGS = $(call once,PKG_CFLAGS,pkg-config --cflags lua5.4 lua5.4-cjson libcurl libcrypto libmicrohttpd gnutls sqlite3 \
             | sed 's/-I/-isystem /g')
PKG_LIBS = $(call once,PKG_LIBS,pkg-config --libs libcurl libcrypto libmicrohttpd gnutls sqlite3; echo -lpthread -lm)
# The static ones: the program needs no Lua package to be installed where it runs, and
# its virtual machine is not position-independent code. Lua's functions stay visible to
# the C modules that scripts load.
HOST_LIBS = -l:liblua5.4-cjson.a -l:liblua5.4.a -Wl,--export-dynamic-symbol='lua*' -ldl
HARDEN   = -fstack-protector-strong -fvisibility=hidden
INSTRUMENT = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all) $(COVERAGE)
OWN_CFLAGS = -std=c11 -D_GNU_SOURCE -fPIC $(CFLAGS) $(WARNINGS) $(HARDEN) $(INSTRUMENT)
ALL_CFLAGS = $(OWN_CFLAGS) $(PKG_CFLAGS)

# Only bind*.c, module.c and host.c include lua.h; the rest is CORE.
CORE_SRC := $(filter-out core/bind%.c core/module.c core/host.c,$(wildcard core/*.c))
BIND_SRC := $(wildcard core/bind*.c) core/module.c
LUA_SRC  := $(sort $(shell find lua -name '*.lua'))
SCRIPTS  := $(wildcard scripts/*.lua)
DEPLOY   := $(wildcard deploy/*.lua deploy/*/*)
TEST_SRC := $(wildcard spec/c/test_*.c)
SUPPORT_SRC := $(wildcard spec/support/*.c)

CORE_OBJ := $(CORE_SRC:%.c=$(BUILD)/%.o)
BIND_OBJ := $(BIND_SRC:%.c=$(BUILD)/%.o)
TEST_BIN := $(TEST_SRC:spec/c/%.c=$(BUILD)/spec/%)
SUPPORT_SO := $(SUPPORT_SRC:%.c=$(BUILD)/%.so)
MODULE   := $(BUILD)/lib/xfiot/core.so
HOST     := $(BUILD)/xfiot

# make V=1 shows the commands as they are.
say = $(if $(V),,@echo '  $(1)  $(patsubst $(BUILD)/%,%,$(2))';)

FUZZ ?= 600

.PHONY: all fuzz torture mutants demo test test-programs lint format sanitize coverage bench install uninstall clean packages help FORCE
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

all: $(HOST) $(MODULE)

help:
	@sed -n 's/^#: //p' Makefile

#: make            build the program and the Lua module, in build/
#: make demo       the four billing workflows against the built-in platform
#: make test       all C tests and specs; ONLY=sign runs those whose names hold "sign"
#: make lint       warnings, formatting, static analysis
#: make sanitize   all tests under address and undefined-behaviour sanitizers
#: make torture    thousands of recharges, killed at random: is any lost or doubled?
#: make mutants    planted faults of money handling: do the crash specs find each?
#: make fuzz       libFuzzer on what comes over wires, FUZZ=600 seconds each
#: make coverage   lines reached by the tests
#: make bench      the figures of the README, as ratios measured in one run
#: make install    into PREFIX (default /usr/local); make uninstall takes it out again

# ---- packages: what building needs, and what tests and checks need besides.
# Asked for every time (packages may go); nothing is rebuilt because of it.
$(BUILD)/.packages-%: FORCE
	@.ci/packages $*
	@mkdir -p $(BUILD) && touch $@
packages: $(BUILD)/.packages-build $(BUILD)/.packages-check

# ---- what the last build was made of; changed only when that changes, so that
# other flags recompile and a file that came or went relinks.
remember = @mkdir -p $(BUILD) && echo '$(subst ','\'',$(1))' > $@.new && \
           if cmp -s $@.new $@; then rm -f $@.new; else mv $@.new $@; fi
$(BUILD)/.flags: FORCE
	$(call remember,$(CC) $(OWN_CFLAGS) $(LDFLAGS))
$(BUILD)/.files: FORCE
	$(call remember,$(CORE_SRC) $(BIND_SRC) $(LUA_SRC) $(SCRIPTS))

# ---- objects
$(BUILD)/%.o: %.c $(BUILD)/.flags | $(BUILD)/.packages-build
	@mkdir -p $(@D)
	$(call say,CC  ,$@)$(CC) $(ALL_CFLAGS) -Icore -MMD -MP -c -o $@ $<

# nodelete: a thread of libcurl's that asks for a name may outlive its transfer, and Lua
# unloads the module, and libcurl with it, when the state closes.
$(MODULE): $(CORE_OBJ) $(BIND_OBJ) $(BUILD)/.files
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) -shared -Wl,-z,nodelete $(INSTRUMENT) $(LDFLAGS) -o $@ $(CORE_OBJ) $(BIND_OBJ) $(PKG_LIBS)

# Lua files, shipped scripts and argparse are carried inside the program.
$(BUILD)/embedded.c: core/embed.lua $(LUA_SRC) $(SCRIPTS) $(BUILD)/.files | $(BUILD)/.packages-build
	@mkdir -p $(@D)
	$(call say,LUA ,$@)$(LUA) core/embed.lua $(LUA_SRC) $(SCRIPTS) > $@
$(BUILD)/embedded.o: $(BUILD)/embedded.c core/embedded.h $(BUILD)/.flags
	$(call say,CC  ,$@)$(CC) $(ALL_CFLAGS) -Icore -c -o $@ $<

$(HOST): $(CORE_OBJ) $(BIND_OBJ) $(BUILD)/core/host.o $(BUILD)/embedded.o $(BUILD)/.files
	$(call say,LINK,$@)$(CC) $(INSTRUMENT) $(LDFLAGS) -o $@ $(filter %.o,$^) $(HOST_LIBS) $(PKG_LIBS)

# ---- tests
$(BUILD)/spec/test_%: spec/c/test_%.c $(CORE_OBJ) $(BUILD)/.flags $(BUILD)/.files | $(BUILD)/.packages-build
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) $(ALL_CFLAGS) -Icore -Ispec/c -Ispec/support -MMD -MP -MF $@.d -o $@ $< $(CORE_OBJ) $(LDFLAGS) $(PKG_LIBS)

$(BUILD)/spec/support/%.so: spec/support/%.c $(BUILD)/.flags | $(BUILD)/.packages-build
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) -Icore -shared -MMD -MP -MF $@.d -o $@ $< $(LDFLAGS) -lpthread

test-programs: $(HOST) $(MODULE) $(TEST_BIN) $(SUPPORT_SO) $(BUILD)/.packages-check

test: test-programs
	@$(LUA) spec/run.lua $(BUILD) $(TEST_BIN)

sanitize:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize SANITIZE=address,undefined CFLAGS='-O1 -g' test

# Counts of an earlier run would add up.
coverage:
	@find $(BUILD)/coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage COVERAGE=--coverage CFLAGS='-O0 -g' test
	@.ci/coverage $(BUILD)/coverage

# Thousands of kills; and the faults that the crash specs must find.
torture: test-programs
	@.ci/torture $(BUILD)
mutants: test-programs
	@.ci/mutants $(BUILD)

fuzz: $(BUILD)/.packages-build $(BUILD)/.packages-check
	@.ci/fuzz $(BUILD) $(FUZZ)

demo: $(HOST)
	@$(HOST) run .ci/demo.lua

bench: $(HOST) $(MODULE) $(BUILD)/.packages-bench
	@.ci/bench $(BUILD)

# ---- checks
lint: $(BUILD)/.packages-check all $(TEST_BIN) $(SUPPORT_SO)
	@LUA=$(LUA) .ci/lint $(BUILD) "$(PKG_CFLAGS)"
format: $(BUILD)/.packages-check
	clang-format -i core/*.[ch] spec/c/*.[ch] $(wildcard spec/support/*.[ch])

# ---- installation
BIN_DIR    = $(DESTDIR)$(PREFIX)/bin
LUA_DIR    = $(DESTDIR)$(PREFIX)/share/lua/5.4
MODULE_DIR = $(DESTDIR)$(PREFIX)/lib/lua/5.4/xfiot
DATA_DIR   = $(DESTDIR)$(PREFIX)/share/xfiot

install: all
	install -D -m 755 $(HOST) $(BIN_DIR)/xfiot
	install -D -m 755 $(MODULE) $(MODULE_DIR)/core.so
	for f in $(LUA_SRC:lua/%=%); do install -D -m 644 lua/$$f $(LUA_DIR)/$$f || exit 1; done
	for f in $(SCRIPTS) $(DEPLOY); do install -D -m 644 $$f $(DATA_DIR)/$$f || exit 1; done

uninstall:
	rm -f $(BIN_DIR)/xfiot $(LUA_DIR)/xfiot.lua
	rm -rf $(MODULE_DIR) $(LUA_DIR)/xfiot $(DATA_DIR)

clean:
	rm -rf $(BUILD)

-include $(CORE_OBJ:.o=.d) $(BIND_OBJ:.o=.d) $(BUILD)/core/host.d $(TEST_BIN:=.d) $(SUPPORT_SO:=.d)
