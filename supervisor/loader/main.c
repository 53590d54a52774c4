/*
 * callgate-policy FILE-NAME: reads one policy and dies.
 *
 * YAML from outside is parsed here and nowhere else in the daemon, by a process that holds no
 * file but these, can open none, run nothing and reach no network:
 *
 *   3 the policy file   4 .env beside it   5 .env of $CALLGATE_HOME   (either may be /dev/null)
 *   6 an empty memfd for the frozen policy   7 a pipe for the report
 *   8 an empty memfd for the values of .env that the policy names
 *   9 a memfd with an edited text   10 an empty memfd for what comes of it (both for the studio)
 *
 * What is asked for beside that is in the variable of policy/load_request.h: what callgated's
 * command line says above the file, and one of
 *
 *   load   the file is judged; 9 and 10 are not there
 *   edit   9 and the file's own server: section are judged as the text that will be the file
 *          (policy/studio.h); 10 gets the difference as JSON, then that text
 *   show   nothing is judged; 10 gets an empty difference, then the file without server:
 *
 * (10: two strings of supervisor/base/buf.h.) Exit 0: the frozen policy is in 6, each line on 7 is
 * a warning. Exit 1: refused, the first line on 7 says why, warnings follow. Exit 2: refused, since
 * the edited text has a server: section. Anything else: a fault, and nothing on 6 to 10 counts.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "policy/difference.h"
#include "policy/freeze.h"
#include "policy/load.h"
#include "policy/load_request.h"
#include "policy/selftest.h"
#include "policy/studio.h"
#include "sandbox/self.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/err.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"

enum {
	POLICY_FD = 3,
	DOTENV_FD = 4,
	HOME_DOTENV_FD = 5,
	FROZEN_FD = 6,
	REPORT_FD = 7,
	VALUES_FD = 8,
	EDITED_FD = 9,
	RESULT_FD = 10,
};

enum {
	EXIT_FROZEN = 0,
	EXIT_REFUSED = 1,
	EXIT_SERVER = 2,
	EXIT_FAULT = 3,
};

#define DOTENV_MAX  (256 * 1024)
#define REPORT_MAX  (64 * 1024)
#define RESULT_MAX  (POLICY_FILE_MAX + 16 * 1024 * 1024)
#define CPU_SECONDS 20

extern char **environ;

struct loader {
	const char *file;
	struct load_request request; /* owned */
	char *text;                  /* of the file; owned */
	size_t len;
	char *edited; /* the studio's; owned; NULL: none */
	size_t edited_len;
	char *dotenv[2]; /* texts, owned; NULL: not there */
	size_t dotenv_len[2];
	char **lists[2]; /* what they say, owned */
	struct buf warnings;
	struct err_note note;
};

static void loader_fini(struct loader *loader)
{
	load_request_fini(&loader->request);
	free(loader->text);
	free(loader->edited);
	for (int i = 0; i < 2; i++) {
		free(loader->dotenv[i]);
		free(loader->lists[i]);
	}
	buf_fini(&loader->warnings);
}

static const char *dotenv_name(int which)
{
	return which ? "$CALLGATE_HOME/.env" : ".env";
}

/* 0, EXIT_REFUSED with a note, or a fault. A file others may read may hold secrets that are none
 * any more, and one they may write decides what the policy says: it is left out, and said. */
static int read_dotenv(struct loader *loader, int which)
{
	int fd = which ? HOME_DOTENV_FD : DOTENV_FD;
	struct stat st;
	int fault;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (st.st_mode & 077) {
		buf_textf(&loader->warnings,
		    "%s:1:1: mode: others than its owner may use it; not read, chmod 600 it\n",
		    dotenv_name(which));
		return 0;
	}
	fault = fd_read_all(fd, DOTENV_MAX, &loader->dotenv[which], &loader->dotenv_len[which]);
	if (fault != -EFBIG)
		return fault;
	(void)err_note(&loader->note, fault,
	    "%s:1:1: larger than %d KiB; keep only variables in it, and move the rest away",
	    dotenv_name(which), DOTENV_MAX / 1024);
	return EXIT_REFUSED;
}

