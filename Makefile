# callgate: the whole build in one non-recursive file. `make help` lists the targets.
#
# The lists of folders per program are the architecture: a program holds only the archives it is
# allowed to use, and `make lint` compares the libraries each one really needs with LIBS_<program>.

# ---- what a packager sets ---------------------------------------------------------------------
PREFIX      ?= /usr/local
DESTDIR     ?=
BINDIR      ?= $(PREFIX)/bin
SBINDIR     ?= $(PREFIX)/sbin
LIBEXECDIR  ?= $(PREFIX)/libexec/callgate
MANDIR      ?= $(PREFIX)/share/man
DOCDIR      ?= $(PREFIX)/share/doc/callgate
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
CC          ?= cc
AR          ?= ar
PKG_CONFIG  ?= pkg-config
CFLAGS      ?= -O2 -g
LDFLAGS     ?=
# SAN=address,undefined builds into a folder of its own; WALLS=1 builds the daemon whose walls can
# be switched off one by one, for the tests of the tests only; WERROR=1 makes warnings errors.
SAN         ?=
WALLS       ?=
WERROR      ?=
V           ?=
# compilers at once in `make demo` and `make check`
JOBS        ?= $(shell nproc 2>/dev/null || echo 1)

VERSION := 0.1.0
comma   := ,
VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),plain)$(if $(WALLS),-walls)
B       := build/$(VARIANT)

# ---- areas: one archive each, floors upwards --------------------------------------------------
AREA_base     := supervisor/base
AREA_evidence := supervisor/evidence
AREA_policy   := policy
AREA_sandbox  := sandbox
AREA_functions := sandbox/functions
AREA_wire     := agent-api/wire
AREA_http     := agent-api/http
AREA_link     := supervisor/link
AREA_identity := supervisor/identity
AREA_warden   := supervisor/warden
AREA_loader   := supervisor/loader
AREA_engine   := supervisor/engine
AREA_courier  := supervisor/courier
AREA_auditor  := supervisor/auditor
AREA_front    := agent-api/front
AREA_web      := agent-api/web
AREA_control  := supervisor/control
# An area with many files has rooms: folders of the same archive.
ROOMS_engine  := records access calls asking approvals effects hooks methods
ROOMS_warden  := keeper
AREAS := base evidence policy sandbox functions wire http link identity warden loader engine courier auditor \
	front web control

# What each area may stand on (itself first, link order downwards).
USES_base     := base
USES_evidence := evidence base
USES_policy   := policy base
USES_sandbox  := sandbox base
USES_functions := functions base
USES_wire     := wire base
USES_http     := http base
USES_link     := link evidence base
USES_identity := identity evidence base
USES_warden   := warden link policy sandbox evidence base
USES_loader   := loader policy sandbox base
USES_engine   := engine link policy wire sandbox identity evidence base
USES_courier  := courier link sandbox evidence base
USES_auditor  := auditor link sandbox evidence base
USES_front    := front link wire sandbox evidence base
USES_web      := web link wire http sandbox evidence base
USES_control  := control policy sandbox wire evidence base

# ---- programs: area with the main.c, and the libraries it may need besides libc ----------------
PROGRAMS := callgated callgate-policy callgate-engine callgate-courier callgate-auditor callgate-front \
	callgate-front-http callgate callgate-remote \
	callgate-text-editor callgate-grep-search
MAIN_callgated        := warden
MAIN_callgate-policy  := loader
MAIN_callgate-engine  := engine
MAIN_callgate-courier := courier
MAIN_callgate-auditor := auditor
MAIN_callgate-front   := front
MAIN_callgate-front-http := web
MAIN_callgate         := control
MAIN_callgate-remote  := control
MAIN_callgate-text-editor := functions
MAIN_callgate-grep-search := functions
# the file of main(), where an area has several
FILE_callgate-remote      := remote_main
FILE_callgate-text-editor := text_editor_main
FILE_callgate-grep-search := grep_search_main
LIBS_callgated        := libuv libcrypto libseccomp libcap
LIBS_callgate-policy  := yaml-0.1 jansson libpcre2-8 libseccomp
LIBS_callgate-engine  := libuv jansson libpcre2-8 libcrypto libseccomp sqlite3
LIBS_callgate-courier := libuv libcurl libssl libcrypto libseccomp
LIBS_callgate-auditor := libuv libcrypto libseccomp
LIBS_callgate-front   := libuv jansson libcrypto libseccomp
LIBS_callgate-front-http = libuv jansson libssl libcrypto libseccomp $(LLHTTP_PC)
# Only callgate-remote has libcurl and the thirty libraries that come with it: callgate is started
# for every command of an agent, and inside cells.
LIBS_callgate         := yaml-0.1 jansson libpcre2-8 libcrypto libseccomp libcap
LIBS_callgate-remote  := $(LIBS_callgate) libcurl
LIBS_callgate-text-editor := jansson libcrypto
LIBS_callgate-grep-search := jansson libpcre2-8

