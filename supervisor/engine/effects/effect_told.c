#include "supervisor/engine/effects/effect_told.h"

#include <errno.h>
#include <string.h>

#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"

#define ESCAPED_MAX (8 * (EFFECTS_PATH_MAX + 1))

struct effect_counts effect_told_count(const struct effects *effects)
{
	struct effect_counts counts = {0};

	for (uint32_t i = 0; i < effects->count; i++) {
		const struct effect *effect = &effects->items[i];

		counts.added += effect->kind == EFFECT_ADDED;
		counts.changed += effect->kind == EFFECT_CHANGED;
		counts.removed += effect->kind == EFFECT_REMOVED;
		counts.mode += effect->kind == EFFECT_MODE;
		counts.runs_later += (effect->marks & EFFECT_RUNS_LATER) != 0;
		counts.leads_out += (effect->marks & EFFECT_LEADS_OUT) != 0;
		counts.special += effect->after.type == EFFECT_SPECIAL;
	}
	return counts;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *escaped(const char *text)
{
	struct buf cleanup_with(buf_fini) out = {0};
	const char *line;

	buf_init(&out, ESCAPED_MAX);
	(void)str_escape(&out, text, strlen(text));
	line = buf_cstr(&out);
	return line ? json_string(line) : NULL;
}

static json_t *marks_of(const struct effect *effect)
{
	json_t *marks = json_array();

	if (effect->marks & EFFECT_RUNS_LATER)
		(void)json_array_append_new(marks, json_string("runs_later"));
	if (effect->marks & EFFECT_LEADS_OUT)
		(void)json_array_append_new(marks, json_string("leads_out"));
	if (effect->marks & EFFECT_UNDERNEATH)
		(void)json_array_append_new(marks, json_string("underneath"));
	if (effect->after.type == EFFECT_SPECIAL)
		(void)json_array_append_new(marks, json_string("special"));
	return marks;
}

static void put_side(json_t *told, const struct effect_side *side, const char *const names[3])
{
	if (side->type == EFFECT_TYPE_NONE)
		return;
	(void)json_object_set_new(told, names[0], json_string(effect_type_name(side->type)));
	if (side->type != EFFECT_LINK)
		(void)json_object_set_new(told, names[1], json_sprintf("%04o", side->mode));
	if (side->type == EFFECT_FILE)
		(void)json_object_set_new(told, names[2], json_integer((json_int_t)side->size));
}

static json_t *change_of(const struct effect *effect, bool is_written)
{
	static const char *const before[] = {"type_before", "mode_before", "size_before"};
	static const char *const after[] = {"type_after", "mode_after", "size_after"};
	const unsigned type = effect->after.type ? effect->after.type : effect->before.type;
	json_t *told = json_pack("{s:o, s:s, s:s, s:o, s:b}", "path", escaped(effect->path), "kind",
	    effect_kind_name(effect->kind), "type", effect_type_name(type), "marks",
	    marks_of(effect), "committed", (int)is_written);

	if (!told)
		return NULL;
	put_side(told, &effect->before, before);
	put_side(told, &effect->after, after);
	if (effect->target[0])
		(void)json_object_set_new(told, "target", escaped(effect->target));
	return told;
}

/* One pass over those that run later on the host, one over the others. */
static json_t *changes_of(const struct holding *holding, size_t max, json_int_t *ret_more)
{
	const struct effects *effects = &holding->effects;
	json_t *changes = json_array();
	size_t bytes = 0;

	*ret_more = 0;
	for (uint32_t i = 0; i < 2 * effects->count; i++) {
		const uint32_t at = i % effects->count;
		const bool later = effects->items[at].marks & EFFECT_RUNS_LATER;
		json_t *told;

		if (later != (i < effects->count))
			continue;
		told = bytes < max ? change_of(&effects->items[at], holding->written[at]) : NULL;
		bytes += told ? json_dumpb(told, NULL, 0, JSON_COMPACT) + 1 : 0;
		if (bytes <= max && told && json_array_append(changes, told) == 0) {
			json_decref(told);
			continue;
		}
		json_decref(told);
		++*ret_more;
	}
	return changes;
}

static json_t *head_of(const struct holding *holding)
{
	const struct effect_counts counts = effect_told_count(&holding->effects);
	char digest[sizeof("sha256:") + 2 * DIGEST_LEN] = "sha256:";

	(void)digest_hex(digest + strlen(digest), &holding->digest);
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:s}", "call", holding->call, "digest",
	    digest, "state", holding_state_name(holding->state), "count",
	    (int)holding->effects.count, "committed", (int)holding->written_count, "runs_later",
	    (int)counts.runs_later, "approval", holding->approval);
}

json_t *effect_told_json(const struct holding *holding, size_t max)
{
	json_t *told = head_of(holding);
	json_int_t more;

	if (!told)
		return NULL;
	(void)json_object_set_new(told, "changes", changes_of(holding, max, &more));
	(void)json_object_set_new(told, "more", json_integer(more));
	return told;
}

