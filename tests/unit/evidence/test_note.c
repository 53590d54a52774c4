#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "supervisor/evidence/note.h"

/* The example of c2sp.org/signed-note. */
#define SPEC_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define SPEC_TEXT "This is an example message.\n"
#define SPEC_SIGNATURE                                                                             \
	"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72Ine"  \
	"yaQM="
/* The example of golang.org/x/mod/sumdb/note: its signer's seed, key and signature. */
#define GO_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define GO_SEED "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz" /* 0x01 || seed */
#define GO_TEXT                                                                                    \
	"If you think cryptography is the answer to your problem,\n"                               \
	"then you don't know what your problem is.\n"
#define GO_SIGNATURE                                                                               \
	"x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyB"   \
	"wJnAM="
/* The body of the example of c2sp.org/tlog-checkpoint. */
#define ORIGIN "example.com/behind-the-sofa"
#define BODY   ORIGIN "\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define DASH   "\xe2\x80\x94 "

static void published_keys_parse_and_print(void **state)
{
	static const char *const vkeys[] = {SPEC_VKEY, GO_VKEY,
	    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"};

	(void)state;
	for (size_t i = 0; i < sizeof(vkeys) / sizeof(vkeys[0]); i++) {
		struct note_key key;
		struct buf out;

		assert_int_equal(note_key_parse(&key, vkeys[i]), 0);
		buf_init(&out, 256);
		note_key_text(&out, &key);
		assert_string_equal(buf_cstr(&out), vkeys[i]);
		buf_fini(&out);
	}
}

/* tagged: base64 of key id and signature, as on a signature line. */
static void check_published(const char *vkey, const char *text, const char *tagged)
{
	struct note_key key;
	uint8_t bytes[4 + SIGNATURE_LEN];
	size_t len;

	assert_int_equal(note_key_parse(&key, vkey), 0);
	assert_int_equal(str_unbase64(bytes, sizeof(bytes), tagged, strlen(tagged), &len), 0);
	assert_int_equal(len, sizeof(bytes));
	assert_memory_equal(bytes, key.id, 4);
	assert_int_equal(key_verify(key.public_key, bytes + 4, text, strlen(text)), 0);
	assert_int_equal(
	    key_verify(key.public_key, bytes + 4, text, strlen(text) - 1), -EKEYREJECTED);
}

static void published_signatures_verify(void **state)
{
	(void)state;
	check_published(SPEC_VKEY, SPEC_TEXT, SPEC_SIGNATURE);
	check_published(GO_VKEY, GO_TEXT, GO_SIGNATURE);
}

/* Ed25519 is deterministic: our signature must be the published one. */
static void published_signature_is_made_again(void **state)
{
	uint8_t typed_seed[1 + KEY_LEN], tagged[4 + SIGNATURE_LEN];
	struct note_key key;
	struct buf out;
	size_t len;

	(void)state;
	assert_int_equal(str_unbase64(typed_seed, 33, GO_SEED, strlen(GO_SEED), &len), 0);
	assert_int_equal(note_key_parse(&key, GO_VKEY), 0);
	memcpy(tagged, key.id, 4);
	assert_int_equal(key_sign(tagged + 4, typed_seed + 1, GO_TEXT, strlen(GO_TEXT)), 0);
	buf_init(&out, 256);
	str_base64(&out, tagged, sizeof(tagged));
	assert_string_equal(buf_cstr(&out), GO_SIGNATURE);
	buf_fini(&out);
}

static void bad_keys_are_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "example.com/foo",
	    "example.com/foo+530d903a",
	    "example.com/foo+530d903a+",
	    "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	    "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	    "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	    "example.com/foo+530d903a0+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
	    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==",
	    "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
	    "exa mple+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	    "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	};
	uint8_t public_key[KEY_LEN] = {9};
	char long_name[NOTE_ORIGIN_MAX + 1];
	struct note_key key = {.name = "same"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(note_key_parse(&key, bad[i]), -EBADMSG);
	memset(long_name, 'a', NOTE_ORIGIN_MAX);
	long_name[NOTE_ORIGIN_MAX] = '\0';
	assert_int_equal(note_key_init(&key, long_name, public_key), -EINVAL);
	assert_int_equal(note_key_init(&key, "", public_key), -EINVAL);
	assert_int_equal(note_key_init(&key, "a+b", public_key), -EINVAL);
	assert_int_equal(note_key_init(&key, "a\nb", public_key), -EINVAL);
	assert_int_equal(note_key_init(&key, "\xc3\xa9", public_key), -EINVAL);
	assert_string_equal(key.name, "same");
	assert_int_equal(note_key_init(&key, long_name + 1, public_key), 0);
}

