#include "supervisor/warden/options.h"

#include <getopt.h>
#include <stddef.h>

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"state", required_argument, NULL, 's'},
    {"check", no_argument, NULL, 'k'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

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
	*ret = options;
	return wish;
}

const char *options_help(void)
{
	return "usage: callgated --config FILE [--state DIR] [--check]\n"
	       "\n"
	       "The daemon between agents and the machine. Stays in the foreground.\n"
	       "\n"
	       "  --config FILE  the policy file\n"
	       "  --state DIR    keys, journal and lock; default $CALLGATE_HOME, else\n"
	       "                 /var/lib/callgate (root) or $XDG_STATE_HOME/callgate\n"
	       "  --check        load and check the policy and its places, then exit\n"
	       "  --help, --version\n"
	       "\n"
	       "SIGHUP reloads the policy; SIGTERM ends running calls and stops.\n"
	       "See callgated(8).\n";
}
