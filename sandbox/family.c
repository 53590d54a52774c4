#include "sandbox/family.h"

#include <errno.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "sandbox/object.h"

static const char *const multicall_names[] = {
    "busybox",
    "toybox",
    "coreutils",
    "uutils",
    "sbase-box",
    "ubase-box",
    "crunchgen",
    NULL,
};

static const struct {
	const char *globs;
	unsigned traits;
} traits[] = {
    {"sh|bash|rbash|dash|ash|zsh|csh|tcsh|fish|*ksh", FAMILY_INTERPRETER},
    {"python*|perl*|ruby*|lua*|php*|tclsh|wish|expect|guile|Rscript", FAMILY_INTERPRETER},
    {"node|nodejs|deno|bun|java|pypy|luajit*", FAMILY_INTERPRETER | FAMILY_JIT},
    {"deno|bun|java", FAMILY_FINDS},
    {"npm*|npx*", FAMILY_INTERPRETER | FAMILY_FINDS},
    {"*awk|m4|gdb", FAMILY_INTERPRETER},
    {"vi|vim*|emacs*|sed|tar", FAMILY_INTERPRETER}, /* :!, e, --to-command */
    {"git*", FAMILY_FINDS},                         /* aliases, hooks, filters, fsmonitor */
    {"make|gmake|ninja|cmake", FAMILY_INTERPRETER | FAMILY_FINDS},
    {"find|fd|fdfind|xargs|parallel|env|nice|nohup|timeout|setsid|stdbuf|script|watch|time",
	FAMILY_INTERPRETER},
    {"ld-*.so*", FAMILY_INTERPRETER},
    /* No option of these starts a program that the caller names (sort, split and less have one). */
    {"cat|tac|head|tail|nl|wc|cut|paste|tr|uniq|comm|join|fold|fmt|expand|unexpand|rev|tee|pr",
	FAMILY_DATA},
    {"grep|egrep|fgrep|diff|cmp|od|xxd|hexdump|strings|base64|base32|jq|file|column", FAMILY_DATA},
    {"md5sum|sha1sum|sha224sum|sha256sum|sha384sum|sha512sum|b2sum|cksum|sum", FAMILY_DATA},
    {"ls|dir|stat|du|df|readlink|realpath|basename|dirname|test|echo|printf", FAMILY_DATA},
    {"cp|mv|rm|ln|mkdir|rmdir|touch|truncate|chmod|mktemp|dd|sync", FAMILY_DATA},
};

/* Who reads the file that the first operand names as code. Not tar, sed, find or env: their
 * operands are data, or the program's that they start. */
static const struct {
	const char *globs, *letters;
} readers[] = {
    {"sh|bash|rbash|dash|ash|zsh|csh|tcsh|fish|*ksh", FAMILY_SHELL_LETTERS},
    {"python*|pypy", "cm"},
    {"perl*", "eE"},
    {"ruby*|lua*|Rscript", "e"},
    {"php*", "rRBFE"},
    {"node|nodejs", "ep"},
    {"guile", "c"},
    {"tclsh|wish|expect", "c"},
};

