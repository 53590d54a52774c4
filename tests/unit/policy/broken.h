/* Broken policy files and exactly what is said of each: the tables are in test_refusals*.c. */
#ifndef CALLGATE_TESTS_POLICY_BROKEN_H
#define CALLGATE_TESTS_POLICY_BROKEN_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/load.h"

struct broken {
	const char *text;
	const char *message;
};

#define ROWS(array) (array), sizeof(array) / sizeof((array)[0])

#define LATER       "this part of callgate is not built yet in this version; remove it"

static inline int load(const char *text, struct policy **ret_policy, struct err_note *note)
{
	static char *const environment[] = {"SECRET=topsecret", "NAME=x", "UID=1000", "LEVEL=debug",
	    "EMPTY=", "YAML={a: b}", "AGAIN=${NAME}", "CONTROL=a\001b", "FALSE=false",
	    "KEY=0123456789topsecret0123456789abcd", "SHORT=0123456789topsecret0123456789a",
	    "HUGE=99999999999999999999", NULL};
	static char *const dotenv[] = {"NAME=not this one", "FROM_FILE=f", NULL};
	const struct policy_source source = {.file = "p.yaml",
	    .text = text,
	    .len = strlen(text),
	    .env = environment,
	    .dotenv = dotenv};

	return policy_load(&source, ret_policy, NULL, note);
}

static inline void check_broken(const struct broken *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct policy *policy = NULL;
		struct err_note note = {""};
		int fault = load(rows[i].text, &policy, &note);

		if (fault != -EINVAL)
			fail_msg("%s: %d", rows[i].text, fault);
		assert_string_equal(note.text, rows[i].message);
		assert_null(policy);
	}
}

/* Each message has its place, its key, why, and what to do; no value of a variable. */
static inline void check_broken_form(const struct broken *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned line, column;
		int used = 0;

		assert_int_equal(
		    sscanf(rows[i].message, "p.yaml:%u:%u: %n", &line, &column, &used), 2);
		assert_true(line > 0 && column > 0 && used > 0);
		assert_non_null(strstr(rows[i].message + used, ": "));
		assert_non_null(strstr(rows[i].message + used, "; "));
		assert_null(strstr(rows[i].message, "topsecret"));
	}
}

#endif
