/*
 * Changes of a call for people: a line for each, and the contents of text files as a unified diff.
 * Whatever a terminal could act upon is escaped; colour is only for a terminal. Floor 4.
 */
#ifndef CALLGATE_CONTROL_DIFF_H
#define CALLGATE_CONTROL_DIFF_H

#include <jansson.h>
#include <stdbool.h>

struct diff_style {
	bool colour;
};

/* One of "changes" of callgate/effects/get, on a line. */
void diff_print_change(const json_t *change, struct diff_style style);
/* The answer of callgate/effects/look: lines that went and came, with three around them, of what
 * was removed all of it; where a link led; what is no text, or too long, is said to be so. */
void diff_print(const json_t *look, struct diff_style style);

#endif
