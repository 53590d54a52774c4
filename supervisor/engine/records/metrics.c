#include "supervisor/engine/records/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/rpc.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/access/admission.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/ruleset.h"

#define SLOTS       4096 /* of the index; a power of two, twice the series */
#define LABELS_MAX  256
#define TEXT_MAX    (3 * 1024 * 1024)
#define HISTOGRAMS  256
#define OTHER_LABEL "other=\"true\""

/* The bounds of mcp.server.operation.duration, in seconds. */
static const struct {
	const char *text;
	double seconds;
} bounds[METRICS_BUCKETS] = {{"0.01", 0.01}, {"0.02", 0.02}, {"0.05", 0.05}, {"0.1", 0.1},
    {"0.2", 0.2}, {"0.5", 0.5}, {"1.0", 1}, {"2.0", 2}, {"5.0", 5}, {"10.0", 10}, {"30.0", 30},
    {"60.0", 60}, {"120.0", 120}, {"300.0", 300}};

enum kind {
	COUNTER,
	GAUGE,
	HISTOGRAM,
};

/* X(id, name without prefix and _total, kind, help) */
#define FAMILIES(X)                                                                                \
	X(BUILD, "build_info", GAUGE, "Version of this daemon")                                    \
	X(CALLS, "tool_calls", COUNTER, "Calls that are over")                                     \
	X(DURATION, "tool_call_duration_seconds", HISTOGRAM,                                       \
	    "Time from a call's arrival to its outcome, waiting for humans included")              \
	X(WAIT, "approval_wait_seconds", HISTOGRAM, "Time from a question to its answer or end")   \
	X(PENDING, "approvals_pending", GAUGE, "Questions that wait for a human")                  \
	X(APPROVALS, "approvals", COUNTER, "Answers to questions, and questions that ended")       \
	X(KILLS, "sandbox_kills", COUNTER, "Process trees that were ended")                        \
	X(RECORDS, "audit_records", COUNTER, "Records of engine that are on disk")                 \
	X(RECORD_ERRORS, "audit_write_errors", COUNTER, "Records that could not be written")       \
	X(DELIVERIES, "webhook_deliveries", COUNTER, "Web hooks")                                  \
	X(RELOADS, "policy_reloads", COUNTER, "Policies that were loaded or refused")              \
	X(AUTH, "auth", COUNTER, "Credentials that were judged")                                   \
	X(JWKS, "jwks_refreshes", COUNTER, "Fetches of the issuer's keys")                         \
	X(HTTP, "http_requests", COUNTER, "Requests that the HTTP front answered by itself")       \
	X(CONNECTIONS, "http_connections", GAUGE, "Connections of the HTTP front")

enum family {
#define FAMILY_ENUM_(id, name, kind, help) FAMILY_##id,
	FAMILIES(FAMILY_ENUM_)
#undef FAMILY_ENUM_
	    FAMILY_COUNT,
};

static const struct {
	const char *name;
	enum kind kind;
	const char *help;
} families[FAMILY_COUNT] = {
#define FAMILY_ROW_(id, name, kind, help) [FAMILY_##id] = {name, kind, help},
    FAMILIES(FAMILY_ROW_)
#undef FAMILY_ROW_
};

struct histogram {
	uint64_t buckets[METRICS_BUCKETS + 1];
	uint64_t sum_us;
};

struct series {
	enum family family;
	char labels[LABELS_MAX];     /* as they are written; "" = none */
	uint64_t value;              /* of a histogram: how many */
	struct histogram *histogram; /* owned; NULL: a counter */
};

struct metrics {
	struct series series[METRICS_SERIES];
	uint32_t count, histograms;
	uint16_t slots[SLOTS]; /* 1 + index of a series; 0 = free */
};

/* ---- counting ----------------------------------------------------------------------------- */

static uint32_t hash_of(enum family family, const char *labels)
{
	uint32_t hash = 2166136261u ^ (uint32_t)family;

	for (const char *at = labels; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	return hash;
}

/* NULL: there is no place for another. */
static struct series *series_of(struct metrics *metrics, enum family family, const char *labels)
{
	uint32_t slot = hash_of(family, labels) & (SLOTS - 1);
	bool needs_histogram = families[family].kind == HISTOGRAM;
	struct series *series;

	for (; metrics->slots[slot]; slot = (slot + 1) & (SLOTS - 1)) {
		series = &metrics->series[metrics->slots[slot] - 1];
		if (series->family == family && strcmp(series->labels, labels) == 0)
			return series;
	}
	if (metrics->count >= METRICS_SERIES ||
	    (needs_histogram && metrics->histograms >= HISTOGRAMS))
		return NULL;
	series = &metrics->series[metrics->count];
	if (needs_histogram) {
		series->histogram = calloc(1, sizeof(*series->histogram));
		if (!series->histogram)
			return NULL;
		metrics->histograms++;
	}
	series->family = family;
	(void)snprintf(series->labels, sizeof(series->labels), "%s", labels);
	metrics->slots[slot] = (uint16_t)++metrics->count;
	return series;
}

/* The places of the last resort are taken at the start. */
static struct metrics *make(void)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	for (int family = 0; metrics && family < FAMILY_COUNT; family++)
		(void)series_of(metrics, (enum family)family, OTHER_LABEL);
	return metrics;
}