/* Base rows come once for every tool; a path that does not exist is no fault anywhere. */
static const struct family_row rows[] = {
    {FAMILY_BASE, FAMILY_READS, "/etc/ld.so.cache", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/passwd", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/group", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/nsswitch.conf", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/hosts", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/host.conf", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/gai.conf", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/services", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/protocols", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/localtime", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/timezone", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/os-release", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/debian_version", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/mime.types", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/inputrc", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/terminfo", NULL},
    /* The certificates, never /etc/ssl/private. */
    {FAMILY_BASE, FAMILY_READS, "/etc/ssl/openssl.cnf", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/ssl/certs", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/pki/tls/certs", NULL},
    {FAMILY_BASE, FAMILY_READS, "/etc/pki/ca-trust/extracted", NULL},
    {FAMILY_BASE, FAMILY_READS, "/usr/share/ca-certificates", NULL},
    {FAMILY_BASE, FAMILY_READS, "/usr/local/share/ca-certificates", NULL},
    {FAMILY_BASE, FAMILY_READS, "/usr/lib/locale", NULL},
    {FAMILY_BASE, FAMILY_READS, "/usr/share/locale/locale.alias", NULL},
    {FAMILY_BASE, FAMILY_READS, "/usr/share/zoneinfo", NULL},
    {FAMILY_BASE, FAMILY_READS, "/usr/lib/terminfo", NULL},
    {FAMILY_BASE, FAMILY_READS, "/usr/share/terminfo", NULL},
    {FAMILY_BASE, FAMILY_READS, "/usr/share/misc", NULL},
    {FAMILY_BASE, FAMILY_LOADS, "&/gconv", NULL},
    /* Opened by libc itself when a thread is cancelled or a stack is printed. */
    {FAMILY_BASE, FAMILY_LOADS, "&/libgcc_s.so.1", NULL},

    /* deny_by_default: false: whatever the programs of the path may want. */
    {FAMILY_OPEN, FAMILY_READS, "/usr/lib", NULL},
    {FAMILY_OPEN, FAMILY_READS, "/usr/lib64", NULL},
    {FAMILY_OPEN, FAMILY_READS, "/usr/local/lib", NULL},

    {"bash", FAMILY_READS, "/etc/bash.bashrc", NULL},
    {"bash", FAMILY_READS, "/etc/profile", NULL},

    /* One program does all local work; the second inode is what it starts itself as. */
    {"git", FAMILY_RUNS, "@/lib/git-core/git", NULL},
    {"git", FAMILY_RUNS, "@/libexec/git-core/git", NULL},
    {"git", FAMILY_RUNS, "@/lib/git-core/git-sh-i18n--envsubst", NULL},
    {"git", FAMILY_READS, "@/share/git-core", NULL},
    {"git", FAMILY_READS, "/etc/gitconfig", NULL},
    {"git", FAMILY_NEEDS, "sh", "aliases with !, hooks, submodule, bisect and filter-branch"},

    {"*gcc|*g++", FAMILY_RUNS, "@/lib/gcc/*/~/cc1", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/lib/gcc/*/~/cc1plus", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/lib/gcc/*/~/collect2", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/lib/gcc/*/~/lto1", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/lib/gcc/*/~/lto-wrapper", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/libexec/gcc/*/~/cc1", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/libexec/gcc/*/~/cc1plus", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/libexec/gcc/*/~/collect2", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/libexec/gcc/*/~/lto1", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/libexec/gcc/*/~/lto-wrapper", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/bin/as", NULL},
    {"*gcc|*g++", FAMILY_RUNS, "@/bin/ld", NULL},
    {"*gcc|*g++", FAMILY_READS, "@/include", NULL},
    {"*gcc|*g++", FAMILY_READS, "/usr/local/include", NULL},
    {"*gcc|*g++", FAMILY_READS, "@/lib/linux/uapi", NULL}, /* <asm/types.h> on Debian 13 */
    {"*gcc|*g++", FAMILY_READS, "@/lib/gcc/*/~", NULL},
    {"*gcc|*g++", FAMILY_READS, "@/libexec/gcc/*/~", NULL},
    {"*gcc|*g++", FAMILY_LINKS, "@/lib/gcc/*/~", NULL},
    {"*gcc|*g++", FAMILY_LINKS, "&", NULL},
    {"*gcc|*g++", FAMILY_LINKS, "/usr/local/lib", NULL},

    {"python", FAMILY_LOADS, "@/lib/%", NULL},
    {"python", FAMILY_LOADS, "@/lib/python3", NULL},
    {"python", FAMILY_LOADS, "@/local/lib/%", NULL},
    {"python", FAMILY_READS, "/etc/%", NULL},
    {"python", FAMILY_NEEDS, "sh", "os.system and subprocess with shell=True"},

    {"perl", FAMILY_LOADS, "&/perl", NULL},
    {"perl", FAMILY_LOADS, "&/perl5", NULL},
    {"perl", FAMILY_LOADS, "&/perl-base", NULL},
    {"perl", FAMILY_LOADS, "@/lib/perl5", NULL},
    {"perl", FAMILY_READS, "@/share/perl", NULL},
    {"perl", FAMILY_READS, "@/share/perl5", NULL},
    {"perl", FAMILY_READS, "/etc/perl", NULL},
    {"perl", FAMILY_NEEDS, "sh", "system and backticks with shell characters"},

    {"node", FAMILY_READS, "@/share/nodejs", NULL},
    {"node", FAMILY_READS, "@/lib/nodejs", NULL},
    {"node", FAMILY_READS, "&/nodejs", NULL},
    {"npm-cli.js|npx-cli.js", FAMILY_READS, "@", NULL},
    {"npm-cli.js|npx-cli.js", FAMILY_READS, "/etc/npmrc", NULL},
    {"npm-cli.js|npx-cli.js", FAMILY_NEEDS, "sh", "npm run and install scripts"},

    {"make", FAMILY_READS, "/usr/include/make", NULL},
    {"make", FAMILY_NEEDS, "sh", "recipe lines that are more than one simple command"},

    {"ruby", FAMILY_LOADS, "@/lib/ruby", NULL},
    {"ruby", FAMILY_LOADS, "&/ruby", NULL},
    {"ruby", FAMILY_READS, "@/share/rubygems-integration", NULL},
    {"tclsh", FAMILY_READS, "@/share/tcltk", NULL},
    {"tclsh", FAMILY_READS, "@/lib/tcltk", NULL},
    {"lua", FAMILY_READS, "@/share/lua", NULL},
    {"gawk", FAMILY_READS, "@/share/awk", NULL},
    {"gawk", FAMILY_LOADS, "&/gawk", NULL},
    {"vim*", FAMILY_READS, "@/share/vim", NULL},
    {"file", FAMILY_READS, "@/lib/file", NULL},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Length of the name without "-12", "3.11", "-1.2.3" at its end. */
static size_t stem_len(const char *base)
{
	size_t len = strlen(base);
	size_t digits = len;

	while (digits > 0 && strchr("0123456789.", base[digits - 1]) != NULL)
		digits--;
	if (digits == 0 || digits == len || base[digits] == '.')
		return len;
	return base[digits - 1] == '-' && digits > 1 ? digits - 1 : digits;
}

static void stem_of(const char *base, char out[NAME_MAX + 1])
{
	size_t len = stem_len(base);

	if (len > NAME_MAX)
		len = NAME_MAX;
	memcpy(out, base, len);
	out[len] = '\0';
}

/* One of the globs between the bars. */
static bool matches(const char *globs, const char *stem)
{
	char glob[64];

	while (*globs != '\0') {
		size_t len = strcspn(globs, "|");

		if (len < sizeof(glob)) {
			memcpy(glob, globs, len);
			glob[len] = '\0';
			if (str_glob(glob, stem))
				return true;
		}
		globs += len + (globs[len] == '|');
	}
	return false;
}

unsigned family_traits(const char *base)
{
	char stem[NAME_MAX + 1];
	unsigned found = 0;

	stem_of(base, stem);
	for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++)
		if (matches(traits[i].globs, stem))
			found |= traits[i].traits;
	for (const char *const *name = multicall_names; *name != NULL; name++)
		if (strcmp(*name, stem) == 0)
			found |= FAMILY_MULTICALL;
	return found;
}

const char *family_code_letters(const char *base)
{
	char stem[NAME_MAX + 1];

	stem_of(base, stem);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (matches(readers[i].globs, stem))
			return readers[i].letters;
	return NULL;
}

const char *const *family_multicall_names(void)
{
	return multicall_names;
}

const struct family_row *family_next(const char *program_path, const struct family_row *after)
{
	char stem[NAME_MAX + 1];

	if (strcmp(program_path, FAMILY_BASE) == 0 || strcmp(program_path, FAMILY_OPEN) == 0)
		memcpy(stem, program_path, strlen(program_path) + 1);
	else
		stem_of(object_base(program_path), stem);
	for (const struct family_row *row = after == NULL ? rows : after + 1;
	     row < rows + ROW_COUNT; row++)
		if (matches(row->program, stem))
			return row;
	return NULL;
}

static int put(char out[PATH_MAX], size_t *len, const char *text, size_t text_len)
{
	if (*len + text_len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(out + *len, text, text_len);
	*len += text_len;
	out[*len] = '\0';
	return 0;
}

/* "/usr" of "/usr/bin/git", "" of "/bin/git". */
static size_t prefix_len(const char *path)
{
	size_t len = (size_t)(object_base(path) - path);

	for (int level = 0; level < 2; level++)
		while (len > 0 && path[--len] != '/')
			;
	return len;
}

int family_expand(const struct family_row *row, const char *program_path, const char *loader_dir,
    char ret_path[PATH_MAX])
{
	const char *base = object_base(program_path);
	const char *version = base + stem_len(base);
	size_t len = 0;
	int fault = 0;

	version += *version == '-';
	if (*version == '\0')
		version = "*";
	ret_path[0] = '\0';
	for (const char *sign = row->path; *sign != '\0' && fault == 0; sign++) {
		if (*sign == '&' && *loader_dir == '\0')
			return -ENOENT;
		switch (*sign) {
		case '@':
			fault = put(ret_path, &len, program_path, prefix_len(program_path));
			break;
		case '%': fault = put(ret_path, &len, base, strlen(base)); break;
		case '~': fault = put(ret_path, &len, version, strlen(version)); break;
		case '&': fault = put(ret_path, &len, loader_dir, strlen(loader_dir)); break;
		default: fault = put(ret_path, &len, sign, 1); break;
		}
	}
	return fault;
}
