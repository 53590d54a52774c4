#include "supervisor/engine/methods/methods_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/methods/methods_control.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/records/record_http.h"
#include "supervisor/engine/ruleset.h"

#define IMMUTABLE   "Security: server configuration is immutable via studio API"
#define DETAIL_MAX  (sizeof("sha256:") + 2 * DIGEST_LEN)
#define VERSION_LEN (2 * DIGEST_LEN)

/* ---- who may ------------------------------------------------------------------------------ */

static bool has_studio_role(const struct methods_ask *ask)
{
	const struct policy_words *names = &ask->engine->rules->policy->http.studio_roles;

	for (uint32_t i = 0; i < ask->identity.role_count; i++)
		for (uint32_t j = 0; j < names->count; j++)
			if (strcmp(ask->identity.roles[i]->name, names->items[j].text) == 0)
				return true;
	return false;
}

static bool has(const struct methods_ask *ask, uint32_t permission)
{
	return (ask->identity.permissions & permission) == permission;
}

/* true: it is answered. Reading takes a studio role or policy:read, writing a studio role and
 * policy:edit. */
static bool refuses(const struct methods_ask *ask, bool writes)
{
	if (!ask->engine->rules->policy->http.studio) {
		result_refuse(&ask->to, RESULT_NOT_FOUND, "the studio is off (server.studio)");
		return true;
	}
	if (!writes && (has_studio_role(ask) || has(ask, PERMISSION(POLICY_READ))))
		return false;
	if (writes && has_studio_role(ask) && has(ask, PERMISSION(POLICY_EDIT)))
		return false;
	if (writes && has(ask, PERMISSION(POLICY_EDIT)))
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s has no role of server.studio.roles",
		    ask->peer->caller->principal);
	else
		methods_refuse_permission(
		    ask, writes ? PERMISSION(POLICY_EDIT) : PERMISSION(POLICY_READ));
	return true;
}

static void refuse_server(const struct result_to *to)
{
	json_t *details = json_string("edit server: in the policy file itself, on the machine, and "
				      "reload");
	const struct result_refusal refusal = {.code = RESULT_FORBIDDEN, .details = details};

	result_refuse_with(to, &refusal, "%s", IMMUTABLE);
	json_decref(details);
}

/* ---- asking ------------------------------------------------------------------------------- */

void read_config(const struct methods_ask *ask)
{
	const struct message_control asked = {.op = CONTROL_CONFIG_READ, .expected = ""};

	if (!refuses(ask, false))
		control_config(ask, &asked);
}

/* "sha256:<64 hex>", or the digits alone; "" without a version. NULL: neither. */
static const char *read_version(const struct methods_ask *ask)
{
	const json_t *version = json_object_get(ask->params, "version");
	const char *text = json_string_value(version);
	struct digest digest;

	if (!version || json_is_null(version))
		return "";
	if (text && strncmp(text, "sha256:", 7) == 0)
		text += 7;
	return text && strlen(text) == VERSION_LEN && digest_unhex(&digest, text) == 0 ? text
										       : NULL;
}

/* The policy as text: YAML as it came, or an object as JSON, which is YAML too. 0 or a fault. */
static int read_text(const json_t *config, struct buf *out)
{
	if (json_is_string(config))
		return buf_put(out, json_string_value(config), json_string_length(config));
	return value_write(out, config);
}

void write_config(const struct methods_ask *ask)
{
	const json_t *config = json_object_get(ask->params, "config");
	const json_t *check = json_object_get(ask->params, "check");
	const char *version = read_version(ask);
	struct buf cleanup_with(buf_fini) text = {0};
	struct message_control asked = {.op = CONTROL_CONFIG_WRITE};

	if (refuses(ask, true))
		return;
	/* The policy child looks at the text; an object is looked at here already. */
	if (json_object_get(ask->params, "server") || json_object_get(config, "server")) {
		refuse_server(&ask->to);
		return;
	}
	buf_init(&text, MESSAGE_BODY_MAX);
	if (!version || (check && !json_is_boolean(check)) ||
	    !(json_is_string(config) || json_is_object(config)) || read_text(config, &text)) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "{config, check?, version?} are needed: the policy as text or object, a truth "
		    "value, and the version it was made from");
		return;
	}
	if (json_is_true(check))
		asked.op = CONTROL_CONFIG_CHECK;
	asked.expected = asked.op == CONTROL_CONFIG_WRITE ? version : "";
	asked.body = (struct bytes){.data = text.data, .len = text.len};
	control_config(ask, &asked);
}

/* ---- the answer --------------------------------------------------------------------------- */

static void record(const struct result_to *to, const struct caller *by, enum control_op op,
    const struct message_controlled *told)
{
	char detail[DETAIL_MAX] = "sha256:";
	struct admin_act act = {.type = RECORD_ADMIN_CONFIG,
	    .action = op == CONTROL_CONFIG_READ    ? "read"
		      : op == CONTROL_CONFIG_CHECK ? "check"
						   : "write",
	    .detail = told->note};
	struct digest digest;

	if (told->status != ANSWER_OK)
		act.result = told->status == ANSWER_REFUSED ? "refused" : "unavailable";
	else if (op != CONTROL_CONFIG_READ &&
		 digest_of(&digest, told->body.data, told->body.len) == 0) {
		(void)digest_hex(detail + strlen(detail), &digest);
		act.detail = detail;
	}
	(void)record_admin(to->engine, by, &act, NULL, NULL);
}

static void refuse(const struct result_to *to, const struct message_controlled *told)
{
	if (told->status != ANSWER_REFUSED)
		result_refuse(to, RESULT_UNAVAILABLE, "%s", told->note);
	else if (strstr(told->note, "server configuration is immutable"))
		refuse_server(to);
	else if (strstr(told->note, "changed meanwhile"))
		result_refuse(to, RESULT_CONFLICT, "%s", told->note);
	else
		result_refuse(to, RPC_INVALID_PARAMS, "%s", told->note);
}

void config_controlled(const struct result_to *to, const struct caller *by, enum control_op op,
    const struct message_controlled *told)
{
	struct err_note note = {""};
	json_t *answer = NULL;

	record(to, by, op, told);
	if (told->status != ANSWER_OK) {
		refuse(to, told);
		return;
	}
	if (value_read(told->body.data, told->body.len, &answer, &note) ||
	    !json_is_object(answer)) {
		log_error(
		    "the warden's answer about the configuration is no object: %s", note.text);
		json_decref(answer);
		answer = NULL;
	}
	result_give(to, answer);
}
