/*
 * How this front serves: what MESSAGE_SITE said, read once into a form that can be asked. Nothing
 * of it is guessed: a list that cannot be read refuses the whole. Floor 3; no I/O but the mapping
 * of the TLS files' sealed memory.
 */
#ifndef CALLGATE_WEB_SITE_H
#define CALLGATE_WEB_SITE_H

#include "agent-api/http/address.h"
#include "agent-api/http/tls.h"
#include "supervisor/base/err.h"
#include "supervisor/link/message.h"

struct site {
	struct message message;          /* owned: what the pointers below point into */
	const struct message_site *said; /* of it */
	struct http_networks proxies;    /* the lists of these three are owned */
	bool local_proxies;              /* whoever comes by the Unix path is a proxy, too */
	struct http_networks allowed;
	struct http_networks auth_allowed;
	struct http_text url_host; /* of said->url; empty: not said */
	struct http_tls *tls;      /* owned; NULL: plain */
};

/* Takes the message's content where it succeeds, which is empty then; *ret is released by
 * site_free(). 0; -EINVAL with note; -ENOMEM; -errno with note. */
int site_new(struct message *message, struct site **ret, struct err_note *note);
void site_free(struct site *site); /* accepts NULL */

/* Whether text is one of the list, to the byte. */
bool site_lists(const struct strv *list, struct http_text text);
/* The same in any case of ASCII letters. */
bool site_lists_any_case(const struct strv *list, struct http_text text);

/* The host of "host", "host:port", "[v6]", "[v6]:port", without brackets and port; *ret_port is
 * empty where none is said. false: not written so. */
bool site_split_host(struct http_text text, struct http_text *ret_host, struct http_text *ret_port);

#endif
