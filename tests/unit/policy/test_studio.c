/* A policy text and its server: section, taken apart and put together: what is read decides. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/load.h"
#include "policy/studio.h"

static const char now[] = "# the gate of the house\n"
			  "version: 1\n"
			  "# who comes in\n"
			  "server:  # not the studio's\n"
			  "  port: 8700\n"
			  "  # inside\n"
			  "  auth: {enabled: true}\n"
			  "\n"
			  "# what people do\n"
			  "roles:\n"
			  "  dev: {tools: [t]}\n";
static const char section[] = "server:  # not the studio's\n"
			      "  port: 8700\n"
			      "  # inside\n"
			      "  auth: {enabled: true}\n";

static struct studio_text text_of(const char *file, const char *text)
{
	return (struct studio_text){file, text, strlen(text)};
}

static int merge(const char *file, const char *edited, struct buf *out, struct err_note *note)
{
	const struct studio_text is = text_of("p.yaml", file);
	const struct studio_text shall = text_of("edited", edited);

	note->text[0] = '\0';
	buf_init(out, POLICY_FILE_MAX);
	return studio_merge(&is, &shall, out, note);
}

static void merges(const char *file, const char *edited, const char *expected)
{
	struct err_note note;
	struct buf out;
	int fault = merge(file, edited, &out, &note);

	if (fault)
		fail_msg("%s: %s", edited, note.text);
	assert_string_equal(out.len ? buf_cstr(&out) : "", expected);
	buf_fini(&out);
}

static void refuses(const char *file, const char *edited, int expected, const char *part)
{
	struct err_note note;
	struct buf out;
	int fault = merge(file, edited, &out, &note);

	if (fault != expected || !strstr(note.text, part))
		fail_msg("%s: %d %s", edited, fault, note.text);
	buf_fini(&out);
}

static void shows(const char *file, const char *expected)
{
	const struct studio_text is = text_of("p.yaml", file);
	struct err_note note = {""};
	struct buf out;

	buf_init(&out, POLICY_FILE_MAX);
	if (studio_show(&is, &out, &note))
		fail_msg("%s: %s", file, note.text);
	assert_string_equal(out.len ? buf_cstr(&out) : "", expected);
	buf_fini(&out);
}

static void shows_not(const char *file)
{
	const struct studio_text is = text_of("p.yaml", file);
	struct err_note note = {""};
	struct buf out;

	buf_init(&out, POLICY_FILE_MAX);
	assert_int_equal(studio_show(&is, &out, &note), -EINVAL);
	assert_non_null(strstr(note.text, "p.yaml:"));
	assert_non_null(strstr(note.text, "; "));
	buf_fini(&out);
}

static void test_show(void **state)
{
	(void)state;
	shows(now,
	    "# the gate of the house\nversion: 1\n# who comes in\n\n# what people do\nroles:\n"
	    "  dev: {tools: [t]}\n");
	shows("roles: {}\n", "roles: {}\n");
	shows("{\"roles\": {}}", "{\"roles\": {}}");
	shows("server: {port: 1}\n", "");
	shows("server: {port: 1}", "");
	shows("a: b\nserver: {port: 1}", "a: b\n");
	shows("\"server\": {port: 1}\r\na: b\r\n", "a: b\r\n");
	shows("---\nserver:\n  port: 1\na: b\n...\n", "---\na: b\n...\n");
	shows("server: \"a\n# b\"\na: b\n", "a: b\n");
	shows("a: \"\\\n  server: x\"\nserver: {port: 1}\n", "a: \"\\\n  server: x\"\n");
	shows("? server\n: {port: 1}\na: b\n", "a: b\n");
	shows("a: |\n  server: x\nserver: {port: 1}\n", "a: |\n  server: x\n");
}

static void test_show_refuses(void **state)
{
	(void)state;
	shows_not("{server: {port: 1}, a: b}");
	shows_not("{\nserver: {port: 1}}");
	shows_not("  server: {port: 1}\n  a: b\n");
	shows_not("- server\n");
	shows_not("a: &x 1\n");
	shows_not("");
}

static void test_merge(void **state)
{
	char expected[1024];

	(void)state;
	snprintf(expected, sizeof(expected), "roles: {r: {}}\n%s", section);
	merges(now, "roles: {r: {}}\n", expected);
	merges(now, "roles: {r: {}}", expected);
	snprintf(expected, sizeof(expected), "# mine\n---\nroles: {r: {}}\n\n%s", section);
	merges(now, "# mine\n---\nroles: {r: {}}\n\n", expected);
	snprintf(expected, sizeof(expected),
	    "\"roles\": {\"r\": {\"tools\": [\"a\"]}}\n\"version\": 1\n%s", section);
	merges(now, " {\"roles\":{\"r\":{\"tools\":[\"a\"]}},\n\"version\":1}\n", expected);
	/* Names that are like it. */
	snprintf(expected, sizeof(expected), "Server: 1\nservers: 2\na: server\n# server: x\n%s",
	    section);
	merges(now, "Server: 1\nservers: 2\na: server\n# server: x\n", expected);
	merges("roles: {}\n", "tools: {}", "tools: {}\n");
	merges("roles: {}\n", "{\"tools\": {}}", "{\"tools\": {}}\n");
	/* What it makes can be edited again. */
	merges("roles: {r: {}}\nserver: {port: 1}\n", "a: b", "a: b\nserver: {port: 1}\n");
	merges("server: {port: 1}", "a: |\n  x", "a: |\n  x\nserver: {port: 1}\n");
}

