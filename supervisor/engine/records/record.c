#include "supervisor/engine/records/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/admission.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/output.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/metrics.h"
#include "supervisor/engine/records/record_effects.h"
#include "supervisor/engine/records/record_http.h"
#include "supervisor/engine/ruleset.h"

/* A record on its way that no call waits for. */
struct noted {
	struct noted *next;
	uint64_t serial;
	enum record_type type;
	record_done *done; /* NULL: nobody waits */
	void *context;
};

/* ---- pieces ------------------------------------------------------------------------------ */

void record_put_text(struct buf *out, const char *key, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len > RECORD_TEXT_MAX)
		for (len = RECORD_TEXT_MAX; len > 0 && (text[len] & 0xc0) == 0x80; len--)
			;
	if (len > 0)
		record_put_bytes(out, key, text, len);
}

static void put_digest(struct buf *out, const char *key, const struct digest *digest)
{
	if (!digest_is_zero(digest))
		record_put_digest(out, key, digest);
}

/* What an argument may need in a JSON line: \u00XX is the longest of all. */
static size_t json_bytes(const char *text)
{
	size_t bytes = 3;

	for (const char *at = text; *at; at++)
		bytes += (unsigned char)*at < 0x20 ? 6 : *at == '"' || *at == '\\' ? 2 : 1;
	return bytes;
}

static void put_argv(struct buf *out, const struct command *command)
{
	struct digest_stream *hash;
	struct digest digest;
	size_t bytes = 0;

	if (command->argc == 0)
		return;
	for (uint32_t i = 0; i < command->argc; i++)
		bytes += json_bytes(command->argv[i]);
	if (bytes <= RECORD_ARGV_MAX) {
		record_put_list(out, "argv", command->argv, command->argc);
		return;
	}
	hash = digest_stream_new();
	for (uint32_t i = 0; hash && i < command->argc; i++)
		if (digest_stream_add(hash, command->argv[i], strlen(command->argv[i]) + 1))
			break;
	if (hash && digest_stream_peek(hash, &digest) == 0) {
		record_put_int(out, "argv_count", command->argc);
		record_put_digest(out, "argv_sha256", &digest);
	}
	if (hash)
		digest_stream_free(hash);
}

static void put_answer(struct buf *out, const struct call *call)
{
	const struct approval_answer *answer = &call->answer;

	if (!answer->id[0])
		return;
	record_open(out, "approval");
	record_put_text(out, "claimed", answer->claimed);
	record_put_text(out, "credential", answer->credential);
	record_put_str(out, "id", answer->id);
	record_put_text(out, "key", answer->key);
	record_put_text(out, "method", approval_answer_how(answer));
	record_put_text(out, "principal", answer->principal);
	record_put_text(out, "reason", answer->reason);
	record_close(out);
}

/* Who gave this call other arguments than its caller did, and what it would have run. */
static void put_edit(struct buf *out, const struct call *call)
{
	const struct approval_edit *edit = &call->edit;

	if (digest_is_zero(&edit->plan))
		return;
	record_open(out, "edited");
	record_put_str(out, "approval", edit->answer.id);
	record_put_str(out, "by", edit->answer.principal);
	record_put_digest(out, "plan", &edit->plan);
	record_close(out);
}

static const char *agent_of(const struct call *call)
{
	return call->identity.agent ? call->identity.agent->name : call->agent;
}

static const char *space_of(const struct call *call)
{
	return call->identity.space ? call->identity.space->name : call->space;
}

static const char *tenant_of(const struct call *call)
{
	return call->rules ? admission_tenant(call->rules->policy, call->caller, space_of(call))
			   : call->caller->tenant;
}

static const struct digest *policy_of(const struct call *call)
{
	static const struct digest none;

	return call->rules ? &call->rules->version : &none;
}

/* ---- the two records of every call ------------------------------------------------------- */

