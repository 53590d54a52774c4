#include "supervisor/engine/calls/result.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/err.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/asking/subscribe.h"
#include "supervisor/engine/calls/changes.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/output.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/engine/sibling.h"

#define PLAN_TEXT_MAX (sizeof("sha256:") + 2 * DIGEST_LEN)

/* ---- the road out ------------------------------------------------------------------------ */

struct answer {
	enum reply_kind kind;
	int status; /* of HTTP, for the record */
	uint32_t retry_s;
	const char *challenge;
	const void *body;
	size_t len;
};

static void reply(const struct result_to *to, const struct answer *answer)
{
	struct message message;

	visitor_answered(to->engine, to->peer, answer->status);
	message_init(&message, MESSAGE_REPLY);
	message.serial = to->request;
	message.u.reply.kind = answer->kind;
	message.u.reply.retry_s = answer->retry_s;
	message.u.reply.challenge = answer->challenge ? answer->challenge : "";
	message.u.reply.body.data = answer->body;
	message.u.reply.body.len = answer->len;
	(void)sibling_send_peer(to->engine, to->peer, &message);
}

enum mcp_revision result_revision(const struct result_to *to)
{
	return subscribe_revision(to->engine, to->era, to->peer);
}

static void give(
    const struct result_to *to, struct answer *answer, const struct buf *body, int fault)
{
	static const char broken[] = "{\"code\":-32603,\"message\":\"callgate could not build the "
				     "answer; its log says why\"}";

	answer->body = body->data;
	answer->len = body->len;
	if (fault || body->fault || body->len == 0) {
		log_error("an answer could not be built: fault %d", fault ? fault : body->fault);
		*answer = (struct answer){
		    .kind = REPLY_ERROR, .status = 500, .body = broken, .len = strlen(broken)};
	}
	reply(to, answer);
}

void result_give_body(
    const struct result_to *to, enum reply_kind kind, const struct buf *body, int fault)
{
	struct answer answer = {.kind = kind, .status = kind == REPLY_RESULT ? 200 : 400};

	give(to, &answer, body, fault);
}

static int build_object(const struct result_to *to, struct buf *body, json_t *object)
{
	int fault = -ENOMEM;

	buf_init(body, MESSAGE_BODY_MAX);
	if (object)
		fault = result_object(body, result_revision(to), object);
	json_decref(object);
	return fault;
}

void result_give(const struct result_to *to, json_t *object)
{
	struct buf cleanup_with(buf_fini) body = {0};
	int fault = build_object(to, &body, object);

	result_give_body(to, REPLY_RESULT, &body, fault);
}

void result_give_secret(const struct result_to *to, json_t *object)
{
	struct buf cleanup_with(buf_fini) body = {0};
	int fault = build_object(to, &body, object);

	result_give_body(to, REPLY_RESULT, &body, fault);
	if (body.data)
		key_wipe(body.data, body.len);
}

static int build_refusal(struct buf *body, const struct result_refusal *refusal, const char *text)
{
	json_t *object;
	int fault;

	if (!refusal->details)
		return result_error(body, refusal->code, text, NULL);
	object = json_pack("{s:i, s:o, s:O}", "code", refusal->code, "message",
	    value_text(text, strlen(text)), "data", refusal->details);
	fault = object ? value_write(body, object) : -ENOMEM;
	json_decref(object);
	return fault;
}

static void refuse(const struct result_to *to, const struct result_refusal *refusal,
    const char *format, va_list args)
{
	struct buf cleanup_with(buf_fini) body = {0};
	char text[CALL_SENTENCE_MAX];
	struct answer answer = {.kind = REPLY_ERROR,
	    .status = refusal->code >= 400 && refusal->code < 600 ? refusal->code : 400,
	    .retry_s = refusal->retry_s,
	    .challenge = refusal->challenge};

	(void)vsnprintf(text, sizeof(text), format, args);
	buf_init(&body, WIRE_RESULT_MAX);
	give(to, &answer, &body, build_refusal(&body, refusal, text));
}

void result_refuse(const struct result_to *to, int code, const char *format, ...)
{
	const struct result_refusal refusal = {.code = code};
	va_list args;

	va_start(args, format);
	refuse(to, &refusal, format, args);
	va_end(args);
}

void result_refuse_with(
    const struct result_to *to, const struct result_refusal *refusal, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	refuse(to, refusal, format, args);
	va_end(args);
}

void result_silence(const struct result_to *to)
{
	const struct answer silence = {.kind = REPLY_SILENT, .status = 499};

	reply(to, &silence);
}

/* ---- a call's result --------------------------------------------------------------------- */

