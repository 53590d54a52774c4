/*
 * What the command line of callgated says above the file's server: section. Zero: nothing. All
 * texts are borrowed; NULL is not said. Floor 1.
 */
#ifndef CALLGATE_POLICY_OVERRIDES_H
#define CALLGATE_POLICY_OVERRIDES_H

#include <stdbool.h>

struct policy_overrides {
	const char *jwks_url; /* --auth-jwks-url, with the two below: all three or none */
	const char *issuer;
	const char *audience;
	const char *studio_roles; /* --studio-roles: names, a comma between them */
	bool no_auth_required;
	bool studio;
};

#endif
