/*
 * callgate-policy FILE-NAME: reads one policy and dies.
 *
 * YAML from outside is parsed here and nowhere else in the daemon, by a process that holds no
 * file but these, can open none, run nothing and reach no network:
 *
 *   3 the policy file   4 .env beside it   5 .env of $CALLGATE_HOME   (either may be /dev/null)
 *   6 an empty memfd for the frozen policy   7 a pipe for the report
 *   8 an empty memfd for the values of .env that the policy names
 *
 * Exit 0: the frozen policy is in 6, each line on 7 is a warning. Exit 1: refused, the first line
 * on 7 says why, warnings follow. Anything else: a fault, and nothing on 6, 7 or 8 counts.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "policy/freeze.h"
#include "policy/load.h"
#include "policy/selftest.h"
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
};

enum {
	EXIT_FROZEN = 0,
	EXIT_REFUSED = 1,
	EXIT_FAULT = 3,
};

#define DOTENV_MAX  (256 * 1024)
#define REPORT_MAX  (64 * 1024)
#define CPU_SECONDS 20

extern char **environ;

struct loader {
	const char *file;
	char *text; /* owned */
	size_t len;
	char *dotenv[2]; /* texts, owned; NULL: not there */
	size_t dotenv_len[2];
	char **lists[2]; /* what they say, owned */
	struct buf warnings;
	struct err_note note;
};

static void loader_fini(struct loader *loader)
{
	free(loader->text);
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
	return fault;
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

/* entry: NAME=VALUE. */
static bool is_of(const char *name, const char *entry)
{
	size_t len = strcspn(entry, "=");

	return name && name[0] && !strncmp(name, entry, len) && !name[len];
}

static bool tool_names(const struct policy_tool *tool, const char *entry)
{
	for (uint32_t i = 0; i < tool->env_count; i++) {
		if (tool->env[i].source == ENV_VARIABLE && is_of(tool->env[i].text, entry))
			return true;
	}
	return false;
}

static bool http_names(const struct policy *policy, const char *entry)
{
	const struct policy_auth *auth = &policy->http.auth;

	for (uint32_t i = 0; i < auth->api_keys.count; i++) {
		if (is_of(auth->api_keys.items[i].text, entry))
			return true;
	}
	for (uint32_t i = 0; i < policy->channel_count; i++) {
		if (is_of(policy->channels[i].url_env, entry) ||
		    is_of(policy->channels[i].secret_env, entry))
			return true;
	}
	return is_of(auth->service_key_env, entry);
}

/* Only what the policy names leaves this process, and only to the warden. */
static int write_values(const struct policy *policy, char *const *dotenv)
{
	int fault = 0;

	for (; *dotenv && !fault; dotenv++) {
		bool named = http_names(policy, *dotenv);

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

static int load(struct loader *loader)
{
	char **cleanup_free dotenv = NULL;
	struct policy *policy;
	int fault = join_dotenv(loader, &dotenv);

	if (!fault) {
		const struct policy_source source = {.file = loader->file,
		    .text = loader->text,
		    .len = loader->len,
		    .env = environ,
		    .dotenv = dotenv};

		fault = policy_load(&source, &policy, &loader->warnings, &loader->note);
	}
	if (fault)
		return fault == -EINVAL ? EXIT_REFUSED : fault;
	fault = run_tests(loader, policy);
	if (fault) {
		policy_free(policy);
		return fault;
	}
	fault = write_frozen(policy);
	if (!fault)
		fault = write_values(policy, dotenv);
	policy_free(policy);
	if (fault != -ENOBUFS)
		return fault;
	(void)err_note(&loader->note, fault,
	    "%s:1:1: policy: too large when read; split the policy", loader->file);
	return EXIT_REFUSED;
}

/* EXIT_FROZEN, EXIT_REFUSED with a note for people, or a fault. */
static int run(struct loader *loader)
{
	int fault = read_inputs(loader);

	if (!fault)
		fault = limit_self();
	if (!fault)
		fault = self_confine(SELF_POLICY, NULL, &loader->note);
	return fault ? fault : load(loader);
}

/* On a refusal the reason comes first; the warnings may tell where it comes from. */
static int report(struct loader *loader, int result)
{
	struct buf cleanup_with(buf_fini) lines;

	buf_init(&lines, REPORT_MAX + sizeof(loader->note));
	if (result == EXIT_REFUSED) {
		buf_text(&lines, loader->note.text);
		buf_text(&lines, "\n");
	}
	buf_put(&lines, loader->warnings.data, loader->warnings.len);
	return lines.fault ? lines.fault : fd_write_all(REPORT_FD, lines.data, lines.len);
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