void record_decision(struct buf *out, const struct call *call, bool allow)
{
	record_put_text(out, "address", call->caller->address);
	record_put_text(out, "agent", agent_of(call));
	record_put_bool(out, "allow", allow);
	put_answer(out, call);
	put_argv(out, &call->command);
	record_put_str(out, "by", judge_by(call));
	record_put_str(out, "call", call->id);
	record_put_text(out, "credential", call->caller->credential);
	record_put_text(out, "cwd", call->cwd);
	record_put_str(out, "decision", judge_decision(call));
	put_edit(out, call);
	if (call->caller->shown.has_peer)
		record_put_int(out, "gid", call->caller->shown.gid);
	record_put_text(out, "grant", call->grant);
	record_put_text(out, "namespace", space_of(call));
	record_put_text(out, "parent", call->parent);
	record_put_text(out, "path", call->caller->path);
	if (call->caller->shown.has_peer)
		record_put_int(out, "pid", call->pid);
	put_digest(out, "plan", &call->plan);
	put_digest(out, "policy", policy_of(call));
	record_put_str(out, "principal", call->caller->principal);
	record_put_text(out, "program", call->program);
	record_put_str(out, "proof", caller_proof_name(call->caller->proof));
	record_put_text(out, "reason", call->sentence[0] ? call->sentence : call->reason);
	record_put_text(out, "request_id", call->caller->request_id);
	record_put_text(out, "rule", call->rule);
	if (call->stdin_kind == STDIN_SEALED)
		record_put_digest(out, "stdin_sha256", &call->stdin_digest);
	record_put_text(out, "tenant", tenant_of(call));
	record_put_text(out, "tool", call->tool_name);
	if (call->caller->shown.has_peer)
		record_put_int(out, "uid", call->caller->shown.uid);
}

static void put_exit(struct buf *out, const struct call_exit *exit)
{
	if (exit->how != EXIT_HOW_EXITED && exit->code == 0)
		return; /* no end of its own: nothing ran, or the tree was ended */
	record_open(out, "exit");
	record_put_int(out, exit->by_signal ? "signal" : "code", exit->code);
	record_close(out);
}

static void put_output(struct buf *out, const struct output *output)
{
	struct output_facts to_out, to_err;

	if (!output || output_facts(output, OUTPUT_OUT, &to_out) ||
	    output_facts(output, OUTPUT_ERR, &to_err))
		return;
	record_open(out, "output");
	record_put_int(out, "err_bytes", (int64_t)to_err.bytes);
	record_put_digest(out, "err_sha256", &to_err.digest);
	record_put_int(out, "out_bytes", (int64_t)to_out.bytes);
	record_put_digest(out, "out_sha256", &to_out.digest);
	record_put_bool(out, "truncated", to_out.truncated || to_err.truncated);
	record_close(out);
}

/* What its tool asked: of people, and by answers that the client had sent before. */
static void put_forms(struct buf *out, const struct call *call)
{
	if (!call->questions && !call->foreseen)
		return;
	record_open(out, "forms");
	record_put_int(out, "asked", call->questions);
	record_put_int(out, "foreseen", call->foreseen);
	record_close(out);
}

/* How much its tool logged, not what. */
static void put_log(struct buf *out, const struct call_log *log)
{
	if (!log->said)
		return;
	record_open(out, "log");
	record_put_int(out, "said", (int64_t)log->said);
	record_put_int(out, "told", log->told);
	record_close(out);
}

static bool went_well(const struct call *call)
{
	return call_is_completed(call) && call->exit.how == EXIT_HOW_EXITED && call->exit.code == 0;
}

