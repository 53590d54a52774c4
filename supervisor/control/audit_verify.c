/*
 * audit verify [DIR] [--pin F] [--anchor F]... [--max-age S] [--all-seals] [--semantic]
 *
 * The first line is the verdict and a contract; what follows explains.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/paths.h"
#include "supervisor/base/str.h"
#include "supervisor/control/audit_walk.h"
#include "supervisor/control/progress.h"

struct verify {
	struct walk walk;
	enum command_output output;
	char dir[PATHS_MAX];
	char pin[PATHS_MAX];
};

static void verify_free(struct verify **verify)
{
	if (*verify) {
		walk_fini(&(*verify)->walk);
		if ((*verify)->walk.dirfd >= 0)
			close((*verify)->walk.dirfd);
	}
	free(*verify);
}

static int print_text(const struct verify *verify, int exit)
{
	const struct walk *walk = &verify->walk;

	printf("%s\n", walk->verdict.text);
	if (walk->trail.seals > 0 && exit != AUDIT_TAMPERED)
		printf("journal %s; newest seal n=%" PRIu64 " of %s; key %s; pin %s\n", verify->dir,
		    walk->seal_n, walk->trail.stamp, walk->key.name,
		    walk->pinned ? verify->pin : "none: the log vouches for its own key");
	if (walk->flags & WALK_SEMANTIC && exit == AUDIT_OK)
		printf("calls started and not finished: %" PRIu64 "\n",
		    semantic_unfinished(&walk->semantic));
	return fflush(stdout) == 0 ? exit : AUDIT_USAGE;
}

static int print_json(const struct verify *verify, int exit)
{
	const struct walk *walk = &verify->walk;
	size_t word = strcspn(walk->verdict.text, " ");
	json_t *answer = json_pack("{s:s%, s:s, s:i, s:I, s:I, s:b, s:s}", "verdict",
	    walk->verdict.text, word, "text", walk->verdict.text, "exit", exit, "size",
	    (json_int_t)walk->trail.frontier.size, "seals", (json_int_t)walk->trail.seals, "pinned",
	    walk->pinned, "last", walk->trail.stamp);
	int r = answer ? command_print_json(answer)
		       : command_fail(AUDIT_USAGE, "audit verify: out of memory");

	json_decref(answer);
	return r == COMMAND_OK ? exit : AUDIT_USAGE;
}

static int print(const struct verify *verify, int exit)
{
	return verify->output == COMMAND_OUTPUT_JSON ? print_json(verify, exit)
						     : print_text(verify, exit);
}

static int take_age(struct walk *walk, int *argc, char **argv)
{
	const char *text = command_take_option(argc, argv, "--max-age");
	uint64_t ms;

	if (!text)
		return 0;
	if (str_duration_ms(text, &ms) < 0 || ms == 0)
		return command_fail(AUDIT_USAGE, "--max-age %s: not a time; 600, 600s, 10m", text);
	walk->max_age_us = ms * 1000;
	return 0;
}

/* *ret_bad: the anchor that is none; the log is judged all the same. */
static int take_anchors(struct walk *walk, int *argc, char **argv, const char **ret_bad)
{
	const char *path;

	while ((path = command_take_option(argc, argv, "--anchor"))) {
		int r = anchors_load(&walk->anchors, path);

		if (r == -EBADMSG)
			*ret_bad = path;
		else if (r < 0)
			return command_fail(AUDIT_USAGE, "--anchor %s: %s; name a saved checkpoint",
			    path, strerror(-r));
	}
	return 0;
}

static int take_options(struct verify *verify, int *argc, char **argv, const char **ret_bad)
{
	struct walk *walk = &verify->walk;

	if (audit_take_output(argc, argv, &verify->output) != 0 ||
	    take_age(walk, argc, argv) != 0 || take_anchors(walk, argc, argv, ret_bad) != 0)
		return AUDIT_USAGE;
	if (command_take_flag(argc, argv, "--all-seals"))
		walk->flags |= WALK_ALL_SEALS;
	if (command_take_flag(argc, argv, "--semantic"))
		walk->flags |= WALK_SEMANTIC;
	return 0;
}

/* Finds the pin; a file that is no pin is a verdict, not a reason to go on without. */
static int take_pin(struct verify *verify, const char *pin)
{
	int r = audit_load_pin(&verify->walk.key, pin, verify->dir, verify->pin);

	if (r == -EBADMSG) {
		err_note(&verify->walk.verdict, 0, "PIN-MISMATCH %s", verify->pin);
		return print(verify, AUDIT_KEY);
	}
	if (r < 0)
		return AUDIT_USAGE;
	verify->walk.pinned = r;
	return 0;
}

/* A bad anchor is the first line, the judgement of the log the second. */
static int print_bad_anchor(struct verify *verify, const char *anchor, int exit)
{
	struct err_note judged = verify->walk.verdict;

	err_note(&verify->walk.verdict, 0, "ANCHOR-INVALID name=%s; the log itself: %s", anchor,
	    judged.text);
	return print(verify, exit == AUDIT_OK ? AUDIT_USAGE : exit);
}

int audit_verify_main(int argc, char **argv)
{
	struct verify *cleanup_with(verify_free) verify = calloc(1, sizeof(*verify));
	const char *bad_anchor = NULL, *pin;
	int exit;

	if (!verify)
		return command_fail(AUDIT_USAGE, "audit verify: out of memory");
	verify->walk.dirfd = -1;
	verify->walk.now_us = clock_wall_us();
	pin = command_take_option(&argc, argv, "--pin");
	if (take_options(verify, &argc, argv, &bad_anchor) != 0 ||
	    command_no_options(argc, argv) != 0)
		return AUDIT_USAGE;
	if (argc > 2)
		return command_fail(
		    AUDIT_USAGE, "audit verify: one directory at most; see `callgate help audit`");
	verify->walk.dirfd = audit_open_dir(argc == 2 ? argv[1] : NULL, verify->dir);
	if (verify->walk.dirfd < 0)
		return AUDIT_USAGE;
	exit = take_pin(verify, pin);
	if (exit != 0)
		return exit;
	progress_begin(
	    verify->output, "checking the trail", &verify->walk.trail.frontier.size, "records");
	exit = walk_run(&verify->walk);
	progress_end();
	return bad_anchor ? print_bad_anchor(verify, bad_anchor, exit) : print(verify, exit);
}
