/*
 * callgate-remote: the command callgate with the way over HTTP. callgate becomes it where --url or
 * CALLGATE_URL says so, and for logins; nobody needs to start it himself.
 */
#include "supervisor/control/login.h"
#include "supervisor/control/program.h"
#include "supervisor/control/transport.h"

int main(int argc, char **argv)
{
	static const struct remote_functions over_http = {
	    .open = transport_open_http,
	    .login = login_run,
	    .logout = logout_run,
	};

	return program_main(argc, argv, &over_http);
}