/* Texts that a struct result_call borrows. */
struct facts {
	char plan[PLAN_TEXT_MAX];
	char leaf[DIGEST_HEX_MAX];
	char root[DIGEST_HEX_MAX];
	struct output_facts out;
	struct output_facts err;
};

static void fill_exit(struct result_call *told, const struct call_exit *exit)
{
	if (exit->how == EXIT_HOW_EXITED || exit->code != 0)
		told->exit = exit->by_signal ? RESULT_EXIT_SIGNAL : RESULT_EXIT_CODE;
	told->exit_value = exit->code;
	told->layers = (const char *const *)exit->layers;
	told->layer_count = exit->layer_count;
	told->wall_us = exit->wall_us;
	told->cpu_us = exit->cpu_us;
	told->memory_peak = exit->memory_peak;
}

static void fill_call(struct result_call *told, const struct call *call, struct facts *facts)
{
	char hex[DIGEST_HEX_MAX];

	told->id = call->id;
	if (!digest_is_zero(&call->plan)) {
		(void)snprintf(
		    facts->plan, sizeof(facts->plan), "sha256:%s", digest_hex(hex, &call->plan));
		told->plan = facts->plan;
	}
	told->decision = judge_decision(call);
	told->by = judge_by(call);
	told->rule = call->rule;
	if (!digest_is_zero(&call->edit.plan)) {
		told->edited_by = call->edit.answer.principal;
		told->edited_approval = call->edit.answer.id;
		told->edited_arguments = call->arguments;
	}
	told->outcome = call_outcome_name(call->outcome);
	told->limit = judge_limit(call);
	fill_exit(told, &call->exit);
	told->out_bytes = facts->out.bytes;
	told->err_bytes = facts->err.bytes;
	told->has_receipt = call->proven;
	if (call->proven) {
		told->receipt_n = call->proof.n;
		told->receipt_size = call->proof.size;
		told->receipt_leaf = digest_hex(facts->leaf, &call->proof.leaf);
		told->receipt_root = digest_hex(facts->root, &call->proof.root);
	}
}

static int fill_output(
    struct result_tool_call *result, const struct call *call, struct buf *out, struct buf *err)
{
	int fault = output_text(out, call->output, OUTPUT_OUT);

	if (!fault)
		fault = output_text(err, call->output, OUTPUT_ERR);
	result->has_output = true;
	result->out = out->data;
	result->out_len = out->len;
	result->err = err->data;
	result->err_len = err->len;
	return fault;
}

/* ---- what a tool printed that promised more than text ------------------------------------- */

struct printed {
	json_t *value;          /* owned; NULL: there is none, or it is not what was promised */
	struct content content; /* of a tool that prints MCP content; else empty */
	char sentence[CALL_SENTENCE_MAX];
};

static void printed_fini(struct printed *printed)
{
	json_decref(printed->value);
	content_fini(&printed->content);
}

static bool has_own_schema(const struct call *call)
{
	return call->tool && call->tool->output_schema && call->tool->output_schema[0];
}

static bool prints_content(const struct call *call)
{
	return call->tool && call->tool->output == TOOL_OUTPUT_CONTENT;
}

/* 0, or what is not as promised. */
static int check_promise(const struct call *call, const json_t *value, struct err_note *note)
{
	const struct tool_book *book = rulebook_tool(call->rules->book, call->tool);

	return book && book->output ? json_schema_check(book->output, value, "output", note) : 0;
}

static int read_value(struct printed *printed, const struct result_tool_call *result,
    const struct call *call, struct err_note *note)
{
	json_t *value = NULL;
	int fault = value_read(result->out, result->out_len, &value, note);

	if (!fault)
		fault = check_promise(call, value, note);
	if (fault)
		json_decref(value);
	else
		printed->value = value;
	return fault;
}

static int read_content(struct printed *printed, const struct result_tool_call *result,
    const struct call *call, struct err_note *note)
{
	struct content *content = &printed->content;
	struct output_facts facts = {0};
	int fault = output_facts(call->output, OUTPUT_OUT, &facts);

	if (!fault && facts.truncated)
		fault = err_note(note, -EINVAL, "it is longer than sandbox.output keeps");
	if (!fault)
		fault = content_read(result->out, result->out_len, content, note);
	if (!fault && has_own_schema(call) && !content->is_error) {
		fault = content->structured
			    ? check_promise(call, content->structured, note)
			    : err_note(note, -EINVAL, "structuredContent: is missing");
		if (fault)
			content_fini(content);
	}
	printed->value = json_incref(content->structured);
	return fault;
}