static int read_inputs(struct loader *loader)
{
	int fault = fd_read_all(POLICY_FD, POLICY_FILE_MAX, &loader->text, &loader->len);

	if (fault == -EFBIG) {
		(void)err_note(&loader->note, fault,
		    "%s:1:1: policy: larger than 4 MiB; split the policy", loader->file);
		return EXIT_REFUSED;
	}
	for (int i = 0; i < 2 && !fault; i++)
		fault = read_dotenv(loader, i);
	if (fault || loader->request.mode != LOAD_EDIT)
		return fault;
	fault = fd_read_all(EDITED_FD, POLICY_FILE_MAX, &loader->edited, &loader->edited_len);
	if (fault != -EFBIG)
		return fault;
	(void)err_note(&loader->note, fault,
	    "%s:1:1: policy: the edited text is larger than 4 MiB; split the policy", loader->file);
	return EXIT_REFUSED;
}

/* Parsing a megabyte takes milliseconds; this ends what does not. */
static int limit_self(void)
{
	const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};

	return setrlimit(RLIMIT_CPU, &cpu) ? -errno : 0;
}

static size_t count_of(char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

/* One list of both files; the one beside the policy comes first and so wins. */
static int join_dotenv(struct loader *loader, char ***ret_list)
{
	size_t first, second;
	char **list;

	for (int i = 0; i < 2; i++) {
		int fault = loader->dotenv[i]
				? dotenv_parse(dotenv_name(i), loader->dotenv[i],
				      loader->dotenv_len[i], &loader->lists[i], &loader->note)
				: 0;

		if (fault)
			return fault;
	}
	first = count_of(loader->lists[0]);
	second = count_of(loader->lists[1]);
	list = calloc(first + second + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < first; i++)
		list[i] = loader->lists[0][i];
	for (size_t i = 0; i < second; i++)
		list[first + i] = loader->lists[1][i];
	*ret_list = list;
	return 0;
}

/* Is this entry, NAME=VALUE, of the variable of that name? */
static bool is_of(const char *entry, const char *name)
{
	size_t len = strcspn(entry, "=");

	return len && !strncmp(name, entry, len) && !name[len];
}

static bool tool_names(const struct policy_tool *tool, const char *entry)
{
	for (uint32_t i = 0; i < tool->env_count; i++) {
		const struct policy_env *env = &tool->env[i];

		if (env->source == ENV_VARIABLE && is_of(entry, env->text))
			return true;
	}
	return false;
}

/* Static keys, the service key, and what channels are reached and signed by. */
static bool keys_name(const struct policy *policy, const char *entry)
{
	const struct policy_words *keys = &policy->http.auth.api_keys;

	for (uint32_t i = 0; i < keys->count; i++) {
		if (is_of(entry, keys->items[i].text))
			return true;
	}
	for (uint32_t i = 0; i < policy->channel_count; i++) {
		if (is_of(entry, policy->channels[i].url_env) ||
		    is_of(entry, policy->channels[i].secret_env))
			return true;
	}
	return is_of(entry, policy->http.auth.service_key_env);
}

/* Only what the policy names leaves this process, and only to the warden. */
static int write_values(const struct policy *policy, char *const *dotenv)
{
	int fault = 0;

	for (; *dotenv && !fault; dotenv++) {
		bool named = keys_name(policy, *dotenv);

		for (uint32_t i = 0; i < policy->tool_count && !named; i++)
			named = tool_names(&policy->tools[i], *dotenv);
		if (named)
			fault = fd_write_all(VALUES_FD, *dotenv, strlen(*dotenv) + 1);
	}
	return fault;
}

static int write_frozen(const struct policy *policy)
{
	struct buf frozen;
	int fault;

	buf_init(&frozen, POLICY_FROZEN_MAX);
	fault = policy_freeze(&frozen, policy);
	if (!fault)
		fault = fd_write_all(FROZEN_FD, frozen.data, frozen.len);
	buf_fini(&frozen);
	return fault;
}

/* A file whose own tests fail is refused whole. 0, EXIT_REFUSED or a fault. */
static int run_tests(struct loader *loader, const struct policy *policy)
{
	struct rulebook *book = NULL;
	struct selftest tests;
	int fault = rulebook_new(policy, &book, &loader->note);

	if (!fault)
		fault = policy_selftest(policy, book, &tests, NULL, &loader->note);
	rulebook_free(book);
	return fault == SELFTEST_FAILED || fault == -EINVAL ? EXIT_REFUSED : fault;
}

static int refuse_large(struct loader *loader, int fault)
{
	(void)err_note(&loader->note, fault,
	    "%s:1:1: policy: too large when read; split the policy", loader->file);
	return EXIT_REFUSED;
}

static struct policy_source source_of(
    const struct loader *loader, const char *text, size_t len, char *const *dotenv)
{
	return (struct policy_source){.file = loader->file,
	    .text = text,
	    .len = len,
	    .env = environ,
	    .dotenv = dotenv,
	    .overrides = &loader->request.overrides};
}

/* 0 and *ret_policy, frozen and judged by its own tests; EXIT_REFUSED or a fault. */
static int load(struct loader *loader, const char *text, size_t len, char *const *dotenv,
    struct policy **ret_policy)
{
	const struct policy_source source = source_of(loader, text, len, dotenv);
	struct policy *policy;
	int fault = policy_load(&source, &policy, &loader->warnings, &loader->note);

	if (fault)
		return fault == -EINVAL ? EXIT_REFUSED : fault;
	fault = run_tests(loader, policy);
	if (!fault)
		fault = write_frozen(policy);
	if (!fault)
		fault = write_values(policy, dotenv);
	if (fault) {
		policy_free(policy);
		return fault == -ENOBUFS ? refuse_large(loader, fault) : fault;
	}
	*ret_policy = policy;
	return 0;
}

/* ---- the studio --------------------------------------------------------------------------- */

static json_t *not_compared(const char *why)
{
	return json_pack("{s:[], s:[], s:[{s:s, s:s}]}", "gains", "loses", "changed", "who",
	    "everybody", "what", why);
}

/* The file may have been broken by hand since: then there is nothing to compare with. */
static int compare(struct loader *loader, char *const *dotenv, const struct policy *edited,
    json_t **ret_difference)
{
	const struct policy_source source = source_of(loader, loader->text, loader->len, dotenv);
	struct policy *old = NULL;
	struct err_note note;
	int fault = policy_load(&source, &old, NULL, &note);

	*ret_difference = NULL;
	if (fault == -EINVAL)
		*ret_difference =
		    not_compared("the file as it is does not load, so nothing was compared");
	else if (!fault)
		fault = policy_difference(old, edited, ret_difference);
	if (fault == -E2BIG)
		*ret_difference =
		    not_compared("too many rights to compare them; read the whole text");
	policy_free(old);
	return *ret_difference ? 0 : -ENOMEM;
}

static int write_result(const char *difference, const struct buf *text)
{
	struct buf cleanup_with(buf_fini) out;

	buf_init(&out, RESULT_MAX);
	buf_put_str(&out, difference);
	buf_put_bytes(&out, text->data, text->len);
	return out.fault ? out.fault : fd_write_all(RESULT_FD, out.data, out.len);
}

static int edit_as(struct loader *loader, char *const *dotenv, const struct buf *merged)
{
	char *cleanup_free difference = NULL;
	struct policy *policy = NULL;
	json_t *root = NULL;
	int fault = load(loader, (const char *)merged->data, merged->len, dotenv, &policy);

	if (fault)
		return fault;
	fault = compare(loader, dotenv, policy, &root);
	policy_free(policy);
	if (!fault)
		difference = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (!fault && !difference)
		fault = -ENOMEM;
	return fault ? fault : write_result(difference, merged);
}

static int edit(struct loader *loader, char *const *dotenv)
{
	const struct studio_text now = {loader->file, loader->text, loader->len};
	const struct studio_text edited = {loader->file, loader->edited, loader->edited_len};
	struct buf cleanup_with(buf_fini) merged;
	int fault;

	buf_init(&merged, POLICY_FILE_MAX);
	fault = studio_merge(&now, &edited, &merged, &loader->note);
	if (fault == -EPERM)
		return EXIT_SERVER;
	if (fault == -ENOBUFS)
		return refuse_large(loader, fault);
	if (fault == -EINVAL)
		return EXIT_REFUSED;
	return fault ? fault : edit_as(loader, dotenv, &merged);
}

static int show(struct loader *loader)
{
	const struct studio_text now = {loader->file, loader->text, loader->len};
	struct buf cleanup_with(buf_fini) text;
	int fault;

	buf_init(&text, POLICY_FILE_MAX);
	fault = studio_show(&now, &text, &loader->note);
	if (!fault)
		fault = write_result("", &text);
	return fault == -EINVAL ? EXIT_REFUSED : fault;
}

/* ---- the life of it ----------------------------------------------------------------------- */

static int judge(struct loader *loader)
{
	char **cleanup_free dotenv = NULL;
	struct policy *policy = NULL;
	int fault;

	if (loader->request.mode == LOAD_SHOW)
		return show(loader);
	fault = join_dotenv(loader, &dotenv);
	if (fault)
		return fault == -EINVAL ? EXIT_REFUSED : fault;
	if (loader->request.mode == LOAD_EDIT)
		return edit(loader, dotenv);
	fault = load(loader, loader->text, loader->len, dotenv, &policy);
	policy_free(policy);
	return fault;
}

/* EXIT_FROZEN, one of the two refusals with a note for people, or a fault. */
static int run(struct loader *loader)
{
	int fault = read_inputs(loader);

	if (!fault)
		fault = limit_self();
	if (!fault)
		fault = self_confine(SELF_POLICY, NULL, &loader->note);
	return fault ? fault : judge(loader);
}

/* On a refusal the reason comes first; the warnings may tell where it comes from. */
static int report(struct loader *loader, int result)
{
	struct buf cleanup_with(buf_fini) lines;

	buf_init(&lines, REPORT_MAX + sizeof(loader->note));
	if (result == EXIT_REFUSED || result == EXIT_SERVER) {
		buf_text(&lines, loader->note.text);
		buf_text(&lines, "\n");
	}
	buf_put(&lines, loader->warnings.data, loader->warnings.len);
	return lines.fault ? lines.fault : fd_write_all(REPORT_FD, lines.data, lines.len);
}

/* No ${NAME} of the policy shall see it. */
static int take_request(struct loader *loader)
{
	int fault = load_request_read(getenv(LOAD_REQUEST_VARIABLE), &loader->request);

	if (fault)
		return err_note(
		    &loader->note, fault, LOAD_REQUEST_VARIABLE ": not what callgated writes");
	return unsetenv(LOAD_REQUEST_VARIABLE) ? -errno : 0;
}

int main(int argc, char **argv)
{
	struct loader cleanup_with(loader_fini) loader = {.file = argc == 2 ? argv[1] : ""};
	int result = self_start();

	json_object_seed(0); /* opens a file, so before the confinement */
	log_init("policy", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	buf_init(&loader.warnings, REPORT_MAX);
	if (argc != 2) {
		fprintf(stderr, "callgate-policy: started by hand; callgated starts it\n");
		return EXIT_FAULT;
	}
	if (!result)
		result = take_request(&loader);
	if (!result)
		result = run(&loader);
	if (result >= 0) {
		int fault = report(&loader, result);

		result = fault ? fault : result;
	}
	if (result >= 0)
		return result;
	log_error("policy: %s%s%s; nothing was read", loader.note.text,
	    loader.note.text[0] ? ": " : "", strerror(-result));
	return EXIT_FAULT;
}