static void checkpoint_example_comes_back(void **state)
{
	struct checkpoint checkpoint;
	struct buf out;

	(void)state;
	assert_int_equal(checkpoint_parse(&checkpoint, BODY, strlen(BODY)), 0);
	assert_string_equal(checkpoint.origin, ORIGIN);
	assert_int_equal(checkpoint.size, 20852163);
	buf_init(&out, NOTE_MAX);
	checkpoint_body(&out, &checkpoint);
	assert_string_equal(buf_cstr(&out), BODY);
	buf_fini(&out);
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

static void checkpoints_have_one_form(void **state)
{
	static const char *const bad[] = {
	    "",
	    "o\n",
	    "o\n1\n",
	    "\n1\n" ROOT,
	    "o\n\n" ROOT,
	    "o\n01\n" ROOT,
	    "o\n-1\n" ROOT,
	    "o\n+1\n" ROOT,
	    "o\n 1\n" ROOT,
	    "o\n1x\n" ROOT,
	    "o\n18446744073709551616\n" ROOT,
	    "o\n000000000000000000000000001\n" ROOT,
	    "o\r\n1\r\n" ROOT,
	    "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",   /* no last newline */
	    "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", /* unused bits set */
	    "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n", /* 31 bytes */
	    "o\n1\n" ROOT "extension\n",
	    "o\n1\n" ROOT "\n",
	    "o o\n1\n" ROOT,
	};
	static const char embedded[] = "o\n1\0\n" ROOT;
	struct checkpoint checkpoint = {.size = 5};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(checkpoint_parse(&checkpoint, bad[i], strlen(bad[i])), -EBADMSG);
	assert_int_equal(checkpoint_parse(&checkpoint, embedded, sizeof(embedded) - 1), -EBADMSG);
	assert_int_equal(checkpoint.size, 5);
	assert_int_equal(checkpoint_parse(&checkpoint, "o\n0\n" ROOT, 4 + strlen(ROOT)), 0);
	assert_int_equal(checkpoint_parse(&checkpoint, "o\n18446744073709551615\n" ROOT,
			     strlen("o\n18446744073709551615\n" ROOT)),
	    0);
	assert_true(checkpoint.size == UINT64_MAX);
}

/* A key of the test's own, with a note signed by it. */
struct signer {
	uint8_t seed[KEY_LEN];
	struct note_key key;
};

static struct signer signer_named(const char *name, uint8_t seed)
{
	struct signer signer;
	uint8_t public_key[KEY_LEN];

	memset(signer.seed, seed, KEY_LEN);
	assert_int_equal(key_public(public_key, signer.seed), 0);
	assert_int_equal(note_key_init(&signer.key, name, public_key), 0);
	return signer;
}

static void sign_body(struct buf *out, const struct signer *signer, const char *body)
{
	uint8_t signature[SIGNATURE_LEN];
	struct checkpoint checkpoint;

	assert_int_equal(checkpoint_parse(&checkpoint, body, strlen(body)), 0);
	assert_int_equal(key_sign(signature, signer->seed, body, strlen(body)), 0);
	assert_int_equal(note_assemble(out, &checkpoint, &signer->key, signature), 0);
}

static void note_round_trip_and_every_flipped_bit(void **state)
{
	struct signer signer = signer_named(ORIGIN, 5), other = signer_named(ORIGIN, 6);
	struct checkpoint checkpoint = {.size = 0};
	struct buf out;

	(void)state;
	buf_init(&out, NOTE_MAX);
	sign_body(&out, &signer, BODY);
	assert_int_equal(note_open(&checkpoint, &signer.key, (char *)out.data, out.len), 0);
	assert_int_equal(checkpoint.size, 20852163);
	assert_int_equal(note_open(&checkpoint, &other.key, (char *)out.data, out.len), -ENOKEY);
	for (size_t i = 0; i < out.len; i++) {
		out.data[i] ^= 1;
		assert_true(note_open(&checkpoint, &signer.key, (char *)out.data, out.len) < 0);
		out.data[i] ^= 1;
	}
	for (size_t cut = 0; cut < out.len; cut++)
		assert_true(note_open(&checkpoint, &signer.key, (char *)out.data, cut) < 0);
	buf_fini(&out);
}

static void wrong_signature_is_told_apart(void **state)
{
	struct signer signer = signer_named(ORIGIN, 5);
	struct checkpoint checkpoint = {.size = 3};
	struct buf out;

	(void)state;
	buf_init(&out, NOTE_MAX);
	sign_body(&out, &signer, BODY);
	out.data[strlen(ORIGIN) + 1] = '3'; /* size 30852163 */
	assert_int_equal(
	    note_open(&checkpoint, &signer.key, (char *)out.data, out.len), -EKEYREJECTED);
	assert_int_equal(checkpoint.size, 3);
	buf_fini(&out);
}

static void key_speaks_for_its_own_origin_only(void **state)
{
	struct signer signer = signer_named("other.example", 5);
	struct checkpoint checkpoint;
	struct buf out;

	(void)state;
	buf_init(&out, NOTE_MAX);
	sign_body(&out, &signer, BODY);
	assert_int_equal(note_open(&checkpoint, &signer.key, (char *)out.data, out.len), -EBADMSG);
	buf_fini(&out);
}

/* Opens the good note with `more` appended. */
static int open_with(const char *more)
{
	struct signer signer = signer_named(ORIGIN, 5);
	struct checkpoint checkpoint;
	struct buf out;
	int r;

	buf_init(&out, 4096);
	sign_body(&out, &signer, BODY);
	buf_text(&out, more);
	r = note_open(&checkpoint, &signer.key, (char *)out.data, out.len);
	buf_fini(&out);
	return r;
}

static void further_lines_must_be_signatures(void **state)
{
	struct buf many;

	(void)state;
	assert_int_equal(open_with(DASH "witness.example/w1 AAAAAAA=\n"), 0);
	assert_int_equal(open_with(DASH ORIGIN " AAAAAAA=\n"), 0); /* same name, another key */
	assert_int_equal(open_with("\n"), -EBADMSG);
	assert_int_equal(open_with("text\n"), -EBADMSG);
	assert_int_equal(open_with(DASH "w AAAAAAA="), -EBADMSG);
	assert_int_equal(open_with(DASH "w AAAAAAA=\r\n"), -EBADMSG);
	assert_int_equal(open_with(DASH "w AAAA\n"), -EBADMSG);     /* shorter than a key id */
	assert_int_equal(open_with(DASH "w AAAAAA==\n"), -EBADMSG); /* an id, nothing behind it */
	assert_int_equal(open_with(DASH "w AAAAAAB=\n"), -EBADMSG); /* unused bits */
	assert_int_equal(open_with(DASH "w  AAAAAAA=\n"), -EBADMSG);
	assert_int_equal(open_with(DASH " AAAAAAA=\n"), -EBADMSG);
	assert_int_equal(open_with("- w AAAAAAA=\n"), -EBADMSG);
	buf_init(&many, 4096);
	for (int i = 0; i < 15; i++)
		buf_text(&many, DASH "w AAAAAAA=\n");
	assert_int_equal(open_with(buf_cstr(&many)), 0); /* 16 in all */
	buf_text(&many, DASH "w AAAAAAA=\n");
	assert_int_equal(open_with(buf_cstr(&many)), -EBADMSG);
	buf_fini(&many);
}

static void own_line_twice_is_malformed(void **state)
{
	struct signer signer = signer_named(ORIGIN, 5);
	struct buf out;
	const char *line;

	(void)state;
	buf_init(&out, NOTE_MAX);
	sign_body(&out, &signer, BODY);
	line = strstr(buf_cstr(&out), DASH);
	assert_non_null(line);
	assert_int_equal(open_with(line), -EBADMSG);
	buf_fini(&out);
}

static void giant_note_is_malformed(void **state)
{
	struct signer signer = signer_named(ORIGIN, 5);
	static char note[NOTE_MAX + 1];
	struct checkpoint checkpoint;

	(void)state;
	memset(note, '\n', sizeof(note));
	assert_int_equal(note_open(&checkpoint, &signer.key, note, sizeof(note)), -EBADMSG);
	assert_int_equal(note_open(&checkpoint, &signer.key, note, NOTE_MAX), -EBADMSG);
	assert_int_equal(note_open(&checkpoint, &signer.key, "", 0), -EBADMSG);
}

static void pin_round_trip(void **state)
{
	static const char *const bad[] = {
	    "",
	    "callgate-pin v2\nvkey " SPEC_VKEY "\n",
	    "callgate-pin v1\nvkey " SPEC_VKEY,
	    "callgate-pin v1\nvkey " SPEC_VKEY "\n\n",
	    "callgate-pin v1\nvkey  " SPEC_VKEY "\n",
	    "callgate-pin v1\r\nvkey " SPEC_VKEY "\n",
	    "callgate-pin v1\nvkey \n",
	    "callgate-pin v1\n",
	};
	struct note_key key, back;
	struct buf out;

	(void)state;
	assert_int_equal(note_key_parse(&key, SPEC_VKEY), 0);
	buf_init(&out, 256);
	pin_text(&out, &key);
	assert_string_equal(buf_cstr(&out), "callgate-pin v1\nvkey " SPEC_VKEY "\n");
	assert_int_equal(pin_parse(&back, (char *)out.data, out.len), 0);
	assert_memory_equal(back.id, key.id, 4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pin_parse(&back, bad[i], strlen(bad[i])), -EBADMSG);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(published_keys_parse_and_print),
	    cmocka_unit_test(published_signatures_verify),
	    cmocka_unit_test(published_signature_is_made_again),
	    cmocka_unit_test(bad_keys_are_refused),
	    cmocka_unit_test(checkpoint_example_comes_back),
	    cmocka_unit_test(checkpoints_have_one_form),
	    cmocka_unit_test(note_round_trip_and_every_flipped_bit),
	    cmocka_unit_test(wrong_signature_is_told_apart),
	    cmocka_unit_test(key_speaks_for_its_own_origin_only),
	    cmocka_unit_test(further_lines_must_be_signatures),
	    cmocka_unit_test(own_line_twice_is_malformed),
	    cmocka_unit_test(giant_note_is_malformed),
	    cmocka_unit_test(pin_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