json_t *effect_told_line(const struct holding *holding)
{
	char created[CLOCK_STAMP_MAX];
	json_t *told = head_of(holding);
	json_t *who;

	(void)clock_stamp(created, holding->created_wall_us);
	who = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", holding->call, "tool",
	    holding->tool, "agent", holding->agent, "namespace", holding->space, "principal",
	    holding->caller->principal, "command", holding->command, "created", created);
	(void)json_object_update(told, who);
	json_decref(who);
	return told;
}

/* ---- contents -------------------------------------------------------------------------------- */

static json_t *content_of(const struct effect_side *side, const void *bytes, size_t len)
{
	struct buf cleanup_with(buf_fini) out = {0};
	const bool plain = str_is_utf8(bytes, len) && !(len && memchr(bytes, 0, len));
	const bool cut = side->type == EFFECT_FILE && side->size > len;

	if (side->type == EFFECT_TYPE_NONE)
		return json_null();
	buf_init(&out, 2 * EFFECTS_LOOK_MAX);
	if (!plain && str_base64(&out, bytes, len))
		return NULL;
	return json_pack("{s:s, s:o, s:b, s:I}", "encoding", plain ? "utf-8" : "base64", "data",
	    plain ? json_stringn(len ? bytes : "", len)
		  : json_stringn(out.len ? (const char *)out.data : "", out.len),
	    "cut", (int)cut, "size", (json_int_t)side->size);
}

int effect_told_look(const struct effect *effect, const struct bytes *body, json_t **ret)
{
	struct reader in;
	const void *before, *after;
	size_t before_len, after_len;

	reader_init(&in, body->data, body->len);
	before_len = reader_u32(&in);
	after_len = reader_u32(&in);
	before = reader_raw(&in, before_len);
	after = reader_raw(&in, after_len);
	if (reader_end(&in) || before_len > EFFECTS_LOOK_MAX || after_len > EFFECTS_LOOK_MAX)
		return -EBADMSG;
	*ret = change_of(effect, false);
	(void)json_object_del(*ret, "committed");
	(void)json_object_set_new(*ret, "before", content_of(&effect->before, before, before_len));
	(void)json_object_set_new(*ret, "after", content_of(&effect->after, after, after_len));
	return 0;
}

/* ---- lines for people ------------------------------------------------------------------------ */

static void put_sides(struct buf *out, const struct effect *effect)
{
	const struct effect_side *before = &effect->before, *after = &effect->after;

	if (after->type == EFFECT_FILE && effect->kind != EFFECT_MODE)
		buf_textf(out, ", %llu bytes", (unsigned long long)after->size);
	if (before->type == EFFECT_FILE && effect->kind == EFFECT_CHANGED)
		buf_textf(out, " (was %llu)", (unsigned long long)before->size);
	if (before->type && after->type && before->type != after->type)
		buf_textf(out, ", was a %s", effect_type_name(before->type));
	if (before->type && after->type && before->mode != after->mode)
		buf_textf(out, ", mode %04o -> %04o", before->mode, after->mode);
	else if (effect->kind == EFFECT_ADDED && after->type != EFFECT_LINK)
		buf_textf(out, ", mode %04o", after->mode);
}

static void put_effect(struct buf *out, const struct effect *effect)
{
	const unsigned type = effect->after.type ? effect->after.type : effect->before.type;
	char hex[DIGEST_HEX_MAX];

	buf_textf(out, "%-8s", effect_kind_name(effect->kind));
	(void)str_escape(out, effect->path, strlen(effect->path));
	buf_textf(out, "  (%s", effect_type_name(type));
	put_sides(out, effect);
	if (effect->after.type == EFFECT_FILE && effect->kind != EFFECT_MODE)
		buf_textf(out, ", sha256 %.16s", digest_hex(hex, &effect->after.digest));
	buf_text(out, ")");
	if (effect->target[0]) {
		buf_text(out, " -> ");
		(void)str_escape(out, effect->target, strlen(effect->target));
	}
	if (effect->marks & EFFECT_RUNS_LATER)
		buf_text(out, "  RUNS LATER on the host");
	if (effect->marks & EFFECT_LEADS_OUT)
		buf_text(out, "  LEADS OUT of the workspace");
	if (effect->marks & EFFECT_UNDERNEATH)
		buf_text(out, "  CHANGED UNDERNEATH: no commit");
	if (effect->after.type == EFFECT_SPECIAL)
		buf_text(out, "  SPECIAL: never committed");
	buf_text(out, "\n");
}

int effect_told_text(struct buf *out, const struct effects *effects)
{
	const struct effect_counts counts = effect_told_count(effects);

	buf_textf(out, "changes     %u: %u added, %u changed, %u removed, %u mode\n",
	    effects->count, counts.added, counts.changed, counts.removed, counts.mode);
	if (counts.runs_later)
		buf_textf(out,
		    "look twice  %u may be run later on the host, outside of any sandbox\n",
		    counts.runs_later);
	for (uint32_t i = 0; i < effects->count; i++)
		if (effects->items[i].marks & EFFECT_RUNS_LATER)
			put_effect(out, &effects->items[i]);
	for (uint32_t i = 0; i < effects->count; i++)
		if (!(effects->items[i].marks & EFFECT_RUNS_LATER))
			put_effect(out, &effects->items[i]);
	return out->fault;
}
