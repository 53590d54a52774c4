#include "supervisor/link/message_table.h"

#include <stddef.h>

#include "supervisor/base/log.h"
#include "supervisor/evidence/record.h"

_Static_assert(KEY_LEN == DIGEST_LEN, "keys and digests share FIELD_RAW32");

#define AT(kind, type, member)                                                                     \
	{                                                                                          \
		FIELD_##kind, MESSAGE_ANY, offsetof(struct type, member), NULL                     \
	}
#define UP_TO(kind, type, member, limit)                                                           \
	{                                                                                          \
		FIELD_##kind, limit, offsetof(struct type, member), NULL                           \
	}
#define GROUP(type, member, table)                                                                 \
	{                                                                                          \
		FIELD_GROUP, MESSAGE_ANY, offsetof(struct type, member), table                     \
	}
#define END                                                                                        \
	{                                                                                          \
		FIELD_END, MESSAGE_ANY, 0, NULL                                                    \
	}

static const struct field receipt_fields[] = {
    AT(U64, receipt, n),
    AT(RAW32, receipt, leaf),
    AT(U64, receipt, size),
    AT(RAW32, receipt, root),
    AT(RAW32, receipt, mac),
    END,
};
static const struct field plan_input_fields[] = {
    AT(STR, plan_input, call),
    AT(STR, plan_input, tool),
    AT(STR, plan_input, agent),
    AT(STR, plan_input, space),
    AT(STR, plan_input, principal),
    AT(STR, plan_input, cwd),
    AT(STRV, plan_input, argv),
    AT(STRV, plan_input, paths),
    UP_TO(U8, plan_input, stdin_kind, STDIN_STREAM),
    AT(RAW32, plan_input, stdin_digest),
    AT(RAW32, plan_input, policy),
    END,
};

