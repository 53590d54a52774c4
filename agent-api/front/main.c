/*
 * callgate-front: everything that clients of the Unix socket send is first read here.
 *
 * Descriptors: 3 = link to engine, 4 = listening socket. CALLGATE_LOG=level,format. Started by
 * callgated; of no use alone.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/front/front.h"
#include "agent-api/wire/value.h"
#include "sandbox/self.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"

#define FD_ENGINE 3
#define FD_LISTEN 4
#define FD_SPARE  (FRONT_GATES_MAX + 64) /* descriptors besides the clients' */

static struct front front;

/* Each client is one descriptor, and the usual soft limit is just below what that needs. */
static void raise_descriptor_limit(void)
{
	int fault = fd_allow(FRONT_CONNECTIONS_MAX + FD_SPARE);

	if (fault)
		log_warn("descriptor limit stays: %s", strerror(-fault));
}

/* Everything that needs a right the front gives up in self_confine(). */
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
	r = front_open(&front, FD_ENGINE, FD_LISTEN);
	if (r < 0) {
		log_error(
		    "descriptors 3 and 4: %s; this program is started by callgated", strerror(-r));
		return r;
	}
	r = self_confine(SELF_FRONT, NULL, &note);
	if (r < 0)
		log_error("%s", note.text);
	return r;
}

int main(void)
{
	enum front_phase phase;

	log_init_role("front");
	if (start() < 0)
		return EXIT_FAILURE;
	phase = front_run(&front);
	front_close(&front);
	return phase == FRONT_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
}
