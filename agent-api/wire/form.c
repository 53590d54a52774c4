#include "agent-api/wire/form.h"

#include <string.h>

#include "supervisor/base/str.h"

json_t *form_params(const struct form *form, enum mcp_revision revision)
{
	json_t *decision = json_pack("{s:s, s:s, s:s, s:[s, s]}", "type", "string", "title",
	    "Decision", "description", "Run exactly this, once?", "enum", "approve", "deny");
	json_t *reason = json_pack("{s:s, s:s, s:s, s:i, s:i}", "type", "string", "title", "Reason",
	    "description", "Goes into the record, and to the agent.", "minLength",
	    form->reason_required ? 1 : 0, "maxLength", FORM_REASON_MAX / 4);
	json_t *required = form->reason_required ? json_pack("[s, s]", "decision", "reason")
						 : json_pack("[s]", "decision");
	json_t *params = json_pack("{s:s, s:{s:s, s:{s:o, s:o}, s:o}}", "message", form->message,
	    "requestedSchema", "type", "object", "properties", "decision", decision, "reason",
	    reason, "required", required);

	if (params && revision >= MCP_2025_11_25 &&
	    json_object_set_new(params, "mode", json_string("form")) < 0) {
		json_decref(params);
		return NULL;
	}
	return params;
}

enum form_answer form_read(const json_t *result, bool reason_required, const char **ret_reason)
{
	const char *action = json_string_value(json_object_get(result, "action"));
	const json_t *content = json_object_get(result, "content");
	const char *decision = json_string_value(json_object_get(content, "decision"));
	const json_t *reason = json_object_get(content, "reason");

	*ret_reason = "";
	if (!action)
		return FORM_UNANSWERED;
	if (strcmp(action, "decline") == 0)
		return FORM_DENY;
	if (strcmp(action, "accept") != 0 || !decision)
		return FORM_UNANSWERED;
	if (reason && (!json_is_string(reason) || json_string_length(reason) > FORM_REASON_MAX))
		return FORM_UNANSWERED;
	*ret_reason = reason ? json_string_value(reason) : "";
	if (strcmp(decision, "deny") == 0)
		return FORM_DENY;
	if (strcmp(decision, "approve") != 0 || (reason_required && !str_is_seen(*ret_reason)))
		return FORM_UNANSWERED;
	return FORM_APPROVE;
}