/* However the key is written: what libyaml reads is what counts. */
/* What a variable holds is not the studio's to show. */
static void test_no_new_variables(void **state)
{
	static const char file[] = "server: {key: \"${KEY}\"}\nprincipals:\n  - {uid: \"${UID}\"}\n"
				   "tools: {t: {a: 1}}\n";
	static const char *const texts[] = {
	    "tools: {t: {description: \"${UID}\"}}\n",
	    "tools: {t: {description: \"x ${KEY}\"}}\n",
	    "tools: {t: {key: \"${KEY}\"}}\n",
	    "tools: {t: {description: \"\\x24{KEY}\"}}\n",
	    "tools: [[\"${UID}\"]]\n",
	    "tools:\n  uid: ${UID}x\n",
	    "{\"tools\": {\"d\": \"\\u0024{KEY}\"}}",
	};
	struct err_note note;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_init(&out, 4096);
		note.text[0] = '\0';
		assert_int_equal(merge(file, texts[i], &out, &note), -EINVAL);
		assert_non_null(strstr(note.text, "a variable where the file has none"));
		buf_fini(&out);
	}
	buf_init(&out, 4096);
	assert_int_equal(merge(file,
			     "principals:\n  - {a: 1}\n  - {uid: \"${UID}\"}\n"
			     "tools: {t: {a: '${KEY}'}}\n",
			     &out, &note),
	    0);
	buf_fini(&out);
}

