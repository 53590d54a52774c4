#include "sandbox/functions/grep_glob.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"

/* ---- one name ------------------------------------------------------------------------------- */

/* A run of bytes: a name, or a part of a glob between slashes. */
struct part {
	const char *at, *end;
};

/* One character; a byte that is not UTF-8 is one of its own, outside Unicode. */
static uint32_t next_character(struct part *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t lead = (uint8_t)*text->at;
	size_t need = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
	uint32_t code = need == 1 ? lead : lead & (0x7fU >> need);

	for (size_t i = 1; i < need; i++) {
		if (text->at + i >= text->end || ((uint8_t)text->at[i] & 0xc0) != 0x80)
			need = 0;
		else
			code = code << 6 | ((uint8_t)text->at[i] & 0x3f);
	}
	if (need == 0 || code < least[need]) {
		text->at++;
		return 0x110000 + lead;
	}
	text->at += need;
	return code;
}

static uint32_t next_of_class(struct part *class)
{
	if (*class->at == '\\' && class->at + 1 < class->end)
		class->at++;
	return next_character(class);
}

/* class->at stands behind the bracket; a complete class is sure. Leaves it behind the end. */
static bool class_holds(struct part *class, uint32_t code)
{
	bool inverse = *class->at == '!' || *class->at == '^', holds = false, first = true;

	class->at += inverse ? 1 : 0;
	for (; first || *class->at != ']'; first = false) {
		uint32_t low = next_of_class(class), high = low;

		if (*class->at == '-' && class->at[1] != ']') {
			class->at++;
			high = next_of_class(class);
		}
		holds = holds || (code >= low && code <= high);
	}
	class->at++;
	return holds != inverse;
}

/* One character of the glob that is not a star, against one of the name; both move on. */
static bool one_matches(struct part *glob, struct part *name)
{
	if (*glob->at == '?') {
		glob->at++;
		(void)next_character(name);
		return true;
	}
	if (*glob->at == '[') {
		glob->at++;
		return class_holds(glob, next_character(name));
	}
	if (*glob->at == '\\' && glob->at + 1 < glob->end)
		glob->at++;
	return *glob->at++ == *name->at++;
}

static bool name_matches(struct part glob, struct part name)
{
	struct part star = {NULL, NULL}, resume = {NULL, NULL};

	while (name.at < name.end || glob.at < glob.end) {
		if (glob.at < glob.end && *glob.at == '*') {
			glob.at++;
			star = glob;
			resume = name;
			continue;
		}
		if (glob.at < glob.end && name.at < name.end && one_matches(&glob, &name))
			continue;
		/* Only the last star can need to take one character more. */
		if (!star.at || resume.at >= resume.end)
			return false;
		(void)next_character(&resume);
		glob = star;
		name = resume;
	}
	return true;
}

/* ---- paths ---------------------------------------------------------------------------------- */

/* The part that begins at `at`; *ret_next is NULL behind the last one. */
static struct part part_at(const char *at, const char **ret_next)
{
	const char *slash = strchr(at, '/');

	*ret_next = slash ? slash + 1 : NULL;
	return (struct part){at, slash ? slash : at + strlen(at)};
}

static bool is_any_folders(struct part part)
{
	return part.end - part.at == 2 && part.at[0] == '*' && part.at[1] == '*';
}

static bool path_matches(const char *glob, const char *path)
{
	const char *star = NULL, *resume = NULL, *next_glob = NULL, *next_path = NULL;

	while (glob || path) {
		struct part part = glob ? part_at(glob, &next_glob) : (struct part){NULL, NULL};

		if (glob && is_any_folders(part)) {
			if (!next_glob)
				return path != NULL;
			glob = star = next_glob;
			resume = path;
			continue;
		}
		if (glob && path && name_matches(part, part_at(path, &next_path))) {
			glob = next_glob;
			path = next_path;
			continue;
		}
		if (!star || !resume)
			return false;
		(void)part_at(resume, &next_path);
		path = resume = next_path;
		glob = star;
		if (!path)
			return false;
	}
	return true;
}

bool grep_glob_takes(const struct grep_glob *glob, const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < glob->count; i++) {
		const char *item = glob->items[i];

		if (path_matches(item, strchr(item, '/') || !slash ? path : slash + 1))
			return true;
	}
	return glob->count == 0;
}

