/*
 * The function tools that callgate brings along: for each `handler:` of a policy the program that
 * serves it, the schema of its arguments, and what a client is told about it. Constant data, no
 * allocation, lives for ever. Used by the policy's checks, the engine (schemas, lists) and the
 * warden (program). Floor 1: libc.
 */
#ifndef CALLGATE_POLICY_HANDLERS_H
#define CALLGATE_POLICY_HANDLERS_H

#include <stdbool.h>

struct handler {
	const char *name;    /* as a policy writes it: "text_editor" */
	const char *program; /* its file beside the daemon's other programs */
	const char *title;   /* for people */
	const char *description;
	const char *parameters;    /* JSON text of the schema of the arguments (2020-12) */
	const char *output_schema; /* JSON text; NULL: that of every tool that runs a program */
	/* MCP's annotations */
	bool read_only, destructive, idempotent, open_world;
};

/* NULL for an unknown name. */
const struct handler *handler_find(const char *name);
/* By its number in a frozen policy, from 1; NULL for any other number, 0 among them. */
const struct handler *handler_by_id(unsigned id);
/* The number of handler_by_id(); 0 for NULL and for what is none of these. */
unsigned handler_id(const struct handler *handler);

#endif