static const struct field audit_open_fields[] = {
    AT(RAW32, message_audit_open, receipt_key),
    AT(STR, message_audit_open, origin),
    AT(STR, message_audit_open, journal),
    END,
};
static const struct field audit_opened_fields[] = {
    UP_TO(U16, message_audit_opened, status, ANSWER_VOID),
    AT(U64, message_audit_opened, size),
    AT(RAW32, message_audit_opened, root),
    AT(U64, message_audit_opened, recovered_bytes),
    AT(STR, message_audit_opened, vkey),
    AT(STR, message_audit_opened, note),
    END,
};
static const struct field record_fields[] = {
    UP_TO(U16, message_record, record, RECORD_TYPE_COUNT - 1),
    AT(STR, message_record, call),
    AT(RAW32, message_record, plan),
    UP_TO(U8, message_record, allow, 1),
    AT(BODY, message_record, body),
    END,
};
static const struct field recorded_fields[] = {
    UP_TO(U16, message_recorded, status, ANSWER_VOID),
    GROUP(message_recorded, receipt, receipt_fields),
    AT(STR, message_recorded, note),
    END,
};
static const struct field policy_fields[] = {
    AT(RAW32, message_policy, version),
    AT(STR, message_policy, path),
    AT(STR, message_policy, state),
    AT(U32, message_policy, owner_uid),
    AT(STRV, message_policy, approvers),
    AT(U64, message_policy, audit_size),
    AT(RAW32, message_policy, audit_root),
    AT(STRV, message_policy, static_keys),
    AT(STR, message_policy, service_key),
    AT(STRV, message_policy, secrets),
    END,
};
static const struct field policy_taken_fields[] = {
    UP_TO(U16, message_policy_taken, status, ANSWER_VOID),
    AT(STR, message_policy_taken, note),
    END,
};
static const struct field plan_fields[] = {
    GROUP(message_plan, input, plan_input_fields),
    END,
};
static const struct field planned_fields[] = {
    UP_TO(U16, message_planned, status, ANSWER_VOID),
    AT(RAW32, message_planned, plan),
    AT(STR, message_planned, text),
    AT(STR, message_planned, note),
    AT(STR, message_planned, program),
    END,
};
static const struct field launch_fields[] = {
    GROUP(message_launch, input, plan_input_fields),
    AT(RAW32, message_launch, plan),
    GROUP(message_launch, receipt, receipt_fields),
    END,
};
static const struct field launched_fields[] = {
    UP_TO(U16, message_launched, status, ANSWER_VOID),
    UP_TO(U8, message_launched, has_input, 1),
    UP_TO(U8, message_launched, has_gate, 1),
    AT(STR, message_launched, note),
    END,
};
static const struct field control_fields[] = {
    UP_TO(U16, message_control, op, CONTROL_CONFIG_WRITE),
    AT(STR, message_control, by),
    AT(STR, message_control, expected),
    AT(BODY, message_control, body),
    END,
};
static const struct field controlled_fields[] = {
    UP_TO(U16, message_controlled, status, ANSWER_VOID),
    AT(RAW32, message_controlled, version),
    AT(STR, message_controlled, note),
    AT(BODY, message_controlled, body),
    END,
};
static const struct field request_fields[] = {
    AT(U64, message_request, peer),
    UP_TO(U16, message_request, method, REQUEST_METHOD_COUNT - 1),
    UP_TO(U16, message_request, era, ERA_MODERN),
    UP_TO(U16, message_request, log, REQUEST_LOG_MAX),
    UP_TO(U32, message_request, options, REQUEST_OPTIONS_ALL),
    AT(STR, message_request, tool),
    AT(STR, message_request, agent),
    AT(STR, message_request, space),
    AT(STR, message_request, progress),
    AT(STR, message_request, retry),
    AT(STR, message_request, credential),
    AT(BODY, message_request, body),
    END,
};
static const struct field reply_fields[] = {
    UP_TO(U16, message_reply, kind, REPLY_SILENT),
    UP_TO(U16, message_reply, status, 599),
    AT(U32, message_reply, retry_s),
    AT(STR, message_reply, challenge),
    AT(BODY, message_reply, body),
    END,
};
static const struct field exited_fields[] = {
    AT(STR, message_exited, call),
    UP_TO(U16, message_exited, how, EXIT_HOW_LAST),
    AT(I64, message_exited, code),
    UP_TO(U8, message_exited, by_signal, 1),
    AT(U8, message_exited, proof),
    AT(STRV, message_exited, layers),
    AT(U64, message_exited, wall_us),
    AT(U64, message_exited, cpu_us),
    AT(U64, message_exited, memory_peak),
    AT(STR, message_exited, note),
    UP_TO(U16, message_exited, effects, EFFECTS_LOST),
    AT(BODY, message_exited, body),
    END,
};
static const struct field effects_fields[] = {
    UP_TO(U16, message_effects, op, EFFECTS_LOOK),
    AT(STR, message_effects, call),
    AT(STR, message_effects, by),
    AT(RAW32, message_effects, effects),
    GROUP(message_effects, receipt, receipt_fields),
    AT(STRV, message_effects, paths),
    AT(U32, message_effects, written),
    END,
};
static const struct field effected_fields[] = {
    UP_TO(U16, message_effected, status, ANSWER_VOID),
    AT(STR, message_effected, note),
    AT(BODY, message_effected, body),
    END,
};
static const struct field kill_fields[] = {
    AT(STR, message_kill, call),
    AT(STR, message_kill, cause),
    END,
};
static const struct field peer_fields[] = {
    AT(U64, message_peer, peer),
    AT(U32, message_peer, uid),
    AT(U32, message_peer, gid),
    AT(U32, message_peer, pid),
    AT(STRV, message_peer, groups),
    AT(STR, message_peer, call),
    END,
};
static const struct field peer_gone_fields[] = {
    AT(U64, message_peer_gone, peer),
    END,
};
static const struct field cancel_fields[] = {
    AT(U64, message_cancel, peer),
    AT(U64, message_cancel, request),
    END,
};
static const struct field forget_fields[] = {
    AT(U64, message_forget, fetch),
    END,
};
static const struct field notify_fields[] = {
    AT(U64, message_notify, peer),
    AT(BODY, message_notify, body),
    END,
};
static const struct field gate_fields[] = {
    AT(STR, message_gate, call),
    END,
};
static const struct field response_fields[] = {
    AT(U64, message_response, peer),
    AT(STR, message_response, id),
    UP_TO(U16, message_response, kind, REPLY_ERROR),
    AT(BODY, message_response, body),
    END,
};
static const struct field drain_fields[] = {
    AT(STR, message_drain, cause),
    END,
};

