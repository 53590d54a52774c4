#include "supervisor/engine/records/record_form.h"

#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/engine/caller.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/record.h"

/* The same for the same values, however their keys are ordered. */
static void put_json(struct buf *out, const char *key, const json_t *value)
{
	char *cleanup_free text =
	    value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
	struct digest digest;

	if (text && digest_of(&digest, text, strlen(text)) == 0)
		record_put_digest(out, key, &digest);
}

static void put_size(struct buf *out, const json_t *value)
{
	if (value)
		record_put_int(out, "bytes",
		    (int64_t)json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY));
}

void record_form_asked(
    struct engine *engine, const char *call, const struct caller *caller, const json_t *form)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	put_size(&out, form);
	record_put_str(&out, "call", call);
	put_json(&out, "form", form);
	record_put_str(&out, "principal", caller->principal);
	record_note(engine, RECORD_FORM_ASKED, NULL, &out);
}

void record_form_answered(struct engine *engine, const char *call, const struct caller *who,
    const char *action, const json_t *content)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "action", action);
	put_json(&out, "answer", content);
	put_size(&out, content);
	record_put_str(&out, "call", call);
	record_put_str(&out, "principal", who->principal);
	record_note(engine, RECORD_FORM_ANSWERED, NULL, &out);
}
