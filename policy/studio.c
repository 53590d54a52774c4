#include "policy/studio.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/yaml_tree.h"
#include "supervisor/base/cleanup.h"

static const char server_key[] = "server";

/* ---- trees -------------------------------------------------------------------------------- */

static int read_tree(const struct studio_text *text, struct arena *arena,
    const struct yaml_node **ret_root, struct err_note *note)
{
	const struct policy_source source = {
	    .file = text->file, .text = text->text, .len = text->len};
	int fault = yaml_tree_read(&source, arena, ret_root, note);

	if (!fault && (*ret_root)->kind != YAML_KIND_MAPPING)
		return err_note(note, -EINVAL,
		    "%s:%u:%u: policy: is not a mapping; write key: value", text->file,
		    (*ret_root)->pos.line, (*ret_root)->pos.column);
	return fault;
}

/* Depth is bounded by the reader of YAML. */
static bool is_same(const struct yaml_node *a, const struct yaml_node *b)
{
	const struct yaml_node *left = a->first, *right = b->first;

	if (a->kind != b->kind || a->count != b->count || !a->key != !b->key)
		return false;
	if (a->key && strcmp(a->key, b->key) != 0)
		return false;
	if (a->kind == YAML_KIND_SCALAR)
		return a->style == b->style && !strcmp(a->text, b->text);
	for (; left && right; left = left->next, right = right->next) {
		if (!is_same(left, right))
			return false;
	}
	return !left && !right;
}

/* Are the children of whole those of part, in their order, and beside them at most server? */
static bool is_made_of(
    const struct yaml_node *whole, const struct yaml_node *part, const struct yaml_node *server)
{
	const struct yaml_node *next = part->first;
	bool has_server = false;

	for (const struct yaml_node *child = whole->first; child; child = child->next) {
		if (server && !has_server && !strcmp(child->key, server_key)) {
			if (!is_same(child, server))
				return false;
			has_server = true;
			continue;
		}
		if (!next || !is_same(child, next))
			return false;
		next = next->next;
	}
	return !next && has_server == (server != NULL);
}

/* ---- lines -------------------------------------------------------------------------------- */

/* Where a line starts, from 1; the text's length beyond the last. */
static size_t line_start(const struct studio_text *text, uint32_t line)
{
	size_t at = 0;

	while (line > 1 && at < text->len) {
		const char *end = memchr(text->text + at, '\n', text->len - at);

		at = end ? (size_t)(end - text->text) + 1 : text->len;
		line--;
	}
	return at;
}

/* Blank lines and comments at the left edge belong to what comes after them. */
static size_t without_trailer(const struct studio_text *text, size_t from, size_t to)
{
	while (to > from) {
		size_t start = to - 1;

		while (start > from && text->text[start - 1] != '\n')
			start--;
		if (text->text[start] != '#' && text->text[start] != '\n' &&
		    text->text[start] != '\r')
			break;
		to = start;
	}
	return to;
}

struct section {
	size_t from, to; /* bytes of the text; equal: there is none */
};

/* Do these lines alone say what the file's section says, at the left edge? */
static bool is_whole(const struct studio_text *text, const struct section *section,
    const struct yaml_node *server, struct arena *arena)
{
	const struct studio_text lines = {
	    text->file, text->text + section->from, section->to - section->from};
	const struct yaml_node *root;
	struct err_note note;

	if (!lines.len || lines.text[0] == '{' || lines.text[0] == ' ')
		return false;
	return !read_tree(&lines, arena, &root, &note) && root->count == 1 &&
	       is_same(root->first, server);
}

/* Whole lines, from the key's to before the next key's. */
static int find_section(const struct studio_text *text, const struct yaml_node *server,
    struct arena *arena, struct section *ret, struct err_note *note)
{
	size_t end;