static void test_server_is_found(void **state)
{
	static const char *const texts[] = {"server: {port: 1}\n", "server:\n", "server: ~\n",
	    "a: b\nserver: {}\n", "\"server\": {}\n", "'server': {}\n", "\"s\\x65rver\": {}\n",
	    "\"\\u0073erver\": {}\n", "{server: {}}\n", "{\"server\": {}}",
	    "{\"a\": 1, \"s\\u0065rver\": {}}", "? server\n: {port: 1}\n", "---\nserver: {}\n",
	    "%YAML 1.1\n---\nserver: {}\n", "# x\n\n  server: {}\n", "\xef\xbb\xbfserver: {}\n",
	    "server   : {}\n", "server: {}\n...\n", "\"ser\\\n  ver\": {}\n",
	    "a: {}\n\"serv\\\n\\\ner\": {}\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) - 2; i++)
		refuses(now, texts[i], -EPERM, STUDIO_IMMUTABLE);
	/* A key of two lines is no YAML. */
	for (size_t i = sizeof(texts) / sizeof(texts[0]) - 2; i < sizeof(texts) / sizeof(texts[0]);
	     i++)
		refuses(now, texts[i], -EINVAL, "yaml: ");
	refuses("a: b\n", "server: {}\n", -EPERM, STUDIO_IMMUTABLE);
	refuses(now, "a: b\nserver: {}\n", -EPERM, "edited:2:1: server: ");
}

static void test_what_hides_it(void **state)
{
	(void)state;
	refuses(now, "x: &server {}\n", -EINVAL, "an anchor");
	refuses(now, "? &a server\n: {}\n", -EINVAL, "an anchor");
	refuses(now, "a: 1\n*a : {}\n", -EINVAL, "alias");
	refuses(now, "!!str server: {}\n", -EINVAL, "a tag");
	refuses(now, "a: b\n--- \nserver: {}\n", -EINVAL, "a second document");
	refuses(now, "a: b\n...\n---\nserver: {}\n", -EINVAL, "a second document");
	refuses(now, "a: b\na: c\n", -EINVAL, "given twice");
	refuses(now, "server: {}\nserver: {}\n", -EINVAL, "given twice");
	refuses(now, "[server]", -EINVAL, "not a mapping");
	refuses(now, "server", -EINVAL, "not a mapping");
	refuses(now, "", -EINVAL, "empty");
	refuses(now, "# nothing\n", -EINVAL, "empty");
	refuses(now, "a: \"\001\"\n", -EINVAL, "control");
}

/* Texts after which the section would be something else. */
static void test_does_not_fit(void **state)
{
	(void)state;
	refuses(now, "a: b\n...\n", -EINVAL, "cannot stand after");
	refuses(now, "  a: b\n", -EINVAL, "cannot stand after");
	refuses(now, "\xef\xbb\xbf{\"a\": 1}", -EINVAL, "cannot stand after");
	refuses(now, "{a: b}\n", -EINVAL, "is not JSON");
	refuses(now, "{\"a\": 1}\n# c\n", -EINVAL, "is not JSON");
	refuses("{server: {port: 1}}", "a: b\n", -EINVAL, "not a block of its own");
	refuses("[]", "a: b\n", -EINVAL, "p.yaml:1:1: policy: is not a mapping");
}

/* A merge key brings nothing in: it is an unknown key when the whole is judged. */
static void test_merge_key(void **state)
{
	struct policy *policy = NULL;
	struct policy_source source = {.file = "p.yaml"};
	struct err_note note;
	struct buf out;

	(void)state;
	assert_int_equal(merge("a: b\n", "<<: {server: {port: 1}}\n", &out, &note), 0);
	source.text = (const char *)out.data;
	source.len = out.len;
	assert_int_equal(policy_load(&source, &policy, NULL, &note), -EINVAL);
	assert_non_null(strstr(note.text, "<<: unknown key"));
	buf_fini(&out);
}

/* Whatever is edited, the section that is read afterwards is the file's. */
static void test_random_texts(void **state)
{
	static const char *const pieces[] = {"a: b\n", "server: {}\n", "---\n", "...\n", "  ", "\n",
	    "{", "}", "\"", "'", "|\n", ">", "- ", "? ", ": ", "#", "server", "b: ", "\r\n", "\t",
	    "[", "]", "\xe2\x80\xa8", "\xc2\x85", ",", "%YAML 1.2\n", "\\"};
	uint32_t seed = 7;
	unsigned merged = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char edited[256] = "";
		struct err_note note;
		struct buf out;

		for (int i = 0; i < 6; i++) {
			seed = seed * 1664525u + 1013904223u;
			strcat(edited, pieces[(seed >> 8) % (sizeof(pieces) / sizeof(pieces[0]))]);
		}
		if (!merge(now, edited, &out, &note)) {
			assert_non_null(strstr(buf_cstr(&out), section));
			merged++;
		}
		buf_fini(&out);
	}
	assert_true(merged > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_show),
	    cmocka_unit_test(test_show_refuses),
	    cmocka_unit_test(test_merge),
	    cmocka_unit_test(test_no_new_variables),
	    cmocka_unit_test(test_server_is_found),
	    cmocka_unit_test(test_what_hides_it),
	    cmocka_unit_test(test_does_not_fit),
	    cmocka_unit_test(test_merge_key),
	    cmocka_unit_test(test_random_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