static const struct field logger_fields[] = {
    UP_TO(U16, message_logger, level, LOG_LEVEL_DEBUG),
    UP_TO(U16, message_logger, format, LOG_FORMAT_JSON),
    END,
};
static const struct field sibling_fields[] = {
    UP_TO(U16, message_sibling, sibling, SIBLING_COURIER),
    END,
};
static const struct field visitor_fields[] = {
    AT(U64, message_visitor, peer),
    UP_TO(U8, message_visitor, https, 1),
    UP_TO(U8, message_visitor, local, 1),
    AT(U32, message_visitor, uid),
    AT(U32, message_visitor, gid),
    AT(U32, message_visitor, pid),
    AT(STR, message_visitor, address),
    AT(STR, message_visitor, authorization),
    AT(STR, message_visitor, api_key),
    AT(STR, message_visitor, subject),
    AT(RAW32, message_visitor, certificate),
    AT(STRV, message_visitor, sans),
    AT(STR, message_visitor, method),
    AT(STR, message_visitor, path),
    AT(STR, message_visitor, request_id),
    AT(STR, message_visitor, revision),
    UP_TO(U8, message_visitor, excluded, 1),
    END,
};
static const struct field counts_fields[] = {
    AT(U64, message_counts, health),
    AT(U64, message_counts, refused),
    AT(U64, message_counts, answered),
    AT(U64, message_counts, connections),
    AT(U64, message_counts, idle),
    AT(U64, message_counts, streams),
    END,
};
static const struct field fetch_fields[] = {
    UP_TO(U16, message_fetch, method, FETCH_POST),
    AT(STR, message_fetch, url),
    AT(STRV, message_fetch, headers),
    AT(U32, message_fetch, timeout_ms),
    AT(U32, message_fetch, answer_max),
    AT(BODY, message_fetch, body),
    END,
};
static const struct field fetched_fields[] = {
    UP_TO(U16, message_fetched, status, ANSWER_VOID),
    UP_TO(U16, message_fetched, http, 999),
    AT(U32, message_fetched, retry_s),
    AT(STR, message_fetched, note),
    AT(BODY, message_fetched, body),
    END,
};
static const struct field outgoing_fields[] = {
    UP_TO(U8, message_outgoing, has_ca, 1),
    AT(STRV, message_outgoing, networks),
    END,
};
static const struct field site_fields[] = {
    UP_TO(U8, message_site, has_tls, 1),
    UP_TO(U8, message_site, has_ca, 1),
    UP_TO(U8, message_site, require_client_cert, 1),
    UP_TO(U8, message_site, metrics, 1),
    UP_TO(U8, message_site, studio, 1),
    UP_TO(U8, message_site, auth, 1),
    UP_TO(U8, message_site, require_auth, 1),
    AT(U64, message_site, body_max),
    AT(U64, message_site, cors_max_age),
    AT(STR, message_site, url),
    AT(STR, message_site, issuer),
    AT(STR, message_site, listen),
    AT(STRV, message_site, hosts),
    AT(STRV, message_site, trusted_proxies),
    AT(STRV, message_site, ip_allowlist),
    AT(STRV, message_site, auth_ip_allowlist),
    AT(STRV, message_site, excluded_paths),
    AT(STRV, message_site, cors_origins),
    AT(STRV, message_site, cors_methods),
    AT(STRV, message_site, cors_headers),
    END,
};
static const struct field site_taken_fields[] = {
    UP_TO(U16, message_site_taken, status, ANSWER_VOID),
    AT(STR, message_site_taken, note),
    END,
};
static const struct field no_fields[] = {
    END,
};

/* What runs has two ends of output, and an end of its input and of its gate where it has those. */
static bool launched_agrees(const struct message *message, size_t fd_count)
{
	const struct message_launched *launched = &message->u.launched;
	size_t told = (size_t)launched->has_input + launched->has_gate;

	return fd_count == (launched->status == ANSWER_OK ? 2 + told : 0) &&
	       (launched->status == ANSWER_OK || told == 0);
}

/* A certificate comes with its key, and a client CA with both. */
static bool site_agrees(const struct message *message, size_t fd_count)
{
	const struct message_site *site = &message->u.site;

	return fd_count == (site->has_tls ? 2u + site->has_ca : 0) &&
	       (site->has_tls || !site->has_ca) && (site->has_ca || !site->require_client_cert);
}

static bool outgoing_agrees(const struct message *message, size_t fd_count)
{
	return fd_count == message->u.outgoing.has_ca;
}

static bool exited_agrees(const struct message *message, size_t fd_count)
{
	(void)fd_count;
	return (message->u.exited.effects == EFFECTS_HELD) == (message->u.exited.body.len > 0);
}