# llhttp: a library with a pkg-config file (Debian 13, libllhttp-dev), else the three C sources that
# node-llhttp installs (Debian 12, 8.1), compiled here. A LIBS_ row that needs it names $(LLHTTP_PC).
LLHTTP_PC      := $(shell $(PKG_CONFIG) --exists 'libllhttp >= 9' 2>/dev/null && echo libllhttp)
LLHTTP_SRC     ?= /usr/share/llhttp
LLHTTP_INCLUDE ?= /usr/share/include/llhttp
LLHTTP_FILES   := $(if $(LLHTTP_PC),,$(addprefix $(LLHTTP_SRC)/,api.c http.c llhttp.c))

PACKAGES_PC  := libuv jansson yaml-0.1 libssl libcrypto libseccomp libcap libpcre2-8 sqlite3 libcurl $(LLHTTP_PC)
# "a|b": a where apt knows it, else b
DEB_PACKAGES := make gcc libc6-dev pkg-config libseccomp-dev libcap-dev libuv1-dev \
	libjansson-dev libyaml-dev libssl-dev libpcre2-dev libsqlite3-dev \
	libcurl4-openssl-dev \
	'libllhttp-dev|node-llhttp' scdoc
DEB_TEST_PACKAGES := libcmocka-dev ripgrep universal-ctags clang-format socat jq git python3 nodejs npm \
	strace procps util-linux mount passwd g++ \
	bash zsh fish rsync openssh-client curl python3-pip openssl nginx

# ---- flags -------------------------------------------------------------------------------------
OUR_CPPFLAGS := -I. -D_GNU_SOURCE -DCALLGATE_VERSION='"$(VERSION)"' -MMD -MP \
	$(if $(WALLS),-DCALLGATE_TEST_WALLS)
OUR_CFLAGS := -std=gnu17 -fPIE -fstack-protector-strong -fstack-clash-protection \
	-ftrivial-auto-var-init=zero -fno-strict-overflow -fno-delete-null-pointer-checks \
	-fno-common -fvisibility=hidden
OUR_LDFLAGS := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
ifeq ($(shell uname -m),x86_64)
OUR_CFLAGS += -fcf-protection=full
endif
ifeq ($(SAN),)
OUR_CPPFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(if $(findstring -O0,$(CFLAGS)),0,2)
else
OUR_CPPFLAGS += -DCALLGATE_SANITIZED
OUR_CFLAGS += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
OUR_LDFLAGS += -fsanitize=$(SAN)
endif
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wvla \
	-Wpointer-arith -Wformat=2 -Wundef $(if $(WERROR),-Werror)
WARN_policy := -Wconversion -Wno-sign-conversion
WARN_wire   := -Wconversion -Wno-sign-conversion
WARN_http   := -Wconversion -Wno-sign-conversion

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

pc_cflags = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
pc_libs   = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

# ---- targets -----------------------------------------------------------------------------------
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps help clean install uninstall

all: deps $(PROGRAMS:%=$(B)/%) ## build every program (default)


deps:
	$(Q)tests/install-packages.sh --check-pc "$(PKG_CONFIG)" "$(PACKAGES_PC)" \
		"$(LLHTTP_FILES)" $(DEB_PACKAGES)

