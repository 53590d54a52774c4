/*
 * One question to the outside, from FETCH to FETCHED: the libcurl handle and all that it may do.
 * What is set here holds whatever the server says: no redirect, no proxy, no decoding of contents,
 * no address that reach.h refuses, no answer longer than was asked for. Secrets in URL, headers and
 * body are wiped at the end. Units: milliseconds. Floor 3, courier only: libcurl.
 */
#ifndef CALLGATE_COURIER_TRANSFER_H
#define CALLGATE_COURIER_TRANSFER_H

#include <curl/curl.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"
#include "supervisor/courier/authorities.h"
#include "supervisor/courier/order.h"

#define TRANSFER_CONNECT_MS  10000
#define TRANSFER_HEADERS_MAX (64 * 1024) /* bytes of headers in an answer */

/* Where transfers may go and whom they believe. Lives longer than they do; what is in it may be
 * replaced meanwhile, and holds at once. */
struct outgoing {
	struct reach reach;
	struct authorities *authorities; /* NULL only before the first OUTGOING */
	uint64_t changed_ms; /* monotonic: older connections are not used again; 0: never */
};

struct transfer {
	struct transfer *next;
	uint64_t serial;
	uint64_t due_ms; /* monotonic: total timeout, waiting included */
	const struct outgoing *outgoing;
	struct order order;
	uint16_t method;
	char *url;                  /* owned; wiped */
	struct curl_slist *headers; /* owned; wiped */
	uint8_t *body;              /* owned; wiped */
	size_t body_len;
	CURL *easy; /* NULL until it starts */
	struct buf answer;
	size_t header_bytes;
	struct err_note note; /* why one of our own rules ended it; "" = none did */
	char said[CURL_ERROR_SIZE];
	char words[ORDER_HOST_MAX + ERR_NOTE_MAX + 2]; /* the note of the answer */
};

/* Judges and copies. 0 and *ret; -EINVAL, -ENOMEM with note. */
int transfer_new(struct transfer **ret, const struct message_fetch *fetch, uint64_t serial,
    uint64_t now_ms, struct err_note *note);
/* Makes the handle, not yet added to a multi handle; its private pointer is the transfer. 0,
 * -ETIMEDOUT (due already), -ENOMEM with note. */
int transfer_prepare(struct transfer *transfer, const struct outgoing *outgoing, uint64_t now_ms,
    struct err_note *note);
/* Fills in what became of it: ret borrows from the transfer. */
void transfer_answer(struct transfer *transfer, CURLcode result, struct message_fetched *ret);
/* Accepts NULL. Not while its handle is in a multi handle. */
void transfer_free(struct transfer *transfer);

#endif
