#include "policy/load.h"

#include <errno.h>
#include <string.h>

#include "policy/check.h"
#include "policy/keys.h"
#include "policy/text.h"

static const struct policy_word default_path[] = {
    {"/usr/local/bin", {0, 0}},
    {"/usr/bin", {0, 0}},
    {"/bin", {0, 0}},
};

/* What a file that says nothing says. */
static void set_defaults(struct policy *policy)
{
	policy->socket_path = "";
	policy->socket_mode = 0600;
	policy->socket_group = "";
	policy->audit_directory = "";
	policy->log_level = "info";
	policy->log_format = "text";
	policy->approval_timeout_ms = 5 * 60 * 1000;
	policy->approval_hold_ms = 45 * 1000;
	policy->default_decision = DECISION_ASK;
	policy->default_execution_ms = 60 * 1000;
	policy->path =
	    (struct policy_words){default_path, sizeof(default_path) / sizeof(default_path[0])};
}

/* A file without namespaces has one, beside the policy file: its own folder holds the policy,
 * which no tool may write, and so cannot be a workspace. */
static int add_default_namespace(struct arena *arena, struct policy *policy)
{
	struct policy_namespace *space;

	if (policy->namespace_count)
		return 0;
	space = arena_alloc(arena, sizeof(*space));
	if (!space)
		return -ENOMEM;
	space->name = "default";
	space->working_directory = "./workspace";
	policy->namespaces = space;
	policy->namespace_count = 1;
	return 0;
}

static int read_policy(struct schema *schema, struct policy *policy)
{
	const struct yaml_node *root;
	/* Texts of the tree are the policy's own: they stay in its arena. */
	int fault = yaml_tree_read(schema->source, schema->arena, &root, schema->note);

	if (fault)
		return fault;
	set_defaults(policy);
	policy->file =
	    arena_text(schema->arena, schema->source->file, strlen(schema->source->file));
	if (!policy->file)
		return -ENOMEM;
	fault = schema_mapping(schema, root, policy_keys, policy);
	if (!fault)
		fault = add_default_namespace(schema->arena, policy);
	return fault ? fault : policy_check(schema, policy);
}

/* The policy takes the arena it lives in. */
static int keep(struct arena *arena, struct policy *policy, struct policy **ret_policy)
{
	struct arena *kept = arena_alloc(arena, sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	*kept = *arena;
	policy->storage = kept;
	*ret_policy = policy;
	return 0;
}

int policy_load(const struct policy_source *source, struct policy **ret_policy,
    struct buf *warnings, struct err_note *note)
{
	struct arena arena = {NULL};
	struct schema schema = {.source = source,
	    .arena = &arena,
	    .warnings = warnings,
	    .note = note,
	    .budget = POLICY_FILE_MAX};
	struct policy *policy = arena_alloc(&arena, sizeof(*policy));
	int fault = policy ? 0 : -ENOMEM;

	if (!fault && !text_is_clean(source->file, strlen(source->file)))
		fault = err_note(note, -EINVAL,
		    "%s:1:1: policy: the file's name is not clean text; rename it", source->file);
	if (!fault)
		fault = read_policy(&schema, policy);
	if (!fault)
		fault = keep(&arena, policy, ret_policy);
	if (fault)
		arena_fini(&arena);
	return fault;
}
