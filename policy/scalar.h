/*
 * What a plain YAML scalar means: the core schema (YAML 1.2.2, 10.3.2), read narrowly. Private to
 * policy/. Pure.
 */
#ifndef CALLGATE_POLICY_SCALAR_H
#define CALLGATE_POLICY_SCALAR_H

enum scalar_type {
	SCALAR_TEXT,
	SCALAR_EMPTY, /* null */
	SCALAR_BOOL,
	SCALAR_NUMBER,
};

/* Of the text of a plain scalar: quoted ones are always text. */
enum scalar_type scalar_type(const char *text);

#endif