	*ret = (struct section){0, 0};
	if (!server)
		return 0;
	ret->from = line_start(text, server->key_pos.line);
	end = server->next ? line_start(text, server->next->key_pos.line) : text->len;
	ret->to = without_trailer(text, ret->from, end);
	if (is_whole(text, ret, server, arena))
		return 0;
	ret->to = end;
	if (is_whole(text, ret, server, arena))
		return 0;
	return err_note(note, -EINVAL,
	    "%s:%u:%u: server: is not a block of its own; start its line with it, outside of "
	    "braces",
	    text->file, server->key_pos.line, server->key_pos.column);
}

/* ---- to show ------------------------------------------------------------------------------ */

static int show(
    const struct studio_text *now, struct arena *arena, struct buf *out, struct err_note *note)
{
	const struct yaml_node *root, *server, *rest_root;
	struct studio_text rest = {.file = now->file};
	struct section section;
	int fault = read_tree(now, arena, &root, note);

	server = fault ? NULL : yaml_child(root, server_key);
	if (!fault)
		fault = find_section(now, server, arena, &section, note);
	if (fault)
		return fault;
	buf_put(out, now->text, section.from);
	buf_put(out, now->text + section.to, now->len - section.to);
	if (out->fault || root->count == (server ? 1 : 0))
		return out->fault;
	rest.text = (const char *)out->data;
	rest.len = out->len;
	if (read_tree(&rest, arena, &rest_root, note) || !is_made_of(root, rest_root, server))
		return err_note(note, -EINVAL,
		    "%s:%u:%u: server: cannot be cut out by its lines; write it as a block of its "
		    "own",
		    now->file, server ? server->key_pos.line : 1,
		    server ? server->key_pos.column : 1);
	return 0;
}

int studio_show(const struct studio_text *now, struct buf *out, struct err_note *note)
{
	struct arena arena = {NULL};
	int fault = show(now, &arena, out, note);

	arena_fini(&arena);
	return fault;
}

/* ---- to merge ----------------------------------------------------------------------------- */

static void put_json(struct buf *out, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY);

	if (!text && !out->fault)
		out->fault = -ENOMEM;
	if (text)
		buf_text(out, text);
	free(text);
}

/* A section cannot follow an object in braces: its members become lines. */
static int put_object(const struct studio_text *edited, struct buf *out, struct err_note *note)
{
	json_error_t error;
	json_t *root = json_loadb(edited->text, edited->len, JSON_REJECT_DUPLICATES, &error);
	const char *key;
	json_t *value;

	if (!json_is_object(root)) {
		json_decref(root);
		return err_note(note, -EINVAL,
		    "%s:%d:%d: policy: stands in braces and is not JSON; write JSON, or YAML "
		    "without braces around it",
		    edited->file, error.line > 0 ? error.line : 1,
		    error.column > 0 ? error.column : 1);
	}
	json_object_foreach(root, key, value)
	{
		json_t *name = json_string(key);

		put_json(out, name);
		json_decref(name);
		buf_text(out, ": ");
		put_json(out, value);
		buf_text(out, "\n");
	}
	json_decref(root);
	return out->fault;
}

static bool is_braced(const struct studio_text *text)
{
	size_t at = 0;

	while (at < text->len && strchr(" \t\r\n", text->text[at]) && text->text[at])
		at++;
	return at < text->len && text->text[at] == '{';
}

static int put_line_end(struct buf *out)
{
	if (out->len && out->data[out->len - 1] != '\n')
		buf_text(out, "\n");
	return out->fault;
}

/* The texts are put together, and then read as one. */
static int join(const struct studio_text *now, const struct section *section,
    const struct studio_text *edited, struct buf *out, struct err_note *note)
{
	int fault = 0;

	if (section->from == section->to) {
		buf_put(out, edited->text, edited->len);
		return out->fault;
	}
	if (is_braced(edited))
		fault = put_object(edited, out, note);
	else
		buf_put(out, edited->text, edited->len);
	if (!fault)
		fault = put_line_end(out);
	buf_put(out, now->text + section->from, section->to - section->from);
	return fault ? fault : put_line_end(out);
}

static int refuse_server(
    const struct studio_text *edited, const struct yaml_node *server, struct err_note *note)
{
	return err_note(note, -EPERM, "%s:%u:%u: server: " STUDIO_IMMUTABLE "; remove the section",
	    edited->file, server->key_pos.line, server->key_pos.column);
}

