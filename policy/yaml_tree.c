#include "policy/yaml_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "policy/text.h"
#include "supervisor/base/buf.h"

struct tree {
	const struct policy_source *source;
	struct arena *arena;
	struct err_note *note;
	yaml_parser_t parser;
	struct yaml_node *root; /* NULL until the document's first node */
	struct yaml_node *open; /* the collection being read; NULL outside */
	const char *key;        /* read, its value not yet */
	struct policy_pos key_pos;
	uint32_t nodes;
	uint32_t depth;
	uint32_t documents;
};

/* ---- paths and messages ------------------------------------------------------------------- */

static void put_path(struct buf *out, const struct yaml_node *node)
{
	if (!node->parent)
		return;
	put_path(out, node->parent);
	if (!node->key)
		buf_textf(out, "[%u]", node->index);
	else
		buf_textf(out, "%s%.48s", node->parent->parent ? "." : "", node->key);
}

void yaml_path(const struct yaml_node *node, char out[YAML_PATH_MAX])
{
	struct buf path;

	/* Depth and key length are bounded, so the limit cannot be met; the cut is for `out`. */
	buf_init(&path, (POLICY_DEPTH_MAX + 1) * 64);
	put_path(&path, node);
	snprintf(
	    out, YAML_PATH_MAX, "%s", node->parent && buf_cstr(&path) ? buf_cstr(&path) : "policy");
	buf_fini(&path);
}

const struct yaml_node *yaml_child(const struct yaml_node *mapping, const char *key)
{
	const struct yaml_node *child = NULL;

	if (mapping->kind == YAML_KIND_MAPPING)
		child = mapping->first;
	while (child && strcmp(child->key, key))
		child = child->next;
	return child;
}

