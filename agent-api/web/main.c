/*
 * callgate-front-http: everything that clients of HTTP send is first read here.
 *
 * Descriptors: 3 = link to engine, 4 = listening socket, 5 = link to the warden, which says how to
 * serve before anything is served. CALLGATE_LOG=level,format. Started by callgated; of no use
 * alone.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/web/warm.h"
#include "agent-api/web/web.h"
#include "agent-api/wire/value.h"
#include "sandbox/self.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"

#define FD_ENGINE 3
#define FD_LISTEN 4
#define FD_WARDEN 5
#define FD_SPARE  64 /* descriptors besides the clients' */

static struct web web;

/* Each client is one descriptor. Where the hard limit is lower, fewer are served at once. */
static void raise_descriptor_limit(void)
{
	int fault = fd_allow(WEB_CONNECTIONS_MAX + FD_SPARE);

	if (fault)
		log_warn("descriptor limit stays: %s", strerror(-fault));
}

/* Everything that needs a right which is given up in self_confine(). */
static int start(void)
{
	struct err_note note;
	int r = self_start();

	if (r < 0) {
		log_error("start: %s", strerror(-r));
		return r;
	}
	/* A terminal's ^C is for callgated, which ends its roles in order. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	value_start();
	r = warm_tls(&note);
	if (r < 0) {
		log_error("%s", note.text);
		return r;
	}
	r = web_open(&web, FD_ENGINE, FD_LISTEN, FD_WARDEN);
	if (r < 0) {
		log_error("descriptors 3, 4 and 5: %s; this program is started by callgated",
		    strerror(-r));
		return r;
	}
	r = self_confine(SELF_FRONT_HTTP, NULL, &note);
	if (r < 0)
		log_error("%s", note.text);
	return r;
}

int main(void)
{
	enum web_phase phase;

	log_init_role("front-http");
	if (start() < 0)
		return EXIT_FAILURE;
	phase = web_run(&web);
	web_close(&web);
	return phase == WEB_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
}