bool grep_glob_names(const struct grep_glob *glob, const char *name)
{
	const struct part whole = {name, name + strlen(name)};

	for (size_t i = 0; i < glob->count; i++) {
		for (const char *at = glob->items[i], *next; at; at = next) {
			struct part part = part_at(at, &next);

			if (part.at < part.end && *part.at == '.' && name_matches(part, whole))
				return true;
		}
	}
	return false;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Behind the bracket that closes the class at `at`, NULL if none does. */
static const char *class_end(const char *at)
{
	at++;
	at += *at == '!' || *at == '^' ? 1 : 0;
	for (bool first = true; *at && *at != '/' && (first || *at != ']'); first = false)
		at += *at == '\\' && at[1] && at[1] != '/' ? 2 : 1;
	return *at == ']' ? at + 1 : NULL;
}

/* The brace that closes the one at `at`, and the commas of that level by calling again from
 * each: *ret_comma is the first one, or the brace itself. NULL if none closes it. */
static const char *brace_end(const char *at, const char **ret_comma)
{
	unsigned depth = 0;

	*ret_comma = NULL;
	for (at++; *at; at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '{')
			depth++;
		else if (*at == ',' && depth == 0 && !*ret_comma)
			*ret_comma = at;
		else if (*at == '}' && depth-- == 0)
			break;
	}
	if (!*at)
		return NULL;
	if (!*ret_comma)
		*ret_comma = at;
	return at;
}

static int add_item(struct grep_glob *glob, const char *text, struct err_note *note)
{
	size_t len = strlen(text);
	bool folder = len > 0 && text[len - 1] == '/';
	char *item;

	if (glob->count == GREP_GLOB_ALTERNATIVES)
		return err_note(note, -EINVAL, "glob: stands for more than %d alternatives",
		    GREP_GLOB_ALTERNATIVES);
	item = malloc(len + 3);
	if (!item)
		return -ENOMEM;
	memcpy(item, text, len);
	memcpy(item + len, folder ? "**" : "", folder ? 3 : 1);
	glob->items[glob->count++] = item;
	return 0;
}

/* The first brace that is not part of a class and not taken literally. -EINVAL: an open class. */
static int find_brace(const char *text, const char **ret, struct err_note *note)
{
	while (*text && *text != '{') {
		if (*text == '[') {
			text = class_end(text);
			if (!text)
				return err_note(note, -EINVAL,
				    "glob: a [ has no ]; write \\[ for the character itself");
			continue;
		}
		text += *text == '\\' && text[1] ? 2 : 1;
	}
	*ret = text;
	return 0;
}

/* Each alternative of the first brace in turn; what it holds is expanded by the next call. */
static int expand(struct grep_glob *glob, const char *text, unsigned depth, struct err_note *note)
{
	const char *brace = NULL, *end, *comma, *from;
	size_t len = strlen(text);
	int r = find_brace(text, &brace, note);

	if (r < 0)
		return r;
	if (!*brace)
		return add_item(glob, text, note);
	end = brace_end(brace, &comma);
	if (!end || depth == 0)
		return err_note(note, -EINVAL,
		    !end ? "glob: a { has no }; write \\{ for the character itself"
			 : "glob: too many braces");
	for (from = brace; r == 0 && from < end; from = comma) {
		char *cleanup_free inner = malloc(len + 1);
		size_t head = (size_t)(brace - text), part;

		if (!inner)
			return -ENOMEM;
		(void)brace_end(from, &comma);
		part = (size_t)(comma - from - 1);
		memcpy(inner, text, head);
		memcpy(inner + head, from + 1, part);
		memcpy(inner + head + part, end + 1, len - (size_t)(end + 1 - text) + 1);
		r = expand(glob, inner, depth - 1, note);
	}
	return r;
}

int grep_glob_parse(struct grep_glob *ret, const char *text, struct err_note *note)
{
	*ret = (struct grep_glob){.count = 0};
	if (!*text)
		return err_note(note, -EINVAL, "glob: is empty; leave it out for every file");
	if (strlen(text) > GREP_GLOB_MAX)
		return err_note(note, -EINVAL, "glob: is longer than %d bytes", GREP_GLOB_MAX);
	if (*text == '!')
		return err_note(note, -EINVAL,
		    "glob: names the files to search, it cannot exclude any; write \\! for a name "
		    "that begins so");
	if (text[0] == '.' && text[1] == '/')
		text += 2;
	return expand(ret, *text == '/' ? text + 1 : text, GREP_GLOB_ALTERNATIVES, note);
}

void grep_glob_fini(struct grep_glob *glob)
{
	for (size_t i = 0; i < glob->count; i++)
		free(glob->items[i]);
	glob->count = 0;
}