MAIN_FILES := $(foreach p,$(PROGRAMS),$(if $(FILE_$(p)),%/$(FILE_$(p)).c))
# The rule packs travel inside the programs, as one generated C file.
GEN_policy := build/gen/pack_texts.c
PACKS      := $(sort $(wildcard policy/packs/*.yaml))
$(GEN_policy): policy/packs/embed.sh $(PACKS)
	$(call say,PACKS,$@)
	$(Q)mkdir -p $(@D) && policy/packs/embed.sh $(PACKS) >$@.$$$$ && mv $@.$$$$ $@

# The approvals page, too.
GEN_web    := build/gen/page_files.c
PAGE_FILES := $(addprefix agent-api/web/page/,index.html page.css page.js)
$(GEN_web): agent-api/web/page/embed.sh $(PAGE_FILES)
	$(call say,PAGE,$@)
	$(Q)mkdir -p $(@D) && agent-api/web/page/embed.sh $(PAGE_FILES) >$@.$$$$ && mv $@.$$$$ $@

MORE_OBJ_http := $(patsubst $(LLHTTP_SRC)/%.c,$(B)/obj/llhttp/%.o,$(LLHTTP_FILES))

define area_rules
SRC_$(1) := $$(sort $$(wildcard $$(AREA_$(1))/*.c $$(ROOMS_$(1):%=$$(AREA_$(1))/%/*.c))) $$(GEN_$(1))
OBJ_$(1) := $$(patsubst %.c,$(B)/obj/%.o,$$(filter-out %/main.c $(MAIN_FILES),$$(SRC_$(1)))) \
	$$(MORE_OBJ_$(1))
$(B)/lib$(1).a: $$(OBJ_$(1))
	$$(call say,AR,$$@)
	$(Q)mkdir -p $$(@D) && rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach a,$(AREAS),$(eval $(call area_rules,$(a))))

ALL_CFLAGS_PC := $(call pc_cflags,$(PACKAGES_PC)) $(if $(LLHTTP_PC),,-isystem $(LLHTTP_INCLUDE))
$(B)/obj/policy/%.o: WARN += $(WARN_policy)
$(B)/obj/agent-api/wire/%.o: WARN += $(WARN_wire)
$(B)/obj/agent-api/http/%.o: WARN += $(WARN_http)
$(B)/obj/agent-api/web/%.o: WARN += $(WARN_http)
# Generated, and not ours to change: no warnings, and not public in our programs.
$(B)/obj/llhttp/%.o: $(LLHTTP_SRC)/%.c Makefile | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CPPFLAGS) $(CPPFLAGS) $(OUR_CFLAGS) $(ALL_CFLAGS_PC) $(CFLAGS) -w -c -o $@ $<
$(B)/obj/%.o: %.c Makefile | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CPPFLAGS) $(CPPFLAGS) $(OUR_CFLAGS) $(WARN) $(ALL_CFLAGS_PC) $(CFLAGS) -c -o $@ $<

archives = $(foreach a,$(USES_$(1)),$(B)/lib$(a).a)

define program_rules
$(B)/$(1): $(B)/obj/$$(AREA_$$(MAIN_$(1)))/$$(or $$(FILE_$(1)),main).o $$(call archives,$$(MAIN_$(1)))
	$$(call say,LINK,$$@)
	$(Q)$$(CC) $$(OUR_CFLAGS) $$(CFLAGS) $$(OUR_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ \
		$$(call pc_libs,$$(LIBS_$(1)))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$(p))))

# ---- unit tests: tests/unit/<area>/test_<module>.c links that area and what it stands on --------
UNIT_SRC   := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRC))
define unit_rules
$(B)/unit/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $$(call archives,$(1))
	$$(call say,LINK,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$$(CC) $$(OUR_CFLAGS) $$(CFLAGS) $$(OUR_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ \
		$$(call pc_libs,$$(PACKAGES_PC)) $$(call pc_libs,cmocka)
endef
$(foreach a,$(AREAS),$(eval $(call unit_rules,$(a))))

$(B)/unit/engine/test_process: | $(B)/callgate-engine
$(B)/unit/warden/test_config $(B)/unit/warden/test_studio: | $(B)/unit/warden/callgate-policy
# programs are looked for beside the one that runs
$(B)/unit/warden/callgate-policy: | $(B)/callgate-policy
	$(Q)mkdir -p $(@D) && ln -sf ../../callgate-policy $@
$(B)/suite/%: $(B)/obj/tests/suite/%.o $(call archives,policy)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$(call pc_libs,$(PACKAGES_PC))

.PHONY: unit check check-all check-unit check-schema check-integration check-conformance check-escape check-fuzz check-san check-install check-functions check-identity check-vectors
unit: $(UNIT_TESTS) ## build the unit tests

# ---- programs of the tests: probes run inside cells, so they are small and static ----------------
PROBE_SRC := $(sort $(wildcard tests/escape/probe*.c))
PROBES    := $(patsubst tests/escape/%.c,$(B)/escape/%,$(PROBE_SRC))
$(PROBES): $(B)/escape/%: tests/escape/%.c tests/escape/probe_table.h Makefile
	$(call say,PROBE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O1 -g -std=gnu17 -D_GNU_SOURCE $(WARN) -static -o $@ $<
# The battery's helpers: the escape tests' probe and further verbs, and one file for each kind of attack.
# No pie: one of them jumps into 32-bit code, which must lie low.
BATTERY_SRC    := $(sort $(wildcard tests/battery/probe*.c))
BATTERY_PROBES := $(patsubst tests/battery/%.c,$(B)/battery/%,$(BATTERY_SRC))
BATTERY_HELPERS := $(BATTERY_PROBES) $(B)/battery/clock.so
$(BATTERY_PROBES): $(B)/battery/%: tests/battery/%.c tests/escape/probe.c tests/escape/probe_table.h Makefile
	$(call say,PROBE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O1 -g -std=gnu17 -D_GNU_SOURCE $(WARN) -static -no-pie -o $@ $<
$(B)/battery/clock.so: tests/battery/clock.c Makefile
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O1 -g -std=gnu17 -D_GNU_SOURCE $(WARN) -fPIC -shared -o $@ $<
$(B)/escape/cells: $(B)/obj/tests/escape/cells.o $(call archives,sandbox)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$(call pc_libs,libseccomp libcap)

$(B)/identity/tool: $(B)/obj/tests/identity/tool.o $(call archives,identity)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$(call pc_libs,$(PACKAGES_PC))

IT_SRC   := $(sort $(wildcard tests/integration/programs/*.c))
IT_TOOLS := $(patsubst tests/integration/programs/%.c,$(B)/it/%,$(IT_SRC))
$(B)/it/%: $(B)/obj/tests/integration/programs/%.o $(foreach a,link evidence base,$(B)/lib$(a).a)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$(call pc_libs,$(PACKAGES_PC))

# The server of the HTTP tests.
$(B)/it/http_%: $(B)/obj/tests/integration/programs/http_%.o $(call archives,http)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$(call pc_libs,$(PACKAGES_PC))

# Makes system calls of a daemon fail.
$(B)/faults/tracer: $(B)/obj/tests/faults/tracer.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ $(call pc_libs,libseccomp)

FUZZ_SRC  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SRC))
FUZZ_LIBS := $(foreach a,web http wire warden policy sandbox link identity evidence base,$(B)/lib$(a).a)
$(B)/fuzz/replay_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/replay_main.o $(FUZZ_LIBS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$(call pc_libs,$(PACKAGES_PC))
# libFuzzer builds compile everything anew with clang's coverage.
build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c | $(GEN_policy) $(GEN_web)
	$(call say,FUZZ,$@)
	$(Q)tests/install-packages.sh clang
	$(Q)mkdir -p $(@D)
	$(Q)clang -O1 -g -std=gnu17 $(filter-out -MMD -MP,$(OUR_CPPFLAGS)) -DCALLGATE_SANITIZED \
		$(ALL_CFLAGS_PC) -fsanitize=fuzzer,address,undefined -o $@ $< $(FUZZ_MORE) \
		$(SRC_wire) $(SRC_policy) $(SRC_link) $(SRC_identity) $(SRC_evidence) $(SRC_base) \
		$(call pc_libs,$(PACKAGES_PC))
build/fuzz/fuzz_http: FUZZ_MORE = $(SRC_http) $(LLHTTP_FILES)
build/fuzz/fuzz_plan: FUZZ_MORE = supervisor/warden/plan_form.c
build/fuzz/fuzz_wire: FUZZ_MORE = $(SRC_sandbox)
build/fuzz/fuzz_web: FUZZ_MORE = $(filter-out %/main.c,$(SRC_web)) $(SRC_http) $(LLHTTP_FILES)

# MCP clients, pinned, and the node that the newest of them want; the registry is npm's own
# configuration. What is only for reading is left out: every run copies the rest.
build/npm/.done: tests/integration/package.json
	$(call say,NPM,$<)
	$(Q)mkdir -p build/npm && cp tests/integration/package.json build/npm/
	$(Q)cd build/npm && npm install --silent --no-audit --no-fund --ignore-scripts >npm.log 2>&1 || \
		{ tail -n 5 npm.log >&2; exit 1; }
	$(Q)cd build/npm/node_modules && find . -type f \( -name '*.map' -o -name '*.md' \
		-o -name '*.ts' -o -name '*.[cm]ts' \) -delete && \
		rm -rf node-linux-*/include node-linux-*/lib node-linux-*/share
	$(Q)touch $@

# The MCP conformance suite; its node is the one of build/npm.
build/conformance/.done: tests/conformance/package.json
	$(call say,NPM,$<)
	$(Q)mkdir -p build/conformance && cp $< build/conformance/
	$(Q)cd build/conformance && npm install --silent --no-audit --no-fund --ignore-scripts \
		>npm.log 2>&1 || { tail -n 5 npm.log >&2; exit 1; }
	$(Q)touch $@

BENCH_SRC := $(sort $(wildcard tests/bench/bench_*.c))
BENCHES   := $(patsubst tests/bench/%.c,$(B)/bench/%,$(BENCH_SRC))
$(B)/bench/%: $(B)/obj/tests/bench/%.o $(FUZZ_LIBS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$(call pc_libs,$(PACKAGES_PC))

# ---- checks --------------------------------------------------------------------------------------
packages:
	$(Q)tests/install-packages.sh $(DEB_PACKAGES)
test-packages: packages
	$(Q)tests/install-packages.sh $(DEB_TEST_PACKAGES)

check: test-packages ## everything: unit, integration, escape, corpus replay, lint (installs packages)
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all unit $(PROBES)
	$(Q)$(MAKE) --no-print-directory check-all
check-all: lint check-unit check-schema check-identity check-courier check-fuzz check-escape check-faults-quick check-integration check-install check-functions check-packs check-battery-quick battery-pairs
check-unit: unit ## the unit tests
	$(Q)tests/run-unit.sh $(UNIT_TESTS)
check-schema: $(B)/suite/json_schema_suite ## the JSON Schema Test Suite, draft 2020-12
	$(Q)tests/json-schema-suite.sh $(B)
check-integration: all $(IT_TOOLS) build/npm/.done ## the real daemon with real tools and clients
	$(Q)IT_CELLS_FROM=$(IT_CELLS_FROM) tests/integration/run.sh $(B)
check-identity: $(B)/identity/tool build/npm/.done ## tokens both ways between our verifier and npm's jose
	$(Q)tests/identity/run.sh $(B)
check-vectors: $(B)/identity/tool ## JWS vectors in Wycheproof's form: make check-vectors VECTORS=FILE
	$(Q)test -n "$(VECTORS)" || { echo "check-vectors: no file; give VECTORS=json_web_signature_test.json"; exit 1; }
	$(Q)node tests/identity/vectors.mjs $(B)/identity/tool "$(VECTORS)"
check-functions: all ## text_editor and grep_search beside grep and ripgrep
	$(Q)tests/functions/run.sh $(B)
.PHONY: check-courier
check-courier: $(B)/callgate-courier ## callgate-courier against real HTTPS servers on loopback
	$(Q)tests/courier/run.sh $(B)
check-install: all man ## a tree that runs from where it was put
	$(Q)tests/install.sh $(B)
check-escape: all $(PROBES) $(B)/escape/cells ## each wall with its probe, and without the wall
	$(Q)$(MAKE) --no-print-directory WALLS=1 SAN= build/plain-walls/escape/cells build/plain-walls/callgated
	$(Q)tests/escape/run.sh $(B) build/plain-walls
.PHONY: check-faults check-faults-quick
check-faults: all $(B)/faults/tracer ## every system call of the launch path fails once (half an hour)
	$(Q)tests/faults/run.sh $(B)
check-faults-quick: all $(B)/faults/tracer ## a sample of check-faults; FAULTS_SEED=N repeats one
	$(Q)tests/faults/run.sh $(B) quick
.PHONY: check-battery check-battery-quick battery-matrix battery-pairs battery-walls
check-battery: all $(BATTERY_HELPERS) ## the escape and bypass battery: a line a case, and a score
	$(Q)tests/battery/run.py $(B) $(BATTERY)
check-battery-quick: all $(BATTERY_HELPERS)
	$(Q)tests/battery/run.py $(B) --quick --sample
battery-walls: all $(BATTERY_HELPERS)
	$(Q)$(MAKE) --no-print-directory WALLS=1 SAN= build/plain-walls/callgated
battery-matrix: battery-walls ## one wall off at a time: which cases of the battery see it
	$(Q)tests/battery/matrix.py $(B) build/plain-walls $(MATRIX)
battery-pairs: battery-walls
	$(Q)tests/battery/matrix.py $(B) build/plain-walls --pairs 5
# What the peers of the battery are; bubblewrap is Debian's.
build/peers/.done: tests/battery/peers/package.json
	$(call say,NPM,$<)
	$(Q)mkdir -p build/peers && cp $< build/peers/
	$(Q)cd build/peers && npm install --silent --no-audit --no-fund --ignore-scripts \
		>npm.log 2>&1 || { tail -n 5 npm.log >&2; exit 1; }
	$(Q)touch $@
.PHONY: battery-peers
battery-peers: all build/peers/.done ## attacks side by side: callgate, bubblewrap, srt, codex, nothing
	$(Q)tests/install-packages.sh bubblewrap socat ripgrep python3
	$(Q)tests/battery/peers/run.py $(B) build/peers $(PEERS)
check-conformance: all build/npm/.done build/conformance/.done ## the MCP suite and Inspector, both eras, over HTTP
	$(Q)tests/conformance/run.sh $(B)
check-fuzz: $(FUZZ_NAMES:%=$(B)/fuzz/replay_%) ## replay the fuzz corpora
	$(Q)tests/run-corpus.sh $(B) $(FUZZ_NAMES)
.PHONY: check-packs
$(B)/packs/reader: $(B)/obj/tests/packs/reader.o $(call archives,policy)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ $(call pc_libs,$(PACKAGES_PC))
check-packs: $(B)/packs/reader ## the rule packs: their own tests, and their reading beside the real programs
	$(Q)tests/packs/real.sh $(B)
check-san: test-packages ## unit, corpus and integration tests under ASan and UBSan
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) SAN=address,undefined all unit
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) SAN= all
	$(Q)$(MAKE) --no-print-directory SAN=address,undefined IT_CELLS_FROM=build/plain CASE_TIMEOUT=600 \
		check-unit check-fuzz check-functions check-integration
SECONDS ?= 60
fuzz: $(FUZZ_NAMES:%=build/fuzz/fuzz_%) ## libFuzzer, SECONDS=60 each (needs clang)
	$(Q)tests/run-fuzz.sh $(SECONDS) $(FUZZ_NAMES)
bench: all $(BENCHES) ## a call beside posix_spawn, fdatasync and bubblewrap
	$(Q)tests/bench/run.sh $(B)
bench-http: all build/npm/.done ## requests a second and memory of the HTTP front, beside nginx
	$(Q)tests/bench/http.sh $(B)
fuzz-%: build/fuzz/fuzz_% ## fuzz one harness: make fuzz-lexer SECONDS=600
	$(Q)tests/run-fuzz.sh $(SECONDS) $*
analyze: test-packages ## gcc -fanalyzer and cppcheck over the sources
	$(Q)tests/install-packages.sh cppcheck
	$(Q)tests/lint/analyze.sh "$(CC)" "$(ALL_CFLAGS_PC)"
coverage: test-packages ## line coverage of the unit tests, by folder (gcov)
	$(Q)$(MAKE) --no-print-directory B=build/coverage CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage \
		check-unit
	$(Q)tests/coverage.sh build/coverage
dist: ## a source archive of the last commit
	$(Q)mkdir -p build
	git archive --format=tar.gz --prefix=callgate-$(VERSION)/ -o build/callgate-$(VERSION).tar.gz HEAD
check-vm: all $(IT_TOOLS) $(BATTERY_HELPERS) ## service, overlays and battery in a booted Debian 12 with cgroup v2 (QEMU)
	$(Q)tests/vm/run.sh $(B) tests/vm/check.sh $(BATTERY)

.PHONY: analyze coverage dist packages test-packages fuzz bench bench-http check-vm lint format format-check man demo
lint: all ## floors, sizes, headers, banned calls, link lists, hardening, format
	$(Q)tests/lint/floors.sh
	$(Q)tests/lint/sizes.sh
	$(Q)tests/lint/headers.sh "$(ALL_CFLAGS_PC)"
	$(Q)tests/lint/banned.sh
	$(Q)tests/lint/libs.sh $(foreach p,$(PROGRAMS),$(B)/$(p) '$(patsubst sqlite3,libsqlite3,$(patsubst jansson,libjansson,$(patsubst yaml-0.1,libyaml-0,$(LIBS_$(p)))))')
	$(Q)$(if $(SAN),true,tests/lint/hardening.sh $(PROGRAMS:%=$(B)/%))
	$(Q)$(MAKE) --no-print-directory format-check
	@echo 'lint: clean'
FORMAT_SRC = $(shell tests/lint/sources.sh)
format: ## clang-format the tree
	$(Q)clang-format -i $(FORMAT_SRC)
format-check: ## does clang-format agree? (14, Debian 12's: other versions break lines elsewhere)
	$(Q)case $$(clang-format --version) in \
	*'version 14.'*) clang-format --dry-run -Werror $(FORMAT_SRC) ;; \
	*) echo "format-check: not judged: clang-format 14 is the measure; this is $$(clang-format \
		--version | sed 's/.*version //')" ;; \
	esac