void record_outcome(struct buf *out, const struct call *call)
{
	const struct call_exit *exit = &call->exit;

	record_put_text(out, "agent", agent_of(call));
	record_put_str(out, "by", judge_by(call));
	record_put_str(out, "call", call->id);
	record_put_text(out, "credential", call->caller->credential);
	record_put_str(out, "decision", judge_decision(call));
	record_effects_outcome(out, call);
	put_exit(out, exit);
	put_forms(out, call);
	record_put_int(out, "latency_us", (int64_t)(clock_monotonic_us() - call->born_us));
	record_put_list(out, "layers", (const char *const *)exit->layers, exit->layer_count);
	record_put_text(out, "limit", judge_limit(call));
	put_log(out, &call->log);
	record_put_str(out, "method", "tools/call");
	record_put_text(out, "namespace", space_of(call));
	record_put_str(out, "outcome", call_outcome_name(call->outcome));
	put_output(out, call->output);
	record_put_text(out, "parent", call->parent);
	record_put_text(out, "path", call->caller->path);
	put_digest(out, "plan", &call->plan);
	put_digest(out, "policy", policy_of(call));
	record_put_str(out, "principal", call->caller->principal);
	record_put_str(out, "proof", caller_proof_name(call->caller->proof));
	record_put_text(out, "reason", call->sentence);
	record_put_text(out, "request_id", call->caller->request_id);
	record_put_text(out, "rule", call->rule);
	record_put_str(out, "status", went_well(call) ? "ok" : "error");
	if (call->streamed)
		record_put_bool(out, "streamed", true);
	record_put_text(out, "tenant", tenant_of(call));
	record_put_text(out, "tool", call->tool_name);
	record_open(out, "usage");
	record_put_int(out, "cpu_us", (int64_t)exit->cpu_us);
	record_put_int(out, "memory_peak", (int64_t)exit->memory_peak);
	record_put_int(out, "wall_us", (int64_t)exit->wall_us);
	record_close(out);
}

/* One line a call, of refused ones too. It proves nothing; the trail does. */
void record_tell(const struct call *call)
{
	const struct identity *who = &call->identity;
	const char *agent = who->agent ? who->agent->name : call->agent;
	uint64_t took_us = clock_monotonic_us() - call->born_us;
	const struct log_field fields[] = {
	    {.key = LOG_KEY_CALL, .text = call->id},
	    {.key = LOG_KEY_TOOL, .text = call->tool_name},
	    {.key = LOG_KEY_PRINCIPAL, .text = call->caller->principal},
	    {.key = LOG_KEY_AGENT, .text = agent},
	    {.key = LOG_KEY_NAMESPACE, .text = who->space ? who->space->name : call->space},
	    {.key = LOG_KEY_DECISION, .text = judge_decision(call)},
	    {.key = LOG_KEY_BY, .text = judge_by(call)},
	    {.key = LOG_KEY_RULE, .text = call->rule},
	    {.key = LOG_KEY_OUTCOME, .text = call_outcome_name(call->outcome)},
	    {.key = LOG_KEY_DURATION_US, .number = took_us},
	};
	const struct log_facts facts = {LOG_EVENT_CALL, fields, sizeof(fields) / sizeof(fields[0])};

	log_event(LOG_LEVEL_INFO, &facts,
	    "call %s: %.64s for %s%s%.64s: %s by %s, %s after %llu ms", call->id, call->tool_name,
	    call->caller->principal, *agent ? " as " : "", agent, judge_decision(call),
	    judge_by(call), call_outcome_name(call->outcome), (unsigned long long)(took_us / 1000));
}

/* ---- records that no call waits for ------------------------------------------------------ */

/* NULL with *ret_fault: not sent. */
static struct noted *send_note(struct engine *engine, enum record_type type,
    const struct digest *plan, const struct buf *fields, int *ret_fault)
{
	struct noted *noted;
	struct message message;

	message_init(&message, MESSAGE_RECORD);
	message.u.record.record = type;
	message.u.record.call = "";
	if (plan)
		message.u.record.plan = *plan;
	message.u.record.body.data = fields->data;
	message.u.record.body.len = fields->len;
	*ret_fault = fields->fault;
	if (!*ret_fault && engine->note_count >= RECORD_NOTES_MAX)
		*ret_fault = -ENOBUFS;
	noted = *ret_fault ? NULL : calloc(1, sizeof(*noted));
	if (!noted && !*ret_fault)
		*ret_fault = -ENOMEM;
	if (!*ret_fault)
		*ret_fault = engine_send(engine, &engine->auditor, &message);
	if (*ret_fault) {
		log_error("a record of type %s could not be sent", record_type_name(type));
		metrics_record(engine, false);
		free(noted);
		return NULL;
	}
	noted->serial = message.serial;
	noted->type = type;
	noted->next = engine->notes;
	engine->notes = noted;
	engine->note_count++;
	return noted;
}