static bool visitor_agrees(const struct message *message, size_t fd_count)
{
	(void)fd_count;
	return (message->u.visitor.peer & PEER_IS_HTTP) != 0;
}

static bool peer_agrees(const struct message *message, size_t fd_count)
{
	(void)fd_count;
	return (message->u.peer.peer & PEER_IS_HTTP) == 0;
}

#define FDS(count) (1u << (count))

/* What may be said between processes. What has no row here is not a message. */
static const struct shape shapes[] = {
    {MESSAGE_AUDIT_OPEN, "audit_open", audit_open_fields, FDS(2), NULL},
    {MESSAGE_AUDIT_OPENED, "audit_opened", audit_opened_fields, FDS(0), NULL},
    {MESSAGE_RECORD, "record", record_fields, FDS(0), NULL},
    {MESSAGE_RECORDED, "recorded", recorded_fields, FDS(0), NULL},
    {MESSAGE_POLICY, "policy", policy_fields, FDS(1), NULL},
    {MESSAGE_POLICY_TAKEN, "policy_taken", policy_taken_fields, FDS(0), NULL},
    {MESSAGE_PLAN, "plan", plan_fields, FDS(0), NULL},
    {MESSAGE_PLANNED, "planned", planned_fields, FDS(0), NULL},
    {MESSAGE_LAUNCH, "launch", launch_fields, FDS(0) | FDS(1), NULL},
    {MESSAGE_LAUNCHED, "launched", launched_fields, FDS(0) | FDS(2) | FDS(3) | FDS(4),
	launched_agrees},
    {MESSAGE_CONTROL, "control", control_fields, FDS(0), NULL},
    {MESSAGE_CONTROLLED, "controlled", controlled_fields, FDS(0), NULL},
    {MESSAGE_REQUEST, "request", request_fields, FDS(0), NULL},
    {MESSAGE_REPLY, "reply", reply_fields, FDS(0), NULL},
    {MESSAGE_PING, "ping", no_fields, FDS(0), NULL},
    {MESSAGE_PONG, "pong", no_fields, FDS(0), NULL},
    {MESSAGE_EXITED, "exited", exited_fields, FDS(0), exited_agrees},
    {MESSAGE_KILL, "kill", kill_fields, FDS(0), NULL},
    {MESSAGE_PEER, "peer", peer_fields, FDS(0), peer_agrees},
    {MESSAGE_PEER_GONE, "peer_gone", peer_gone_fields, FDS(0), NULL},
    {MESSAGE_CANCEL, "cancel", cancel_fields, FDS(0), NULL},
    {MESSAGE_NOTIFY, "notify", notify_fields, FDS(0), NULL},
    {MESSAGE_GATE, "gate", gate_fields, FDS(0) | FDS(1), NULL},
    {MESSAGE_RESPONSE, "response", response_fields, FDS(0), NULL},
    {MESSAGE_DRAIN, "drain", drain_fields, FDS(0), NULL},
    {MESSAGE_LOGGER, "logger", logger_fields, FDS(0), NULL},
    {MESSAGE_FETCH, "fetch", fetch_fields, FDS(0), NULL},
    {MESSAGE_FETCHED, "fetched", fetched_fields, FDS(0), NULL},
    {MESSAGE_FORGET, "forget", forget_fields, FDS(0), NULL},
    {MESSAGE_SITE, "site", site_fields, FDS(0) | FDS(2) | FDS(3), site_agrees},
    {MESSAGE_SITE_TAKEN, "site_taken", site_taken_fields, FDS(0), NULL},
    {MESSAGE_EFFECTS, "effects", effects_fields, FDS(0), NULL},
    {MESSAGE_EFFECTED, "effected", effected_fields, FDS(0), NULL},
    {MESSAGE_SIBLING, "sibling", sibling_fields, FDS(0) | FDS(1), NULL},
    {MESSAGE_VISITOR, "visitor", visitor_fields, FDS(0), visitor_agrees},
    {MESSAGE_COUNTS, "counts", counts_fields, FDS(0), NULL},
    {MESSAGE_OUTGOING, "outgoing", outgoing_fields, FDS(0) | FDS(1), outgoing_agrees},
};

const struct shape *message_shape(unsigned type)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if ((unsigned)shapes[i].type == type)
			return &shapes[i];
	}
	return NULL;
}
