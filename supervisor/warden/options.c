#include "supervisor/warden/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"state", required_argument, NULL, 's'},
    {"check", no_argument, NULL, 'k'},
    {"auth-jwks-url", required_argument, NULL, 'u'},
    {"auth-issuer", required_argument, NULL, 'i'},
    {"auth-audience", required_argument, NULL, 'a'},
    {"no-auth-required", no_argument, NULL, 'n'},
    {"studio", no_argument, NULL, 't'},
    {"studio-roles", required_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

/* False: no option of these. */
static bool take_override(struct policy_overrides *overrides, int letter)
{
	switch (letter) {
	case 'u': overrides->jwks_url = optarg; return true;
	case 'i': overrides->issuer = optarg; return true;
	case 'a': overrides->audience = optarg; return true;
	case 'n': overrides->no_auth_required = true; return true;
	case 't': overrides->studio = true; return true;
	case 'r': overrides->studio_roles = optarg; return true;
	default: return false;
	}
}

/* A token is judged by who signed it, who issued it and for whom: all three or none. */
static int check_overrides(const struct policy_overrides *overrides, struct err_note *note)
{
	const struct {
		const char *name;
		const char *value;
	} parts[] = {
	    {"--auth-jwks-url", overrides->jwks_url},
	    {"--auth-issuer", overrides->issuer},
	    {"--auth-audience", overrides->audience},
	};
	bool any = overrides->jwks_url || overrides->issuer || overrides->audience;

	for (size_t i = 0; any && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!parts[i].value || !parts[i].value[0])
			return err_note(note, -EINVAL,
			    "%s is missing or empty, and without it no token can be judged; give "
			    "--auth-jwks-url, --auth-issuer and --auth-audience, or none of them",
			    parts[i].name);
	if (overrides->studio_roles && !overrides->studio_roles[0])
		return err_note(
		    note, -EINVAL, "--studio-roles is empty; name a role, as in operator,admin");
	return 0;
}

enum options_wish options_parse(struct options *ret, int argc, char **argv, struct err_note *note)
{
	struct options options = {0};
	enum options_wish wish = OPTIONS_RUN;
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		switch (letter) {
		case 'c': options.config = optarg; break;
		case 's': options.state = optarg; break;
		case 'k': wish = OPTIONS_CHECK; break;
		case 'h': return OPTIONS_HELP;
		case 'v': return OPTIONS_VERSION;
		case ':':
			(void)err_note(note, 0, "%s: a value is missing; see callgated --help",
			    argv[optind - 1]);
			return OPTIONS_WRONG;
		default:
			if (take_override(&options.overrides, letter))
				break;
			(void)err_note(
			    note, 0, "%s: no such option; see callgated --help", argv[optind - 1]);
			return OPTIONS_WRONG;
		}
	}
	if (optind < argc) {
		(void)err_note(
		    note, 0, "%s: takes no such argument; see callgated --help", argv[optind]);
		return OPTIONS_WRONG;
	}
	if (!options.config || !options.config[0]) {
		(void)err_note(note, 0, "no policy file was named; add --config FILE");
		return OPTIONS_WRONG;
	}
	if (check_overrides(&options.overrides, note))
		return OPTIONS_WRONG;
	*ret = options;
	return wish;
}

const char *options_help(void)
{
	return "usage: callgated --config FILE [--state DIR] [--check] [options]\n"
	       "\n"
	       "The daemon between agents and the machine. Stays in the foreground.\n"
	       "\n"
	       "  --config FILE  the policy file\n"
	       "  --state DIR    keys, journal and lock; default $CALLGATE_HOME, else\n"
	       "                 /var/lib/callgate (root) or $XDG_STATE_HOME/callgate\n"
	       "  --check        load and check the policy and its places, then exit\n"
	       "\n"
	       "Above what the policy's server: section says:\n"
	       "  --auth-jwks-url URL, --auth-issuer ISSUER, --auth-audience AUDIENCE\n"
	       "                 judge tokens by these; all three or none\n"
	       "  --no-auth-required\n"
	       "                 let in requests that show no credential\n"
	       "  --studio       let the policy be edited over HTTP\n"
	       "  --studio-roles ROLE[,ROLE...]\n"
	       "                 by whom; default operator\n"
	       "\n"
	       "  --help, --version\n"
	       "\n"
	       "SIGHUP reloads the policy; SIGTERM ends running calls and stops.\n"
	       "See callgated(8).\n";
}