void record_note(struct engine *engine, enum record_type type, const struct digest *plan,
    const struct buf *fields)
{
	int fault;

	(void)send_note(engine, type, plan, fields, &fault);
}

int record_note_then(struct engine *engine, enum record_type type, const struct buf *fields,
    record_done *done, void *context)
{
	int fault;
	struct noted *noted = send_note(engine, type, NULL, fields, &fault);

	if (!noted)
		return fault;
	noted->done = done;
	noted->context = context;
	return 0;
}

static void finish(struct noted *noted, bool is_written)
{
	if (noted->done)
		noted->done(noted->context, is_written);
	free(noted);
}

bool record_noted(struct engine *engine, const struct message *message)
{
	struct noted **at = &engine->notes;
	struct noted *noted;

	while (*at && (*at)->serial != message->serial)
		at = &(*at)->next;
	noted = *at;
	if (!noted)
		return false;
	if (message->u.recorded.status != ANSWER_OK)
		log_error("a record of type %s was not written: %s", record_type_name(noted->type),
		    message->u.recorded.note);
	*at = noted->next;
	engine->note_count--;
	finish(noted, message->u.recorded.status == ANSWER_OK);
	engine_settle(engine);
	return true;
}

void record_free_all(struct engine *engine)
{
	while (engine->notes) {
		struct noted *noted = engine->notes;

		engine->notes = noted->next;
		finish(noted, false);
	}
	engine->note_count = 0;
}

void record_approval_request(
    struct engine *engine, const struct approval *approval, const struct call *call)
{
	struct buf cleanup_with(buf_fini) out = {0};
	char stamp[CLOCK_STAMP_MAX];

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_text(&out, "agent", approval->agent);
	record_put_str(&out, "approval", approval->answer.id);
	record_put_str(&out, "call", call->id);
	record_put_text(&out, "command", approval->command);
	record_put_text(&out, "edited_from", approval->edited_from);
	record_put_str(&out, "expires", clock_stamp(stamp, approval->expires_wall_us));
	record_put_text(&out, "namespace", approval->space);
	put_digest(&out, "plan", &approval->plan);
	record_put_str(&out, "principal", approval->principal);
	record_put_text(&out, "rule", approval->rule);
	record_put_text(&out, "tool", approval->tool);
	record_note(engine, RECORD_APPROVAL_REQUEST, &approval->plan, &out);
}

/* By which way the answer came, for the metrics. */
static const char *channel_of(const struct approval_answer *answer)
{
	if (answer->elicited)
		return "elicitation";
	if (strncmp(answer->principal, "channel:", 8) == 0)
		return answer->principal + 8;
	return strncmp(answer->principal, "uid:", 4) == 0 ? "socket" : "http";
}

static void count_end(
    struct engine *engine, const struct approval *approval, const char *channel, const char *end)
{
	uint64_t now_us = clock_wall_us();

	metrics_approval(engine, channel, end,
	    now_us > approval->created_wall_us ? now_us - approval->created_wall_us : 0);
}

void record_approval_answer(
    struct engine *engine, enum record_type type, const struct approval *approval)
{
	const struct approval_answer *answer = &approval->answer;
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "approval", answer->id);
	record_put_str(&out, "by", answer->principal);
	record_put_text(&out, "claimed", answer->claimed);
	record_put_text(&out, "credential", answer->credential);
	if (approval->edited)
		record_put_str(&out, "edited", "superseded by a call with other arguments");
	record_put_text(&out, "edited_from", approval->edited_from);
	put_digest(&out, "edited_plan", &approval->edited_plan);
	if (answer->scope == GRANT_SESSION || answer->scope == GRANT_ALWAYS)
		record_put_str(&out, "grant", grant_scope_name(answer->scope));
	record_put_text(&out, "key", answer->key);
	record_put_str(&out, "method", approval_answer_how(answer));
	record_put_text(&out, "name", answer->name);
	put_digest(&out, "plan", &approval->plan);
	record_put_str(&out, "principal", approval->principal);
	if (approval->quorum > 1)
		record_put_int(&out, "quorum", approval->quorum);
	record_put_text(&out, "reason", answer->reason);
	record_put_text(&out, "tool", approval->tool);
	if (approval->quorum > 1)
		record_put_int(&out, "yes", approval->yes_count);
	record_note(engine, type, &approval->plan, &out);
	count_end(engine, approval, channel_of(answer),
	    type == RECORD_APPROVAL_GRANT ? "approve" : "deny");
}

