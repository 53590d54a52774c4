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

static const struct policy_word default_methods[] = {
    {"GET", {0, 0}},
    {"POST", {0, 0}},
    {"OPTIONS", {0, 0}},
};
static const struct policy_word default_headers[] = {
    {"Authorization", {0, 0}},
    {"Content-Type", {0, 0}},
};
static const struct policy_word default_algorithms[] = {
    {"RS256", {0, 0}},
    {"PS256", {0, 0}},
    {"ES256", {0, 0}},
    {"EdDSA", {0, 0}},
};
static const struct policy_word default_studio_roles[] = {
    {"operator", {0, 0}},
};
#define WORDS(array)                                                                               \
	(struct policy_words)                                                                      \
	{                                                                                          \
		array, sizeof(array) / sizeof((array)[0])                                          \
	}

static void set_http_defaults(struct policy_http *http)
{
	http->listen = "127.0.0.1";
	http->max_upload_bytes = 1024 * 1024;
	http->auth.jwks_url = http->auth.issuer = http->auth.audience = "";
	http->auth.audience_claim = "aud";
	http->auth.refresh_interval_ms = 15 * 60 * 1000;
	http->auth.algorithms = WORDS(default_algorithms);
	http->auth.service_key_env = "";
	http->cors.allowed_methods = WORDS(default_methods);
	http->cors.allowed_headers = WORDS(default_headers);
	http->cors.max_age = 86400;
	http->rate.requests_per_minute = 100;
	http->rate.burst = 20;
	http->tls.cert = http->tls.key = http->tls.client_ca = "";
	http->studio_roles = WORDS(default_studio_roles);
	http->tracing_endpoint = "localhost:4318";
	http->url = "";
	http->outgoing.ca = "";
}

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
	policy->path = WORDS(default_path);
	policy->approval.quorum = 1;
	policy->approval.grants = GRANT_ONCE;
	policy->approval.max_grant_ttl_ms = 8 * 3600 * 1000;
	set_http_defaults(&policy->http);
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

/* Defaults that depend on what the file says. */
static void fill_auth(struct policy_auth *auth)
{
	/* Looking at credentials means asking for them, unless the file says otherwise. */
	if (!auth->require_auth_given)
		auth->require_auth = auth->enabled;
	if (!auth->keep_keys_ms)
		auth->keep_keys_ms =
		    auth->refresh_interval_ms > DAY_MS ? auth->refresh_interval_ms : DAY_MS;
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
		fault = overrides_apply(schema, &policy->http);
	fill_auth(&policy->http.auth);
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
