/*
 * The approvals page: three files that travel inside the program (page/, embed.sh). It has no more
 * rights than whoever signs in on it, and uses the public routes only. Floor 3.
 */
#ifndef CALLGATE_WEB_PAGE_H
#define CALLGATE_WEB_PAGE_H

#include <stddef.h>

#include "agent-api/web/routes.h"

struct page_file {
	const char *name;
	const char *text;
	size_t len;
};

/* Generated; the last has name NULL. */
extern const struct page_file page_files[];

route_handler page_html, page_css, page_js;

#endif