void record_approval_end(struct engine *engine, const struct approval *approval, const char *cause)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "approval", approval->answer.id);
	record_put_str(&out, "cause", cause);
	put_digest(&out, "plan", &approval->plan);
	record_put_str(&out, "principal", approval->principal);
	record_put_text(&out, "tool", approval->tool);
	record_note(engine, RECORD_APPROVAL_EXPIRE, &approval->plan, &out);
	if (!approval->answer.principal[0]) /* an answer is counted when it is given */
		count_end(engine, approval, "none", "none");
}

void record_approval_sent(struct engine *engine, const struct record_sent *sent)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "approval", sent->approval);
	record_put_int(&out, "attempts", sent->attempts);
	record_put_str(&out, "channel", sent->channel);
	if (sent->http)
		record_put_int(&out, "http", sent->http);
	record_put_text(&out, "reason", sent->why);
	record_put_str(&out, "result", sent->result);
	record_note(engine, RECORD_APPROVAL_SENT, NULL, &out);
}

void record_callback_refused(
    struct engine *engine, const char *channel, uint64_t count, const char *why)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "channel", channel);
	record_put_int(&out, "count", (int64_t)count);
	record_put_text(&out, "reason", why);
	record_note(engine, RECORD_APPROVAL_REFUSED, NULL, &out);
}

void record_grant_end(
    struct engine *engine, const struct grant *grant, const char *by, const char *cause)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "approval", grant->answer.id);
	record_put_text(&out, "by", by);
	record_put_str(&out, "cause", cause);
	record_put_str(&out, "grant", grant->id);
	put_digest(&out, "plan", &grant->plan);
	record_put_str(&out, "principal", grant->principal);
	record_put_text(&out, "tool", grant->tool);
	record_note(engine, RECORD_APPROVAL_EXPIRE, &grant->plan, &out);
}

void record_approval_refused(
    struct engine *engine, const struct approval *approval, const char *principal, const char *why)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "approval", approval->answer.id);
	record_put_str(&out, "by", principal);
	put_digest(&out, "plan", &approval->plan);
	record_put_text(&out, "reason", why);
	record_put_text(&out, "tool", approval->tool);
	record_note(engine, RECORD_APPROVAL_REFUSED, &approval->plan, &out);
}

void record_auth_fail(struct engine *engine, const char *principal, uint32_t count, const char *why)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_int(&out, "count", count);
	record_put_str(&out, "principal", principal);
	record_put_text(&out, "reason", why);
	record_note(engine, RECORD_AUTH_FAIL, NULL, &out);
}

void record_admin_key(struct engine *engine, const struct approver *approver, const char *change)
{
	struct buf cleanup_with(buf_fini) out = {0};
	char hex[2 * KEY_LEN + 1];

	str_hex(hex, approver->public_key, KEY_LEN);
	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "change", change);
	record_put_str(&out, "key", approver->id);
	record_put_str(&out, "kind", "approver");
	record_put_text(&out, "name", approver->name);
	record_put_str(&out, "public_key", hex);
	record_note(engine, RECORD_ADMIN_KEY, NULL, &out);
}

void record_admin_control(struct engine *engine, const char *principal, const char *action)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "action", action);
	record_put_str(&out, "principal", principal);
	record_note(engine, RECORD_ADMIN_CONTROL, NULL, &out);
}