/* A promise that is broken is an error of the tool, told in words; what it wrote stays readable. */
static void read_printed(
    struct printed *printed, const struct result_tool_call *result, const struct call *call)
{
	struct err_note note = {"out of memory"};
	bool is_content = prints_content(call);
	int fault = is_content ? read_content(printed, result, call, &note)
			       : read_value(printed, result, call, &note);

	if (fault)
		(void)snprintf(printed->sentence, sizeof(printed->sentence),
		    "What the tool printed is not what its %s: %s",
		    is_content ? "policy promises (output: content)" : "output schema promises",
		    note.text);
}

/* result: with its output filled in. */
static void tell_printed(struct result_tool_call *result, struct printed *printed)
{
	result->structure = printed->value ? RESULT_STRUCTURE_VALUE : RESULT_STRUCTURE_NONE;
	result->value = printed->value;
	if (printed->content.items) {
		result->content = &printed->content;
		result->is_error = printed->content.is_error;
	}
	if (printed->sentence[0]) {
		result->sentence = printed->sentence;
		result->is_error = true;
	}
}

/* ---- the body ---------------------------------------------------------------------------- */

static int build_result(
    struct buf *body, const struct call *call, struct result_tool_call *result, bool truncated)
{
	struct printed cleanup_with(printed_fini) printed = {.value = NULL};
	struct buf cleanup_with(buf_fini) out = {0};
	struct buf cleanup_with(buf_fini) err = {0};
	json_t *effects;
	const struct result_to to = {call->engine, call->request, call->era, call->peer};
	int fault = 0;

	buf_init(&out, 2 * OUTPUT_KEEP_MAX);
	buf_init(&err, 2 * OUTPUT_KEEP_MAX);
	result->structure = RESULT_STRUCTURE_STREAMS;
	result->truncated = truncated;
	result->is_error =
	    !call_is_completed(call) || call->exit.how != EXIT_HOW_EXITED || call->exit.code != 0;
	if (call->output && call->proven && !changes_withhold(call))
		fault = fill_output(result, call, &out, &err);
	if (fault)
		return fault;
	effects = changes_json(call);
	result->effects = effects;
	if (has_own_schema(call) || prints_content(call)) {
		if (!result->is_error && result->has_output)
			read_printed(&printed, result, call);
		tell_printed(result, &printed);
	}
	fault = result_tools_call(body, result_revision(&to), result);
	json_decref(effects);
	return fault;
}

static int build(const struct call *call, struct buf *body, enum reply_kind *ret_kind)
{
	struct result_tool_call result = {.sentence = call->sentence};
	struct facts facts = {0};
	int fault = 0;

	if (call->output) {
		fault = output_facts(call->output, OUTPUT_OUT, &facts.out);
		if (!fault)
			fault = output_facts(call->output, OUTPUT_ERR, &facts.err);
	}
	if (fault)
		return fault;
	fill_call(&result.call, call, &facts);
	*ret_kind = REPLY_ERROR;
	if (call->unknown_tool && call->outcome == OUTCOME_REFUSED)
		return result_unknown_tool(body, call->tool_name, &result.call);
	/* 403, as every answer for a namespace that is not in the credential's list. */
	if (call->identity.result == IDENTITY_NO_NAMESPACE && (call->peer & PEER_IS_HTTP))
		return result_error(body, RESULT_FORBIDDEN, call->sentence, &result.call);
	*ret_kind = REPLY_RESULT;
	fault = elicit_result(body, call, &result.call);
	if (fault <= 0)
		return fault;
	return build_result(body, call, &result, facts.out.truncated || facts.err.truncated);
}

int result_park(const struct call *call, const char *key, json_t *params, const char *request_state)
{
	const struct result_to to = {call->engine, call->request, call->era, call->peer};
	struct buf cleanup_with(buf_fini) body = {0};
	struct result_call told = {.id = ""};
	struct facts facts = {0};
	int fault;

	fill_call(&told, call, &facts);
	told.outcome = call_outcome_name(OUTCOME_PENDING);
	buf_init(&body, WIRE_RESULT_MAX);
	fault = result_input_required(&body, key, params, request_state, &told);
	if (!fault)
		result_give_body(&to, REPLY_RESULT, &body, 0);
	return fault;
}

void result_send(struct call *call)
{
	const struct result_to to = {call->engine, call->request, call->era, call->peer};
	struct buf cleanup_with(buf_fini) body = {0};
	enum reply_kind kind = REPLY_RESULT;
	int fault;

	if (call->parked)
		return; /* its request is answered, and no other came */
	if (call->silent) {
		result_silence(&to);
		return;
	}
	buf_init(&body, WIRE_RESULT_MAX);
	fault = build(call, &body, &kind);
	result_give_body(&to, kind, &body, fault);
}
