/*
 * audit prove N [DIR] [--pin F]: a C2SP tlog-proof (c2sp.org/tlog-proof) of record N against the
 * newest seal, with the record itself as `extra`, so that the proof and the pin are all that a
 * stranger needs. The whole journal is judged first: nothing is proven out of a bad one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/paths.h"
#include "supervisor/base/str.h"
#include "supervisor/control/audit_walk.h"
#include "supervisor/control/progress.h"

#define PROOF_TEXT_MAX (256 * 1024)
#define PROOF_LEAVES   ((size_t)1 << 40) /* bytes of leaves at most: there is no smaller bound */

struct prove {
	struct walk walk;
	enum command_output output;
	char dir[PATHS_MAX];
	char pin[PATHS_MAX];
};

static void prove_free(struct prove **prove)
{
	if (*prove) {
		walk_fini(&(*prove)->walk);
		if ((*prove)->walk.dirfd >= 0)
			close((*prove)->walk.dirfd);
	}
	free(*prove);
}

static void put_hash(struct buf *out, const struct digest *hash)
{
	str_base64(out, hash->bytes, DIGEST_LEN);
	buf_text(out, "\n");
}

static void put_proof(
    struct buf *out, const struct walk *walk, const struct digest *hashes, size_t count)
{
	buf_text(out, "c2sp.org/tlog-proof@v1\nextra ");
	str_base64(out, walk->kept_line.data, walk->kept_line.len);
	buf_textf(out, "\nindex %" PRIu64 "\n", walk->keep_line);
	for (size_t i = 0; i < count; i++)
		put_hash(out, &hashes[i]);
	buf_text(out, "\n");
	buf_text(out, walk->trail.seal.note);
}

/* Makes the proof and checks it as its reader would. 0, -EBADMSG or another fault. */
static int make_proof(struct buf *out, const struct walk *walk)
{
	const struct checkpoint *checkpoint = &walk->trail.seal.checkpoint;
	const struct digest *leaves = (const struct digest *)walk->kept_leaves.data;
	struct digest hashes[MERKLE_PROOF_MAX], leaf;
	size_t count;
	int r = merkle_prove(leaves, checkpoint->size, walk->keep_line, hashes, &count);

	if (r == 0)
		r = merkle_leaf(&leaf, walk->kept_line.data, walk->kept_line.len);
	if (r == 0)
		r = merkle_check(
		    &leaf, walk->keep_line, checkpoint->size, hashes, count, &checkpoint->root);
	if (r < 0)
		return r;
	put_proof(out, walk, hashes, count);
	return out->fault;
}

static int print_json(const struct prove *prove, const char *proof)
{
	json_t *answer =
	    json_pack("{s:I, s:I, s:b, s:s}", "index", (json_int_t)prove->walk.keep_line, "size",
		(json_int_t)prove->walk.trail.seal.checkpoint.size, "pinned", prove->walk.pinned,
		"proof", proof);
	int r = answer ? command_print_json(answer)
		       : command_fail(AUDIT_USAGE, "audit prove: out of memory");

	json_decref(answer);
	return r;
}

static int print_proof(struct prove *prove)
{
	struct buf cleanup_with(buf_fini) text;
	const char *proof;
	int r;

	buf_init(&text, PROOF_TEXT_MAX);
	r = make_proof(&text, &prove->walk);
	proof = buf_cstr(&text);
	if (r < 0 || !proof)
		return command_fail(AUDIT_USAGE, "audit prove: %s", strerror(r < 0 ? -r : ENOMEM));
	if (prove->output == COMMAND_OUTPUT_JSON)
		return print_json(prove, proof);
	if (fputs(proof, stdout) == EOF || fflush(stdout) != 0)
		return command_fail(AUDIT_USAGE, "audit prove: cannot write the output");
	return AUDIT_OK;
}

static int take_arguments(struct prove *prove, int argc, char **argv)
{
	const char *pin = command_take_option(&argc, argv, "--pin");
	int r;

	if (audit_take_output(&argc, argv, &prove->output) != 0 ||
	    command_no_options(argc, argv) != 0)
		return AUDIT_USAGE;
	if (argc < 2 || argc > 3 || str_u64(argv[1], INT64_MAX, &prove->walk.keep_line) < 0)
		return command_fail(
		    AUDIT_USAGE, "audit prove: which record? give N; audit tail shows the numbers");
	prove->walk.dirfd = audit_open_dir(argc == 3 ? argv[2] : NULL, prove->dir);
	if (prove->walk.dirfd < 0)
		return AUDIT_USAGE;
	r = audit_load_pin(&prove->walk.key, pin, prove->dir, prove->pin);
	if (r == -EBADMSG)
		return command_fail(AUDIT_KEY, "PIN-MISMATCH %s", prove->pin);
	if (r < 0)
		return AUDIT_USAGE;
	prove->walk.pinned = r;
	return 0;
}

/* Lines behind the newest seal do not take its proof away. */
static int is_sound(const struct walk *walk, int exit)
{
	return exit == AUDIT_OK ||
	       (exit == AUDIT_INCOMPLETE &&
		   strncmp(walk->verdict.text, "INCOMPLETE", strlen("INCOMPLETE")) == 0);
}

int audit_prove_main(int argc, char **argv)
{
	struct prove *cleanup_with(prove_free) prove = calloc(1, sizeof(*prove));
	int exit;

	if (!prove)
		return command_fail(AUDIT_USAGE, "audit prove: out of memory");
	prove->walk.dirfd = -1;
	prove->walk.flags = WALK_KEEP_LEAVES;
	buf_init(&prove->walk.kept_leaves, PROOF_LEAVES);
	buf_init(&prove->walk.kept_line, RECORD_LINE_MAX);
	exit = take_arguments(prove, argc, argv);
	if (exit != 0)
		return exit;
	progress_begin(
	    prove->output, "checking the trail", &prove->walk.trail.frontier.size, "records");
	exit = walk_run(&prove->walk);
	progress_end();
	if (!is_sound(&prove->walk, exit))
		return command_fail(exit, "audit prove: nothing is proven out of this journal: %s",
		    prove->walk.verdict.text);
	if (prove->walk.keep_line >= prove->walk.trail.seal.checkpoint.size)
		return command_fail(AUDIT_USAGE,
		    "audit prove %" PRIu64 ": not sealed; the newest seal covers %" PRIu64
		    " records",
		    prove->walk.keep_line, prove->walk.trail.seal.checkpoint.size);
	return print_proof(prove);
}
