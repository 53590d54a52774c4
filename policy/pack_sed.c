#include "policy/pack_sed.h"

#include <errno.h>
#include <string.h>

#include "policy/pack_option.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

#define SCRIPT_MAX (256 * 1024)

struct script {
	const char *at;
	unsigned effects;
	bool lost; /* not understood from here on */
};

static void lose(struct script *script)
{
	script->lost = true;
	script->effects |= PACK_SED_UNKNOWN;
}

static void skip_blanks(struct script *script)
{
	script->at += strspn(script->at, " \t");
}

/* From a [ in a pattern to its ]. Versions of sed do not agree where a bracket expression ends when
 * it holds the delimiter, a leading ] or a backslash before ]: such a one is left alone. */
static void skip_bracket(struct script *script, char delimiter)
{
	script->at++;
	if (*script->at == '^')
		script->at++;
	if (*script->at == ']') {
		lose(script);
		return;
	}
	for (; *script->at != ']'; script->at++) {
		const char *at = script->at;

		if (at[0] == '[' && at[1] == ':') {
			at += 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz");
			script->at = at + 1;
			if (at[0] == ':' && at[1] == ']')
				continue;
		}
		if (!*at || *at == '\n' || *at == delimiter || (at[0] == '\\' && at[1] == ']') ||
		    (at[0] == '[' && strchr(":.=", at[1]))) {
			lose(script);
			return;
		}
		if (at[0] == '\\' && at[1] == delimiter)
			script->at++;
	}
	script->at++;
}

/* After the opening delimiter: to behind the next one. */
static void skip_delimited(struct script *script, char delimiter, bool pattern)
{
	while (*script->at && !script->lost) {
		char byte = *script->at;

		if (byte == delimiter) {
			script->at++;
			return;
		}
		if (byte == '\n' && pattern)
			break;
		if (pattern && byte == '[')
			skip_bracket(script, delimiter);
		else
			script->at += byte == '\\' && script->at[1] ? 2 : 1;
	}
	lose(script);
}

static bool is_delimiter(char byte)
{
	return byte > ' ' && byte < 0x7f && byte != '\\' && byte != '[';
}

/* One address; false if there is none here. */
static bool skip_address(struct script *script)
{
	char byte = *script->at;

	if (byte >= '0' && byte <= '9') {
		script->at += strspn(script->at, "0123456789");
		skip_blanks(script);
		if (*script->at == '~')
			script->at += 1 + strspn(script->at + 1, "0123456789");
		return true;
	}
	if (byte == '$') {
		script->at++;
		return true;
	}
	if (byte != '/' && byte != '\\')
		return false;
	if (byte == '\\')
		script->at++;
	if (!is_delimiter(*script->at)) {
		lose(script);
		return true;
	}
	byte = *script->at++;
	skip_delimited(script, byte, true);
	script->at += strspn(script->at, "IM");
	return true;
}

static void skip_addresses(struct script *script)
{
	bool any = skip_address(script);

	skip_blanks(script);
	if (any && *script->at == ',') {
		script->at++;
		skip_blanks(script);
		if (*script->at == '+' || *script->at == '~')
			script->at += 1 + strspn(script->at + 1, "0123456789");
		else if (!skip_address(script))
			lose(script);
		skip_blanks(script);
	}
	while (*script->at == '!') {
		script->at++;
		skip_blanks(script);
	}
}

static void skip_line(struct script *script)
{
	script->at += strcspn(script->at, "\n");
}

/* Flags of s, up to its end; w takes the rest of the line. */
static void read_flags(struct script *script)
{
	for (;;) {
		char byte = *script->at;

		if (byte && strchr("gpiIMm0123456789", byte)) {
			script->at++;
		} else if (byte == 'e') {
			script->at++;
			script->effects |= PACK_SED_EXEC;
		} else {
			break;
		}
	}
	if (*script->at == 'w') {
		script->effects |= PACK_SED_WRITE;
		skip_line(script);
	}
}

static void read_substitution(struct script *script, char command)
{
	char delimiter = *script->at;

	if (!is_delimiter(delimiter)) {
		lose(script);
		return;
	}
	script->at++;
	skip_delimited(script, delimiter, command == 's');
	if (!script->lost)
		skip_delimited(script, delimiter, false);
	if (!script->lost && command == 's')
		read_flags(script);
}

/* Text of a, i, c: lines as long as each ends in a backslash. */
static void skip_text(struct script *script)
{
	for (;;) {
		size_t len = strcspn(script->at, "\\\n");

		script->at += len;
		if (*script->at != '\\')
			return;
		script->at += script->at[1] ? 2 : 1;
	}
}

/* Some versions take all of the line for a label, some end it at ; or }: only plain letters, and
 * no command behind a }, read the same in all. */
static void skip_label(struct script *script)
{
	skip_blanks(script);
	script->at +=
	    strspn(script->at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
	skip_blanks(script);
	if (*script->at == '}' ? !strchr(";}\n \t", script->at[1]) : !strchr(";\n", *script->at))
		lose(script);
}

static void read_command(struct script *script)
{
	char command = *script->at++;

	switch (command) {
	case '{':
	case '}':
	case '=':
	case 'd':
	case 'D':
	case 'F':
	case 'g':
	case 'G':
	case 'h':
	case 'H':
	case 'n':
	case 'N':
	case 'p':
	case 'P':
	case 'x':
	case 'z': return;
	case 'l':
	case 'L':
	case 'q':
	case 'Q':
		skip_blanks(script);
		script->at += strspn(script->at, "0123456789");
		return;
	case 's':
	case 'y': read_substitution(script, command); return;
	case 'a':
	case 'i':
	case 'c': skip_text(script); return;
	case 'b':
	case 't':
	case 'T':
	case ':': skip_label(script); return;
	case 'e': script->effects |= PACK_SED_EXEC; break;
	case 'w':
	case 'W': script->effects |= PACK_SED_WRITE; break;
	case 'r':
	case 'R': script->effects |= PACK_SED_READ; break;
	case '#': break;
	default: lose(script); return;
	}
	skip_line(script);
}

/* After a command: blanks, then ; newline } # or the end. */
static void read_end(struct script *script, char command)
{
	skip_blanks(script);
	if (!*script->at || strchr(";\n}#", *script->at) || strchr("{};", command))
		return;
	lose(script);
}

unsigned pack_sed_effects(const char *text)
{
	struct script script = {.at = text};

	while (!script.lost) {
		char command;

		script.at += strspn(script.at, " \t\n;");
		if (!*script.at)
			break;
		skip_addresses(&script);
		command = *script.at;
		if (script.lost || !command) {
			lose(&script);
			break;
		}
		read_command(&script);
		if (!script.lost)
			read_end(&script, command);
	}
	return script.effects;
}

int pack_sed_scan(const struct pack_reading *reading, const char *first, unsigned *ret_effects)
{
	struct buf cleanup_with(buf_fini) script = {0};
	const char *text;

	*ret_effects = 0;
	if (first) {
		*ret_effects = pack_sed_effects(first);
		return 0;
	}
	buf_init(&script, SCRIPT_MAX);
	for (uint32_t i = 0; i < reading->given_count; i++) {
		const struct pack_given *given = &reading->given[i];

		if (!pack_given_is(given, "-e") || !given->value)
			continue;
		buf_text(&script, given->value);
		buf_text(&script, "\n");
	}
	text = buf_cstr(&script);
	if (script.fault == -ENOBUFS)
		*ret_effects = PACK_SED_UNKNOWN;
	else if (!text)
		return script.fault;
	else
		*ret_effects = pack_sed_effects(text);
	return 0;
}
