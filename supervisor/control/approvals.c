#include "supervisor/control/approvals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/control/client.h"
#include "supervisor/control/listed.h"
#include "supervisor/control/pager.h"

#define SIGNED_MAX (64 * 1024)

void approvals_key_fini(struct approvals_key *key)
{
	EVP_PKEY_free(key->key);
	key->key = NULL;
}

/* The plan comes as lines; each is escaped by itself so that the lines stay lines. */
static void write_lines(FILE *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *cleanup_free line = strndup(text, len);

		fputs("    ", out);
		command_write_rendered(out, line ? line : "");
		fputc('\n', out);
		text += len + (text[len] == '\n');
	}
}

long approvals_seconds_left(const json_t *approval)
{
	uint64_t expires;

	if (clock_unstamp(command_text_of(approval, "expires"), &expires) != 0)
		return 0;
	return (long)((int64_t)(expires - clock_wall_us()) / 1000000);
}

static void write_approval(FILE *out, const json_t *approval)
{
	fprintf(out, "%s  ", command_text_of(approval, "id"));
	command_write_rendered(out, command_text_of(approval, "tool"));
	fprintf(out, "  (%ld s left)\n", approvals_seconds_left(approval));
	if (json_integer_value(json_object_get(approval, "quorum")) > 1)
		fprintf(out, "  %-10s %lld of %lld agreed\n", "needs",
		    (long long)json_integer_value(json_object_get(approval, "agreed")),
		    (long long)json_integer_value(json_object_get(approval, "quorum")));
	listed_write_field(out, "asks", command_text_of(approval, "principal"));
	listed_write_field(out, "agent", command_text_of(approval, "agent"));
	listed_write_field(out, "namespace", command_text_of(approval, "namespace"));
	listed_write_field(out, "command", command_text_of(approval, "command"));
	listed_write_field(out, "warning", command_text_of(approval, "warning"));
	listed_write_field(out, "prompt", command_text_of(approval, "prompt"));
	listed_write_field(out, "rule", command_text_of(approval, "rule"));
	listed_write_field(out, "reason", command_text_of(approval, "reason"));
	listed_write_field(out, "plan", command_text_of(approval, "plan"));
	write_lines(out, command_text_of(approval, "details"));
}

void approvals_print(const json_t *approval)
{
	write_approval(stdout, approval);
}

char *approvals_text(const json_t *approval)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int failed;

	if (!out)
		return NULL;
	write_approval(out, approval);
	failed = ferror(out);
	if (fclose(out) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

int approvals_page(int tty, const json_t *approval)
{
	char *cleanup_free text = approvals_text(approval);

	fflush(stdout);
	return text ? pager_show(tty, text) : -ENOMEM;
}

const json_t *approvals_find(const json_t *list, const char *id)
{
	return listed_find(json_object_get(list, "approvals"), id, "call that waits", "pending");
}

/* Does a bare answer of ours count? Not when the call came from our own uid, which is another
 * machine's where the gate is. */
static int needs_signature(
    const struct command_session *session, const json_t *approval, const struct approvals_key *key)
{
	char own[32];

	if (session->remote)
		return key->given != NULL;
	snprintf(own, sizeof(own), "uid:%u", (unsigned)getuid());
	return key->given != NULL || strcmp(command_text_of(approval, "principal"), own) == 0;
}

/* {key, time, signature} over exactly this approval; NULL after complaining. */
static json_t *sign_answer(
    const json_t *approval, const char *decision, const char *reason, struct approvals_key *key)
{
	struct buf cleanup_with(buf_fini) bytes = {0}, cleanup_with(buf_fini) base64 = {0};
	const char *plan = command_text_of(approval, "plan");
	uint8_t signature[SIGNATURE_LEN];
	uint64_t now = clock_wall_us();
	char path[PATHS_MAX];
	struct digest digest;

	if (strncmp(plan, "sha256:", 7) != 0 || digest_unhex(&digest, plan + 7) != 0) {
		(void)command_fail(0,
		    "the daemon sent a plan that is no digest; are both programs of one version?");
		return NULL;
	}
	if (!key->key) {
		if (approver_key_path(key->given, path) != 0)
			return NULL;
		command_note(
		    "this call is of your own user, so the answer is signed with %s", path);
		key->key = approver_key_open(path, &key->approver);
		if (!key->key)
			return NULL;
	}
	buf_init(&bytes, SIGNED_MAX);
	buf_init(&base64, 256);
	if (approval_signed_bytes(
		&bytes, command_text_of(approval, "id"), &digest, decision, now, reason) != 0 ||
	    approver_key_sign(key->key, bytes.data, bytes.len, signature) != 0 ||
	    str_base64(&base64, signature, sizeof(signature)) != 0 || !buf_cstr(&base64)) {
		(void)command_fail(COMMAND_USAGE, "%s: this answer cannot be signed",
		    command_text_of(approval, "id"));
		return NULL;
	}
	return json_pack("{s:s, s:I, s:s}", "key", key->approver.id, "time", (json_int_t)now,
	    "signature", buf_cstr(&base64));
}

int approvals_prove(const struct command_session *session, const json_t *approval,
    const char *decision, const char *reason, struct approvals_key *key, json_t *params)
{
	json_t *proof;

	if (!needs_signature(session, approval, key))
		return 0;
	proof = sign_answer(approval, decision, reason, key);
	if (!proof)
		return COMMAND_USAGE;
	(void)json_object_set_new(params, "approver", proof);
	return 0;
}

/* What came of it, and how long it stands. */
static void print_decided(const json_t *answer)
{
	json_int_t quorum = json_integer_value(json_object_get(answer, "quorum"));
	const char *grant = command_text_of(answer, "grant");

	printf("%s: %s", command_text_of(answer, "id"), command_text_of(answer, "state"));
	if (quorum > 1)
		printf(", %lld of %lld agreed",
		    (long long)json_integer_value(json_object_get(answer, "agreed")),
		    (long long)quorum);
	if (grant[0])
		printf("; grant %s until %s", grant, command_text_of(answer, "expires"));
	putchar('\n');
	if (strcmp(command_text_of(answer, "scope"), "session") == 0)
		command_remark("the session ends with the connection that asked; a `callgate call` "
			       "or `callgate run` ends it with this answer: use --scope always "
			       "for those");
}

int approvals_decide(const struct command_session *session, const json_t *approval,
    const struct approvals_answer *given, struct approvals_key *key)
{
	const char *reason = given->reason ? given->reason : "";
	int lasts = given->scope && strcmp(given->scope, "once") != 0;
	json_t *params =
	    json_pack("{s:s, s:s, s:s, s:s}", "id", command_text_of(approval, "id"), "plan",
		command_text_of(approval, "plan"), "decision", given->decision, "reason", reason);
	json_t *answer = NULL;
	char signed_decision[32];
	int status;

	if (!params)
		return command_fail(COMMAND_USAGE, "--reason: not valid UTF-8; write it as such");
	if (given->scope)
		(void)json_object_set_new(params, "scope", json_string(given->scope));
	/* What an answer stands for is signed with it. */
	(void)snprintf(signed_decision, sizeof(signed_decision), "%s%s%s", given->decision,
	    lasts ? ":" : "", lasts ? given->scope : "");
	status = approvals_prove(session, approval, signed_decision, reason, key, params);
	if (status) {
		json_decref(params);
		return status;
	}
	status = client_once(session, "callgate/approvals/decide", params, &answer);
	if (status == 0 && session->output == COMMAND_OUTPUT_JSON)
		status = command_print_json(answer);
	else if (status == 0)
		print_decided(answer);
	json_decref(answer);
	return status;
}