static bool is_variable(const struct yaml_node *node)
{
	return node->kind == YAML_KIND_SCALAR && node->style != YAML_STYLE_VERBATIM &&
	       strstr(node->text, "${");
}

/* Does this value stand under this key somewhere in the tree? */
static bool has_value(const struct yaml_node *tree, const struct yaml_node *value)
{
	if (is_variable(tree) && !tree->key == !value->key &&
	    (!tree->key || !strcmp(tree->key, value->key)) && !strcmp(tree->text, value->text))
		return true;
	if (tree->kind == YAML_KIND_SCALAR)
		return false;
	for (const struct yaml_node *child = tree->first; child; child = child->next)
		if (has_value(child, value))
			return true;
	return false;
}

/* Outside of its server: section. */
static bool file_has(const struct yaml_node *root, const struct yaml_node *value)
{
	for (const struct yaml_node *child = root->first; child; child = child->next)
		if (strcmp(child->key, server_key) != 0 && has_value(child, value))
			return true;
	return false;
}

/* Variables hold the service key, static keys and the secrets of channels. A new place for one
 * would show its value to whoever edits, by the difference or by what people are told of a tool. */
static int refuse_new_variables(const struct studio_text *edited, const struct yaml_node *tree,
    const struct yaml_node *root, struct err_note *note)
{
	int fault = 0;

	if (is_variable(tree) && !file_has(root, tree))
		return err_note(note, -EINVAL,
		    "%s:%u:%u: a variable where the file has none: the studio would show its "
		    "value; write it into the file itself, on the machine",
		    edited->file, tree->pos.line, tree->pos.column);
	if (tree->kind == YAML_KIND_SCALAR)
		return 0;
	for (const struct yaml_node *child = tree->first; child && !fault; child = child->next)
		fault = refuse_new_variables(edited, child, root, note);
	return fault;
}

static int merge(const struct studio_text *now, const struct studio_text *edited,
    struct arena *arena, struct buf *out, struct err_note *note)
{
	const struct yaml_node *root, *new_root, *server, *merged_root;
	struct studio_text merged = {.file = edited->file};
	struct section section;
	int fault = read_tree(edited, arena, &new_root, note);

	if (fault)
		return fault;
	if (yaml_child(new_root, server_key))
		return refuse_server(edited, yaml_child(new_root, server_key), note);
	fault = read_tree(now, arena, &root, note);
	server = fault ? NULL : yaml_child(root, server_key);
	if (!fault)
		fault = refuse_new_variables(edited, new_root, root, note);
	if (!fault)
		fault = find_section(now, server, arena, &section, note);
	if (!fault)
		fault = join(now, &section, edited, out, note);
	if (fault)
		return fault;
	merged.text = (const char *)out->data;
	merged.len = out->len;
	if (read_tree(&merged, arena, &merged_root, note) ||
	    !is_made_of(merged_root, new_root, server))
		return err_note(note, -EINVAL,
		    "%s:1:1: policy: the file's own server: section cannot stand after this text; "
		    "write plain YAML that starts at the left edge, without marks of documents",
		    edited->file);
	return 0;
}

/* A file's text ends with its last line's end: without it, a block's last line is another text. */
int studio_merge(const struct studio_text *now, const struct studio_text *edited, struct buf *out,
    struct err_note *note)
{
	struct buf cleanup_with(buf_fini) copy;
	struct studio_text whole = *edited;
	struct arena arena = {NULL};
	int fault;

	buf_init(&copy, POLICY_FILE_MAX + 1);
	if (edited->len && edited->text[edited->len - 1] != '\n') {
		buf_put(&copy, edited->text, edited->len);
		buf_text(&copy, "\n");
		if (copy.fault)
			return copy.fault;
		whole.text = (const char *)copy.data;
		whole.len = copy.len;
	}
	fault = merge(now, &whole, &arena, out, note);
	arena_fini(&arena);
	return fault;
}
