/*
 * libyaml's events as a tree with a place for every node, under limits. What a policy has no use
 * for and what readers of YAML disagree about is refused here: anchors, aliases, tags, several
 * documents, keys that are not text, keys given twice. Private to policy/. Floor 1: libyaml.
 */
#ifndef CALLGATE_POLICY_YAML_TREE_H
#define CALLGATE_POLICY_YAML_TREE_H

#include "policy/arena.h"
#include "policy/load.h"

enum yaml_kind {
	YAML_KIND_SCALAR,
	YAML_KIND_SEQUENCE,
	YAML_KIND_MAPPING,
};

enum yaml_style {
	YAML_STYLE_PLAIN,    /* may be a number, true, false or null; ${VAR} counts */
	YAML_STYLE_DOUBLE,   /* text; ${VAR} counts */
	YAML_STYLE_VERBATIM, /* single-quoted or block: text as it stands */
};

struct yaml_node {
	enum yaml_kind kind;
	enum yaml_style style; /* of a scalar */
	const char *text;      /* of a scalar, clean (policy/text.h); else NULL */
	struct policy_pos pos;
	const char *key;           /* in a mapping; else NULL */
	struct policy_pos key_pos; /* in a mapping; else pos */
	uint32_t index;            /* in a sequence, from 0 */
	uint32_t count;            /* children */
	struct yaml_node *parent;
	struct yaml_node *first, *last, *next;
};

/* Everything lives in arena. 0 and the root, -EINVAL with a note, -ENOMEM. */
int yaml_tree_read(const struct policy_source *source, struct arena *arena,
    const struct yaml_node **ret_root, struct err_note *note);

/* The value of a key of a mapping; NULL: not there, or no mapping. */
const struct yaml_node *yaml_child(const struct yaml_node *mapping, const char *key);

#define YAML_PATH_MAX 160
/* "tools.bash.allowed_commands[2]"; "policy" for the root; long paths are cut at the end. */
void yaml_path(const struct yaml_node *node, char out[YAML_PATH_MAX]);

#endif