# ---- man pages, install, demo ----------------------------------------------------------------------
MAN_SRC := $(sort $(wildcard supervisor/doc/*.scd))
MANS    := $(patsubst supervisor/doc/%.scd,build/man/%,$(MAN_SRC))
build/man/%: supervisor/doc/%.scd
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)scdoc <$< >$@
COMPLETIONS := build/completion/bash build/completion/zsh build/completion/fish
man: $(MANS) ## man pages (scdoc)

build/completion/%: $(B)/callgate
	$(call say,SHELL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$< completion $* >$@

install: all man $(COMPLETIONS) ## install below DESTDIR and PREFIX
	install -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(SBINDIR)" "$(DESTDIR)$(LIBEXECDIR)" \
		"$(DESTDIR)$(DOCDIR)"
	install -m 755 $(B)/callgate "$(DESTDIR)$(BINDIR)/callgate"
	install -m 755 $(B)/callgated "$(DESTDIR)$(SBINDIR)/callgated"
	install -m 755 $(filter-out $(B)/callgate $(B)/callgated,$(PROGRAMS:%=$(B)/%)) \
		"$(DESTDIR)$(LIBEXECDIR)/"
	for page in $(MANS); do install -D -m 644 $$page \
		"$(DESTDIR)$(MANDIR)/man$${page##*.}/$$(basename $$page)" || exit 1; done
	install -D -m 644 build/completion/bash "$(DESTDIR)$(BASHCOMPDIR)/callgate"
	install -D -m 644 build/completion/zsh "$(DESTDIR)$(ZSHCOMPDIR)/_callgate"
	install -D -m 644 build/completion/fish "$(DESTDIR)$(FISHCOMPDIR)/callgate.fish"
	install -m 644 supervisor/doc/webhooks.md README.md LICENSE CHANGELOG.md SECURITY.md agent-api/openapi.yaml \
		"$(DESTDIR)$(DOCDIR)/"
	cp -R examples "$(DESTDIR)$(DOCDIR)/"
uninstall: ## remove what install put there
	rm -f "$(DESTDIR)$(BINDIR)/callgate" "$(DESTDIR)$(SBINDIR)/callgated"
	rm -f "$(DESTDIR)$(BASHCOMPDIR)/callgate" "$(DESTDIR)$(ZSHCOMPDIR)/_callgate" \
		"$(DESTDIR)$(FISHCOMPDIR)/callgate.fish"
	rm -rf "$(DESTDIR)$(LIBEXECDIR)" "$(DESTDIR)$(DOCDIR)"
	for page in $(MANS); do rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$$(basename $$page)"; done

demo: packages ## five minutes: an allowed call, a refused one, an approved one, the proof
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)examples/demo.sh $(B)

clean: ## remove everything that was built
	$(Q)rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9_-]*:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