static struct policy_pos mark_pos(const yaml_mark_t *mark)
{
	return (struct policy_pos){(uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

/* why: a literal "why; what to do". */
static int refuse(const struct tree *tree, const yaml_event_t *event, const char *why)
{
	struct policy_pos pos = mark_pos(&event->start_mark);
	char path[YAML_PATH_MAX] = "policy";

	if (tree->open)
		yaml_path(tree->open, path);
	return err_note(tree->note, -EINVAL, "%s:%u:%u: %s: %s", tree->source->file, pos.line,
	    pos.column, path, why);
}

/* The reader's errors have an offset only. */
static struct policy_pos offset_pos(const struct policy_source *source, size_t offset)
{
	struct policy_pos pos = {1, 1};

	for (size_t i = 0; i < offset && i < source->len; i++) {
		if (source->text[i] == '\n')
			pos = (struct policy_pos){pos.line + 1, 1};
		else if (((unsigned char)source->text[i] & 0xc0) != 0x80)
			pos.column++;
	}
	return pos;
}

/* libyaml counts characters; a tab is looked for from the start of the line that it names. */
static bool tab_stands_at(const struct policy_source *source, const yaml_mark_t *mark)
{
	size_t line = 0, column = 0, at = 0;

	while (at < source->len && line < mark->line)
		line += source->text[at++] == '\n';
	while (at < source->len && column < mark->column && source->text[at] != '\n')
		column += ((unsigned char)source->text[at++] & 0xc0) != 0x80;
	return at < source->len && source->text[at] == '\t';
}

static int parser_fault(const struct tree *tree)
{
	const yaml_parser_t *parser = &tree->parser;
	struct policy_pos pos = mark_pos(&parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "not YAML";
	const char *context = parser->context ? parser->context : "";

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (parser->error == YAML_READER_ERROR)
		pos = offset_pos(tree->source, parser->problem_offset);
	if (tab_stands_at(tree->source, &parser->problem_mark))
		return err_note(tree->note, -EINVAL,
		    "%s:%u:%u: yaml: a tab stands where YAML wants blanks; indent with blanks",
		    tree->source->file, pos.line, pos.column);
	return err_note(tree->note, -EINVAL,
	    "%s:%u:%u: yaml: %s%s%s; correct the YAML at this place", tree->source->file, pos.line,
	    pos.column, problem, *context ? " " : "", context);
}

/* ---- nodes -------------------------------------------------------------------------------- */

static void append(struct tree *tree, struct yaml_node *node)
{
	struct yaml_node *parent = tree->open;

	node->parent = parent;
	node->key_pos = node->pos;
	if (!parent) {
		tree->root = node;
		return;
	}
	if (parent->kind == YAML_KIND_MAPPING) {
		node->key = tree->key;
		node->key_pos = tree->key_pos;
		tree->key = NULL;
	}
	node->index = parent->count++;
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
}

static int add_node(
    struct tree *tree, const yaml_event_t *event, enum yaml_kind kind, struct yaml_node **ret_node)
{
	struct yaml_node *node;

	if (++tree->nodes > POLICY_NODES_MAX)
		return refuse(tree, event, "more than 400000 values; split the policy");
	node = arena_alloc(tree->arena, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->kind = kind;
	node->pos = mark_pos(&event->start_mark);
	append(tree, node);
	*ret_node = node;
	return 0;
}

static bool expects_key(const struct tree *tree)
{
	return tree->open && tree->open->kind == YAML_KIND_MAPPING && !tree->key;
}

static int open_collection(struct tree *tree, const yaml_event_t *event, enum yaml_kind kind)
{
	struct yaml_node *node;
	int fault;

	if (expects_key(tree))
		return refuse(tree, event, "a key is not text; write keys as plain words");
	if (++tree->depth > POLICY_DEPTH_MAX)
		return refuse(tree, event, "nested deeper than 24 levels; flatten it");
	fault = add_node(tree, event, kind, &node);
	if (!fault)
		tree->open = node;
	return fault;
}

static int compare_keys(const void *a, const void *b)
{
	const struct yaml_node *left = *(struct yaml_node *const *)a;
	const struct yaml_node *right = *(struct yaml_node *const *)b;
	int order = strcmp(left->key, right->key);

	return order ? order : (left->index > right->index) - (left->index < right->index);
}

/* Sorting keeps a mapping of many thousand keys from costing their square. */
static int check_unique(const struct tree *tree, const struct yaml_node *mapping)
{
	const struct yaml_node **keys = calloc(mapping->count, sizeof(struct yaml_node *));
	const struct yaml_node *twice = NULL;
	char path[YAML_PATH_MAX];
	uint32_t count = 0;

	if (!keys)
		return -ENOMEM;
	for (const struct yaml_node *node = mapping->first; node; node = node->next)
		keys[count++] = node;
	qsort(keys, count, sizeof(keys[0]), compare_keys);
	for (uint32_t i = 1; i < count && !twice; i++) {
		if (!strcmp(keys[i - 1]->key, keys[i]->key))
			twice = keys[i];
	}
	free(keys);
	if (!twice)
		return 0;
	yaml_path(twice, path);
	return err_note(tree->note, -EINVAL, "%s:%u:%u: %s: the key is given twice; keep one",
	    tree->source->file, twice->key_pos.line, twice->key_pos.column, path);
}

static int close_collection(struct tree *tree)
{
	struct yaml_node *closed = tree->open;

	tree->open = closed->parent;
	tree->depth--;
	if (closed->kind == YAML_KIND_MAPPING && closed->count > 1)
		return check_unique(tree, closed);
	return 0;
}

static enum yaml_style style_of(const yaml_event_t *event)
{
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return YAML_STYLE_PLAIN;
	if (event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return YAML_STYLE_DOUBLE;
	return YAML_STYLE_VERBATIM;
}

static int add_scalar(struct tree *tree, const yaml_event_t *event)
{
	const char *bytes = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct yaml_node *node;
	const char *text;
	int fault;

	if (memchr(bytes, '\0', len) || !text_is_clean(bytes, len))
		return refuse(tree, event, "a control character; leave it out");
	text = arena_text(tree->arena, bytes, len);
	if (!text)
		return -ENOMEM;
	if (expects_key(tree)) {
		if (!len)
			return refuse(tree, event, "a key is empty; name it");
		tree->key = text;
		tree->key_pos = mark_pos(&event->start_mark);
		return 0;
	}
	fault = add_node(tree, event, YAML_KIND_SCALAR, &node);
	if (fault)
		return fault;
	node->text = text;
	node->style = style_of(event);
	return 0;
}

/* ---- events ------------------------------------------------------------------------------- */

static int start_document(struct tree *tree, const yaml_event_t *event)
{
	if (++tree->documents > 1)
		return refuse(tree, event, "a second document; a policy is one document");
	if (event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		return refuse(tree, event, "a %TAG directive; a policy has no tags, remove it");
	return 0;
}

/* Anchor and tag of a node, NULL where the event has none. */
static int refuse_extras(
    const struct tree *tree, const yaml_event_t *event, const void *anchor, const void *tag)
{
	if (anchor)
		return refuse(tree, event, "an anchor; anchors are not read, write the value out");
	if (tag)
		return refuse(tree, event, "a tag; tags are not read, remove it");
	return 0;
}

static int take_event(struct tree *tree, const yaml_event_t *event)
{
	int fault;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT: return start_document(tree, event);
	case YAML_ALIAS_EVENT:
		return refuse(tree, event, "an alias; aliases are not read, write the value out");
	case YAML_SCALAR_EVENT:
		fault =
		    refuse_extras(tree, event, event->data.scalar.anchor, event->data.scalar.tag);
		return fault ? fault : add_scalar(tree, event);
	case YAML_SEQUENCE_START_EVENT:
		fault = refuse_extras(
		    tree, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
		return fault ? fault : open_collection(tree, event, YAML_KIND_SEQUENCE);
	case YAML_MAPPING_START_EVENT:
		fault = refuse_extras(
		    tree, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
		return fault ? fault : open_collection(tree, event, YAML_KIND_MAPPING);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return close_collection(tree);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT: return 0;
	}
	return 0;
}

static int read_events(struct tree *tree)
{
	bool ended = false;

	while (!ended) {
		yaml_event_t event;
		int fault;

		if (!yaml_parser_parse(&tree->parser, &event))
			return parser_fault(tree);
		fault = take_event(tree, &event);
		ended = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (fault)
			return fault;
	}
	return 0;
}

int yaml_tree_read(const struct policy_source *source, struct arena *arena,
    const struct yaml_node **ret_root, struct err_note *note)
{
	struct tree tree = {.source = source, .arena = arena, .note = note};
	int fault;

	if (source->len > POLICY_FILE_MAX)
		return err_note(note, -EINVAL,
		    "%s:1:1: policy: larger than 4 MiB; split the policy", source->file);
	if (!yaml_parser_initialize(&tree.parser))
		return -ENOMEM;
	/* Said, not guessed: a byte order mark shall not turn the file into UTF-16. */
	yaml_parser_set_encoding(&tree.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &tree.parser, (const unsigned char *)source->text, source->len);
	fault = read_events(&tree);
	yaml_parser_delete(&tree.parser);
	if (fault)
		return fault;
	if (!tree.root)
		return err_note(note, -EINVAL, "%s:1:1: policy: the file is empty; write a policy",
		    source->file);
	*ret_root = tree.root;
	return 0;
}
