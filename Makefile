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
# Asked for only when a recipe runs, so that the packages are there by then.
PKGS     = lua5.4 libcurl libcrypto libmicrohttpd sqlite3
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) lua5.4-cjson | sed 's/-I/-isystem /g')
PKG_LIBS = $(shell pkg-config --libs libcurl libcrypto libmicrohttpd sqlite3) -lpthread -lm
LUA_LIBS = $(shell pkg-config --libs lua5.4)
CJSON_A  = $(shell pkg-config --variable=libdir lua5.4-cjson)/liblua5.4-cjson.a
HARDEN   = -fstack-protector-strong -fvisibility=hidden
INSTRUMENT = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all) $(COVERAGE)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -fPIC $(CFLAGS) $(WARNINGS) $(HARDEN) $(INSTRUMENT) $(PKG_CFLAGS)

# Only bind*.c, module.c and host.c include lua.h; the rest is CORE.
CORE_SRC := $(filter-out core/bind%.c core/module.c core/host.c,$(wildcard core/*.c))
BIND_SRC := $(wildcard core/bind*.c) core/module.c
LUA_SRC  := $(wildcard lua/*.lua lua/xfiot/*.lua lua/xfiot/*/*.lua)
TEST_SRC := $(wildcard spec/c/test_*.c)
SUPPORT_SRC := $(wildcard spec/support/*.c)

CORE_OBJ := $(CORE_SRC:%.c=$(BUILD)/%.o)
BIND_OBJ := $(BIND_SRC:%.c=$(BUILD)/%.o)
TEST_BIN := $(TEST_SRC:spec/c/%.c=$(BUILD)/spec/%)
SUPPORT_SO := $(SUPPORT_SRC:%.c=$(BUILD)/%.so)
MODULE   := $(BUILD)/lib/xfiot/core.so
HOST     := $(BUILD)/xfiot

.PHONY: all demo test test-programs lint format sanitize coverage bench install uninstall clean packages help
.SUFFIXES:
.DELETE_ON_ERROR:

all: $(HOST) $(MODULE)

help:
	@sed -n 's/^#: //p' Makefile

#: make            build $(BUILD)/xfiot and the Lua module
#: make demo       the four billing workflows against the built-in platform
#: make test       all C tests and specs
#: make lint       warnings, formatting, static analysis
#: make sanitize   all tests under address and undefined-behaviour sanitizers
#: make coverage   lines reached by the tests
#: make bench      the figures of the README, as ratios measured in one run
#: make install    into PREFIX (default /usr/local); make uninstall takes it out again

# ---- packages: one stamp for building, one for what tests and checks need besides
$(BUILD)/.packages-%: .ci/packages
	@.ci/packages $*
	@mkdir -p $(BUILD) && touch $@
packages: $(BUILD)/.packages-build $(BUILD)/.packages-check

# ---- objects
$(BUILD)/%.o: %.c | $(BUILD)/.packages-build
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icore -MMD -MP -c -o $@ $<

$(MODULE): $(CORE_OBJ) $(BIND_OBJ)
	@mkdir -p $(@D)
	$(CC) -shared $(INSTRUMENT) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

# Lua files, and argparse, are carried inside the program.
$(BUILD)/embedded.c: core/embed.lua $(LUA_SRC) | $(BUILD)/.packages-build
	@mkdir -p $(@D)
	$(LUA) core/embed.lua $(LUA_SRC) > $@
$(BUILD)/embedded.o: $(BUILD)/embedded.c
	$(CC) $(ALL_CFLAGS) -Icore -c -o $@ $<

$(HOST): $(CORE_OBJ) $(BIND_OBJ) $(BUILD)/core/host.o $(BUILD)/embedded.o
	$(CC) $(INSTRUMENT) $(LDFLAGS) -o $@ $^ $(CJSON_A) $(LUA_LIBS) $(PKG_LIBS)

# ---- tests
$(BUILD)/spec/test_%: spec/c/test_%.c spec/c/check.h $(CORE_OBJ) | $(BUILD)/.packages-build
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icore -Ispec/c -Ispec/support -o $@ $< $(CORE_OBJ) $(LDFLAGS) $(PKG_LIBS)

$(BUILD)/spec/support/%.so: spec/support/%.c | $(BUILD)/.packages-build
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icore -shared -o $@ $< $(LDFLAGS) -lpthread

test-programs: $(HOST) $(MODULE) $(TEST_BIN) $(SUPPORT_SO) $(BUILD)/.packages-check

test: test-programs
	@$(LUA) spec/run.lua $(BUILD) $(TEST_BIN)

sanitize:
	@$(MAKE) --no-print-directory BUILD=build/sanitize SANITIZE=address,undefined CFLAGS='-O1 -g' test

coverage:
	@$(MAKE) --no-print-directory BUILD=build/coverage COVERAGE=--coverage CFLAGS='-O0 -g' test
	@.ci/coverage build/coverage

demo: $(HOST)
	@$(HOST) run scripts/demo.lua --sandbox

bench: $(HOST) $(MODULE) $(BUILD)/.packages-bench
	@.ci/bench $(BUILD)

# ---- checks
lint: $(BUILD)/.packages-check all $(TEST_BIN) $(SUPPORT_SO)
	@.ci/lint $(BUILD) "$(PKG_CFLAGS)"
format: $(BUILD)/.packages-check
	clang-format -i core/*.[ch] spec/c/*.[ch] $(SUPPORT_SRC)

# ---- installation
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/lua/5.4/xfiot $(DESTDIR)$(PREFIX)/share/xfiot/scripts
	install -m 755 $(HOST) $(DESTDIR)$(PREFIX)/bin/xfiot
	install -m 755 $(MODULE) $(DESTDIR)$(PREFIX)/lib/lua/5.4/xfiot/core.so
	for f in $(LUA_SRC:lua/%=%); do install -D -m 644 lua/$$f $(DESTDIR)$(PREFIX)/share/lua/5.4/$$f || exit 1; done
	install -m 644 scripts/*.lua $(DESTDIR)$(PREFIX)/share/xfiot/scripts

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/xfiot $(DESTDIR)$(PREFIX)/share/lua/5.4/xfiot.lua
	rm -rf $(DESTDIR)$(PREFIX)/lib/lua/5.4/xfiot $(DESTDIR)$(PREFIX)/share/lua/5.4/xfiot $(DESTDIR)$(PREFIX)/share/xfiot

clean:
	rm -rf $(BUILD)

-include $(CORE_OBJ:.o=.d) $(BIND_OBJ:.o=.d) $(BUILD)/core/host.d
