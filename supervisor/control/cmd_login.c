/* login, logout: done by callgate-remote, which has libcurl. */
#include "supervisor/control/command.h"
#include "supervisor/control/remote_program.h"

int cmd_login(struct command_session *session, int argc, char **argv)
{
	return session->over_http ? session->over_http->login(session, argc, argv)
				  : remote_program_become(session, COMMAND_UNREACHABLE);
}

int cmd_logout(struct command_session *session, int argc, char **argv)
{
	return session->over_http ? session->over_http->logout(session, argc, argv)
				  : remote_program_become(session, COMMAND_UNREACHABLE);
}