static struct series *find(struct engine *engine, enum family family, const char *labels)
{
	struct series *series;

	if (!engine->metrics)
		engine->metrics = make();
	if (!engine->metrics)
		return NULL;
	series = series_of(engine->metrics, family, labels);
	return series ? series : series_of(engine->metrics, family, OTHER_LABEL);
}

static void count(struct engine *engine, enum family family, const char *labels)
{
	struct series *series = find(engine, family, labels);

	if (series)
		series->value++;
}

static void observe(struct engine *engine, enum family family, const char *labels, uint64_t us)
{
	struct series *series = find(engine, family, labels);
	int bucket = 0;

	if (!series || !series->histogram)
		return;
	while (bucket < METRICS_BUCKETS && (double)us / 1e6 > bounds[bucket].seconds)
		bucket++;
	series->histogram->buckets[bucket]++;
	series->histogram->sum_us += us;
	series->value++;
}

/* One label; the values are ours, or names that the policy's form keeps free of quotes. */
static const char *label(char out[LABELS_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *label(char out[LABELS_MAX], const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(out, LABELS_MAX, format, args);
	va_end(args);
	return len >= 0 && len < LABELS_MAX ? out : OTHER_LABEL;
}

void metrics_call(const struct call *call)
{
	const char *tool = call->tool ? call->tool->name : "unknown";
	const char *outcome = call_outcome_name(call->outcome);
	char labels[LABELS_MAX];

	count(call->engine, FAMILY_CALLS,
	    label(labels, "tool=\"%s\",decision=\"%s\",outcome=\"%s\"", tool, judge_decision(call),
		outcome));
	observe(call->engine, FAMILY_DURATION, label(labels, "tool=\"%s\"", tool),
	    clock_monotonic_us() - call->born_us);
	if (call->outcome == OUTCOME_DEADLINE || call->outcome == OUTCOME_OOM ||
	    call->outcome == OUTCOME_PIDS || call->outcome == OUTCOME_DISK ||
	    (call->outcome == OUTCOME_CANCELLED && call->exit.how != EXIT_HOW_NONE))
		count(call->engine, FAMILY_KILLS, label(labels, "reason=\"%s\"", outcome));
}

void metrics_record(struct engine *engine, bool is_written)
{
	count(engine, is_written ? FAMILY_RECORDS : FAMILY_RECORD_ERRORS, "");
}

void metrics_auth(struct engine *engine, enum caller_proof proof, const char *verdict)
{
	char labels[LABELS_MAX];

	count(engine, FAMILY_AUTH,
	    label(labels, "proof=\"%s\",verdict=\"%s\"", caller_proof_name(proof), verdict));
}

void metrics_approval(
    struct engine *engine, const char *channel, const char *decision, uint64_t waited_us)
{
	char labels[LABELS_MAX];

	count(engine, FAMILY_APPROVALS,
	    label(labels, "channel=\"%s\",decision=\"%s\"", channel, decision));
	observe(engine, FAMILY_WAIT, "", waited_us);
}

void metrics_delivery(struct engine *engine, const char *result)
{
	char labels[LABELS_MAX];

	count(engine, FAMILY_DELIVERIES, label(labels, "result=\"%s\"", result));
}

void metrics_reload(struct engine *engine, bool is_taken)
{
	count(engine, FAMILY_RELOADS, is_taken ? "result=\"taken\"" : "result=\"refused\"");
}

/* ---- telling ------------------------------------------------------------------------------ */

struct page {
	struct buf text;
	bool is_open; /* OpenMetrics, else the older text form of Prometheus */
};

static const char *const kind_names[] = {
    [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};

/* In OpenMetrics a counter's family is named without the _total of its samples. */
static void put_head(struct page *page, enum family family)
{
	const char *total = families[family].kind == COUNTER && !page->is_open ? "_total" : "";

	buf_textf(&page->text, "# HELP callgate_%s%s %s.\n# TYPE callgate_%s%s %s\n",
	    families[family].name, total, families[family].help, families[family].name, total,
	    kind_names[families[family].kind]);
}

static void put_number(struct page *page, enum family family, const char *labels, uint64_t value)
{
	const char *open = labels[0] ? "{" : "", *close = labels[0] ? "}" : "";

	buf_textf(&page->text, "callgate_%s%s%s%s%s %" PRIu64 "\n", families[family].name,
	    families[family].kind == COUNTER ? "_total" : "", open, labels, close, value);
}

static void put_histogram(struct page *page, const struct series *series)
{
	const char *name = families[series->family].name, *labels = series->labels;
	const char *comma = labels[0] ? "," : "";
	const char *open = labels[0] ? "{" : "", *close = labels[0] ? "}" : "";
	uint64_t below = 0;

	for (int i = 0; i < METRICS_BUCKETS; i++) {
		below += series->histogram->buckets[i];
		buf_textf(&page->text, "callgate_%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", name,
		    labels, comma, bounds[i].text, below);
	}
	buf_textf(&page->text, "callgate_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels,
	    comma, series->value);
	buf_textf(&page->text, "callgate_%s_sum%s%s%s %" PRIu64 ".%06" PRIu64 "\n", name, open,
	    labels, close, series->histogram->sum_us / 1000000,
	    series->histogram->sum_us % 1000000);
	buf_textf(&page->text, "callgate_%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close,
	    series->value);
}

/* What is not counted here, but known. */
static void put_known(struct page *page, enum family family, const struct engine *engine)
{
	const struct message_counts *http = &engine->http_counts;

	if (family == FAMILY_BUILD)
		put_number(page, family, "version=\"" CALLGATE_VERSION "\"", 1);
	if (family == FAMILY_PENDING)
		put_number(page, family, "", approval_pending(engine));
	if (family == FAMILY_JWKS && engine->auth) {
		put_number(page, family, "result=\"ok\"", engine->auth->issuer.got);
		put_number(page, family, "result=\"failed\"", engine->auth->issuer.failed);
	}
	if (family == FAMILY_HTTP) {
		put_number(page, family, "kind=\"health\"", http->health);
		put_number(page, family, "kind=\"refused\"", http->refused);
		put_number(page, family, "kind=\"answered\"", http->answered);
	}
	if (family == FAMILY_CONNECTIONS) {
		put_number(page, family, "state=\"open\"", http->connections);
		put_number(page, family, "state=\"idle\"", http->idle);
		put_number(page, family, "state=\"streaming\"", http->streams);
	}
}

static void put_family(struct page *page, enum family family, const struct engine *engine)
{
	const struct metrics *metrics = engine->metrics;

	put_head(page, family);
	put_known(page, family, engine);
	for (uint32_t i = 0; metrics && i < metrics->count; i++) {
		const struct series *series = &metrics->series[i];

		if (series->family != family || series->value == 0)
			continue;
		if (series->histogram)
			put_histogram(page, series);
		else
			put_number(page, family, series->labels, series->value);
	}
}

static void page_fini(struct page *page)
{
	buf_fini(&page->text);
}

void tell_metrics(const struct methods_ask *ask)
{
	struct page cleanup_with(page_fini) page = {.is_open = true};
	const char *format = methods_text(ask, "format"), *text;

	if (!ask->engine->rules->policy->http.metrics) {
		result_refuse(&ask->to, RESULT_NOT_FOUND,
		    "metrics are off (server.observability.metrics.enabled)");
		return;
	}
	if (format && strcmp(format, "openmetrics") != 0 && strcmp(format, "prometheus") != 0) {
		result_refuse(
		    &ask->to, RPC_INVALID_PARAMS, "format: openmetrics or prometheus is needed");
		return;
	}
	page.is_open = format && strcmp(format, "openmetrics") == 0;
	buf_init(&page.text, TEXT_MAX);
	admission_metrics(ask->engine);
	for (int family = 0; family < FAMILY_COUNT; family++)
		put_family(&page, (enum family)family, ask->engine);
	if (page.is_open)
		buf_text(&page.text, "# EOF\n");
	text = buf_cstr(&page.text);
	result_give(&ask->to,
	    text ? json_pack("{s:s, s:s}", "text", text, "type",
		       page.is_open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
				    : "text/plain; version=0.0.4; charset=utf-8")
		 : NULL);
}

void metrics_free(struct engine *engine)
{
	struct metrics *metrics = take_ptr(engine->metrics);

	for (uint32_t i = 0; metrics && i < metrics->count; i++)
		free(metrics->series[i].histogram);
	free(metrics);
}
