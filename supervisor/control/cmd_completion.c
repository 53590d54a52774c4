/*
 * completion: scripts for bash, zsh and fish, made from the table of commands. Each holds commands,
 * verbs and options as text; names of tools, agents, approvals and grants are asked of the daemon
 * when they are needed, by `completion words KIND`, which is silent and gives up soon.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/control/client.h"
#include "supervisor/control/commands.h"

#define SCRIPT_MAX      (256 * 1024)
#define WORDS_WAIT_MS   700
#define OPTION_NAME_MAX 64

/* ---- names of the daemon ------------------------------------------------------------------- */

struct source {
	const char *kind;
	const char *method; /* NULL: the tools, which have pages */
	const char *list;
	const char *name;
};

static const struct source sources[] = {
    {"TOOL", NULL, NULL, "name"},
    {"AGENT", "callgate/agents/list", "agents", "name"},
    {"APPROVAL", "callgate/approvals/list", "approvals", "id"},
    {"GRANT", "callgate/grants/list", "grants", "id"},
    {"CALL", "callgate/effects/list", "effects", "id"},
};

static void on_alarm(int number)
{
	(void)number;
	_exit(COMMAND_OK);
}

static int print_words(const struct command_session *session, const char *kind)
{
	const struct itimerval soon = {.it_value = {.tv_usec = WORDS_WAIT_MS * 1000}};
	const struct source *source = NULL;
	json_t *answer = NULL, *list = NULL;
	const json_t *entry;
	size_t i;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (strcmp(sources[i].kind, kind) == 0)
			source = &sources[i];
	if (!source)
		return command_fail(COMMAND_USAGE,
		    "completion: words: %s: TOOL, AGENT, APPROVAL, GRANT or CALL", kind);
	(void)signal(SIGALRM, on_alarm);
	(void)setitimer(ITIMER_REAL, &soon, NULL);
	if (!source->method) {
		(void)client_tools(session, &list);
	} else if (client_once(session, source->method, NULL, &answer) == 0) {
		list = json_incref(json_object_get(answer, source->list));
	}
	json_array_foreach(list, i, entry)
	{
		const char *name = json_string_value(json_object_get(entry, source->name));

		if (name)
			command_print_escaped(name);
		putchar('\n');
	}
	json_decref(list);
	json_decref(answer);
	return COMMAND_OK;
}

/* ---- the table as text --------------------------------------------------------------------- */

/* One option of a list. Returns the place of the next, NULL at the end. */
static const char *next_option(
    const char *list, char name[OPTION_NAME_MAX], char kind[OPTION_NAME_MAX])
{
	size_t len, name_len;

	list += strspn(list, " ");
	len = strcspn(list, " ");
	if (len == 0)
		return NULL;
	name_len = strcspn(list, "= ");
	(void)snprintf(name, OPTION_NAME_MAX, "%.*s", (int)name_len, list);
	kind[0] = 0;
	if (name_len < len)
		(void)snprintf(
		    kind, OPTION_NAME_MAX, "%.*s", (int)(len - name_len - 1), list + name_len + 1);
	return list + len;
}

/* 'text' for a shell: bash and zsh close the quotes around a quote, fish escapes it. */
static void put_quoted(struct buf *out, const char *text, const char *quote)
{
	(void)buf_text(out, "'");
	for (; *text; text++) {
		if (*text == '\'')
			(void)buf_text(out, quote);
		else
			(void)buf_put(out, text, 1);
	}
	(void)buf_text(out, "'");
}

static void put_names(struct buf *out)
{
	for (const struct command_row *row = commands_all(); row->name; row++)
		(void)buf_textf(out, "%s%s", row == commands_all() ? "" : " ", row->name);
}

/* What the shell functions look up: one arm of a `case` for each command. */
static void put_cases(struct buf *out)
{
	for (const struct command_row *row = commands_all(); row->name; row++)
		(void)buf_textf(out, "\t%s) options='%s' verbs='%s' operand='%s' ;;\n", row->name,
		    row->options, row->verbs, row->operand);
}

/* ---- bash ---------------------------------------------------------------------------------- */

static const char bash_before[] =
    "# bash completion for callgate, made by `callgate completion bash`\n"
    "_callgate_row() { # COMMAND: sets options, verbs, operand\n"
    "\toptions='' verbs='' operand=''\n"
    "\tcase $1 in\n";

static const char bash_middle[] =
    "\tesac\n"
    "}\n"
    "_callgate_propose() { # KIND: fills COMPREPLY\n"
    "\tlocal list=''\n"
    "\tcase $1 in\n"
    "\tFILE) compopt -o filenames 2>/dev/null\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "\t\treturn ;;\n"
    "\tDIR) compopt -o filenames 2>/dev/null\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
    "\t\treturn ;;\n"
    "\tFORMAT) list='text json' ;;\n"
    "\tSCOPE) list='once session always' ;;\n"
    "\tSHELL) list='bash zsh fish' ;;\n"
    "\tCOMMAND) list=$commands ;;\n"
    "\tTOOL | AGENT | APPROVAL | GRANT | CALL)\n"
    "\t\tlist=$(\"$program\" \"${claims[@]}\" completion words \"$1\" 2>/dev/null) ;;\n"
    "\tesac\n"
    "\tmapfile -t COMPREPLY < <(compgen -W \"$list\" -- \"$cur\")\n"
    "}\n"
    "_callgate() {\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} option kind=''\n"
    "\tlocal command='' options verbs operand i words=0 argv=0 program=callgate claims=()\n";

static const char bash_after[] =
    "\tCOMPREPLY=()\n"
    "\ttype -P \"${COMP_WORDS[0]}\" >/dev/null && program=${COMP_WORDS[0]}\n"
    "\tif [[ $cur == '=' ]]; then\n"
    "\t\tcur=''\n"
    "\telif [[ $prev == '=' ]]; then\n"
    "\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "\tfi\n"
    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
    "\t\tcase ${COMP_WORDS[i]} in\n"
    "\t\t--) argv=$((i + 1)) && break ;;\n"
    "\t\t--socket | --url | --ca | --cert | --token-file | --agent | --namespace)\n"
    "\t\t\toption=${COMP_WORDS[i++]}\n"
    "\t\t\t[[ ${COMP_WORDS[i]} == '=' ]] && ((i++))\n"
    "\t\t\t((i < COMP_CWORD)) && claims+=(\"$option\" \"${COMP_WORDS[i]}\") ;;\n"
    "\t\t-*) [[ \" $globals $options \" == *\" ${COMP_WORDS[i]}=\"* ]] && ((i++)) ;;\n"
    "\t\t=) ;;\n"
    "\t\t*) if [[ -z $command ]]; then\n"
    "\t\t\t\tcommand=${COMP_WORDS[i]}\n"
    "\t\t\t\t_callgate_row \"$command\"\n"
    "\t\t\telse\n"
    "\t\t\t\t((words++))\n"
    "\t\t\tfi ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "\tif ((argv)); then\n"
    "\t\tif ((argv == COMP_CWORD)); then\n"
    "\t\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
    "\t\telse\n"
    "\t\t\t_callgate_propose FILE\n"
    "\t\tfi\n"
    "\t\treturn\n"
    "\tfi\n"
    "\tfor option in $globals $options; do\n"
    "\t\t[[ $option == \"$prev=\"* ]] && kind=${option#*=}\n"
    "\tdone\n"
    "\tif [[ -n $kind ]]; then\n"
    "\t\t_callgate_propose \"$kind\"\n"
    "\telif [[ $cur == -* ]]; then\n"
    "\t\tmapfile -t COMPREPLY < <(\n"
    "\t\t\tfor option in $globals $options; do compgen -W \"${option%%=*}\" -- \"$cur\"; done)\n"
    "\telif [[ -z $command ]]; then\n"
    "\t\t_callgate_propose COMMAND\n"
    "\telif [[ -n $verbs && $words == 0 ]]; then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$cur\")\n"
    "\telif [[ $operand == ARGV ]]; then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W '--' -- \"$cur\")\n"
    "\telif [[ -n $operand ]]; then\n"
    "\t\t_callgate_propose \"$operand\"\n"
    "\tfi\n"
    "}\n"
    "complete -F _callgate callgate\n";

static void make_bash(struct buf *out)
{
	(void)buf_text(out, bash_before);
	put_cases(out);
	(void)buf_text(out, bash_middle);
	(void)buf_textf(out, "\tlocal globals='%s'\n\tlocal commands='", commands_globals);
	put_names(out);
	(void)buf_text(out, "'\n");
	(void)buf_text(out, bash_after);
}

/* ---- zsh ----------------------------------------------------------------------------------- */

static const char zsh_before[] =
    "#compdef callgate\n"
    "# zsh completion for callgate, made by `callgate completion zsh`\n"
    "_callgate_row() { # COMMAND: sets options, verbs, operand\n"
    "\toptions='' verbs='' operand=''\n"
    "\tcase $1 in\n";

static const char zsh_middle[] =
    "\tesac\n"
    "}\n"
    "_callgate_propose() { # KIND\n"
    "\tcase $1 in\n"
    "\tFILE) _files ;;\n"
    "\tDIR) _files -/ ;;\n"
    "\tFORMAT) compadd -- text json ;;\n"
    "\tSCOPE) compadd -- once session always ;;\n"
    "\tSHELL) compadd -- bash zsh fish ;;\n"
    "\tCOMMAND) _describe command commands ;;\n"
    "\tTOOL | AGENT | APPROVAL | GRANT | CALL)\n"
    "\t\tcompadd -- ${(f)\"$($words[1] $claims completion words $1 2>/dev/null)\"} ;;\n"
    "\tesac\n"
    "}\n"
    "_callgate() {\n"
    "\tlocal command='' options verbs operand kind='' option prev=$words[CURRENT-1] i count=0\n"
    "\tlocal -a commands claims names\n";

static const char zsh_after[] =
    "\tfor ((i = 2; i < CURRENT; i++)); do\n"
    "\t\tcase $words[i] in\n"
    "\t\t--)\n"
    "\t\t\tshift $i words\n"
    "\t\t\t((CURRENT -= i))\n"
    "\t\t\t_normal\n"
    "\t\t\treturn ;;\n"
    "\t\t--socket=* | --url=* | --ca=* | --cert=* | --token-file=* | --agent=* | --namespace=*)\n"
    "\t\t\tclaims+=($words[i]) ;;\n"
    "\t\t--socket | --url | --ca | --cert | --token-file | --agent | --namespace)\n"
    "\t\t\t((i + 1 < CURRENT)) && claims+=($words[i] $words[i+1])\n"
    "\t\t\t((i++)) ;;\n"
    "\t\t-*) [[ \" $globals $options \" == *\" $words[i]=\"* ]] && ((i++)) ;;\n"
    "\t\t*) if [[ -z $command ]]; then\n"
    "\t\t\t\tcommand=$words[i]\n"
    "\t\t\t\t_callgate_row $command\n"
    "\t\t\telse\n"
    "\t\t\t\t((count++))\n"
    "\t\t\tfi ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "\tfor option in ${=globals} ${=options}; do\n"
    "\t\t[[ $option == ${prev}=* ]] && kind=${option#*=}\n"
    "\t\tnames+=(${option%%=*})\n"
    "\tdone\n"
    "\tif [[ -n $kind ]]; then\n"
    "\t\t_callgate_propose $kind\n"
    "\telif [[ $words[CURRENT] == -* ]]; then\n"
    "\t\tcompadd -- $names\n"
    "\telif [[ -z $command ]]; then\n"
    "\t\t_callgate_propose COMMAND\n"
    "\telif [[ -n $verbs && $count == 0 ]]; then\n"
    "\t\tcompadd -- ${=verbs}\n"
    "\telif [[ $operand == ARGV ]]; then\n"
    "\t\tcompadd -- --\n"
    "\telif [[ -n $operand ]]; then\n"
    "\t\t_callgate_propose $operand\n"
    "\tfi\n"
    "}\n"
    "if [[ $funcstack[1] == _callgate ]]; then\n"
    "\t_callgate \"$@\"\n"
    "else\n"
    "\tcompdef _callgate callgate\n"
    "fi\n";

static void make_zsh(struct buf *out)
{
	(void)buf_text(out, zsh_before);
	put_cases(out);
	(void)buf_text(out, zsh_middle);
	(void)buf_textf(out, "\tlocal globals='%s'\n\tcommands=(\n", commands_globals);
	for (const struct command_row *row = commands_all(); row->name; row++) {
		(void)buf_textf(out, "\t\t%s:", row->name);
		put_quoted(out, row->summary, "'\\''");
		(void)buf_text(out, "\n");
	}
	(void)buf_text(out, "\t)\n");
	(void)buf_text(out, zsh_after);
}

/* ---- fish ---------------------------------------------------------------------------------- */

static const struct {
	const char *kind;
	const char *argument; /* of `complete`, for a value of this kind */
} fish_kinds[] = {
    {"FILE", "-r -F"},
    {"DIR", "-x -a '(__fish_complete_directories)'"},
    {"FORMAT", "-x -a 'text json'"},
    {"SCOPE", "-x -a 'once session always'"},
    {"SHELL", "-x -a 'bash zsh fish'"},
    {"TOOL", "-x -a '(__callgate_words TOOL)'"},
    {"AGENT", "-x -a '(__callgate_words AGENT)'"},
    {"APPROVAL", "-x -a '(__callgate_words APPROVAL)'"},
    {"CALL", "-x -a '(__callgate_words CALL)'"},
    {"GRANT", "-x -a '(__callgate_words GRANT)'"},
    {"ARGV", "-x -a '(__fish_complete_subcommand --fcs-skip=2)'"},
};

static const char *fish_argument(const char *kind)
{
	for (size_t i = 0; i < sizeof(fish_kinds) / sizeof(fish_kinds[0]); i++)
		if (strcmp(fish_kinds[i].kind, kind) == 0)
			return fish_kinds[i].argument;
	return "-x";
}

/* condition: "" or "-n '...' " */
static void put_fish_options(struct buf *out, const char *list, const char *condition)
{
	char name[OPTION_NAME_MAX], kind[OPTION_NAME_MAX];

	while ((list = next_option(list, name, kind))) {
		const char *bare = name + strspn(name, "-");

		(void)buf_textf(out, "complete -c callgate %s-%c %s %s\n", condition,
		    name[1] == '-' ? 'l' : 's', bare, *kind ? fish_argument(kind) : "-f");
	}
}

static void put_fish_row(struct buf *out, const struct command_row *row)
{
	char condition[256];

	(void)buf_textf(out, "complete -c callgate -n __fish_use_subcommand -a %s -d ", row->name);
	put_quoted(out, row->summary, "\\'");
	(void)buf_text(out, "\n");
	(void)snprintf(
	    condition, sizeof(condition), "-n '__fish_seen_subcommand_from %s' ", row->name);
	put_fish_options(out, row->options, condition);
	if (*row->verbs)
		(void)buf_textf(out,
		    "complete -c callgate -n '__fish_seen_subcommand_from %s; and not "
		    "__fish_seen_subcommand_from %s' -x -a '%s'\n",
		    row->name, row->verbs, row->verbs);
	else if (strcmp(row->operand, "COMMAND") == 0) {
		(void)buf_textf(out, "complete -c callgate %s-x -a '", condition);
		put_names(out);
		(void)buf_text(out, "'\n");
	}
	if (*row->verbs && *row->operand && strcmp(row->operand, "SHELL") != 0)
		(void)buf_textf(out,
		    "complete -c callgate -n '__fish_seen_subcommand_from %s; and "
		    "__fish_seen_subcommand_from %s' %s\n",
		    row->name, row->verbs, fish_argument(row->operand));
	else if (!*row->verbs && *row->operand && strcmp(row->operand, "COMMAND") != 0)
		(void)buf_textf(
		    out, "complete -c callgate %s%s\n", condition, fish_argument(row->operand));
}

static void make_fish(struct buf *out)
{
	(void)buf_text(out,
	    "# fish completion for callgate, made by `callgate completion fish`\n"
	    "function __callgate_words\n"
	    "\tset -l claims\n"
	    "\tset -l words (commandline -opc)\n"
	    "\tset -l i 2\n"
	    "\twhile test $i -le (count $words)\n"
	    "\t\tswitch $words[$i]\n"
	    "\t\t\tcase --\n"
	    "\t\t\t\tbreak\n"
	    "\t\t\tcase '--socket=*' '--url=*' '--ca=*' '--cert=*' '--token-file=*' "
	    "'--agent=*' '--namespace=*'\n"
	    "\t\t\t\tset -a claims $words[$i]\n"
	    "\t\t\tcase --socket --url --ca --cert --token-file --agent --namespace\n"
	    "\t\t\t\tif test $i -lt (count $words)\n"
	    "\t\t\t\t\tset -a claims $words[$i] $words[(math $i + 1)]\n"
	    "\t\t\t\tend\n"
	    "\t\t\t\tset i (math $i + 1)\n"
	    "\t\tend\n"
	    "\t\tset i (math $i + 1)\n"
	    "\tend\n"
	    "\tcallgate $claims completion words $argv[1] 2>/dev/null\n"
	    "end\n"
	    "complete -c callgate -f\n");
	put_fish_options(out, commands_globals, "");
	for (const struct command_row *row = commands_all(); row->name; row++)
		put_fish_row(out, row);
}

/* ---- the command --------------------------------------------------------------------------- */

static int print_script(
    const struct command_session *session, const char *shell, void (*make)(struct buf *out))
{
	struct buf cleanup_with(buf_fini) script = {0};
	const char *text;
	json_t *document;
	int status;

	buf_init(&script, SCRIPT_MAX);
	make(&script);
	text = buf_cstr(&script);
	if (!text)
		return command_fail(COMMAND_USAGE, "completion: out of memory");
	if (session->output == COMMAND_OUTPUT_TEXT) {
		fputs(text, stdout);
		return COMMAND_OK;
	}
	document = json_pack("{s:s, s:s}", "shell", shell, "script", text);
	status = command_print_json(document);
	json_decref(document);
	return status;
}

int cmd_completion(struct command_session *session, int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*make)(struct buf *out);
	} shells[] = {{"bash", make_bash}, {"zsh", make_zsh}, {"fish", make_fish}};
	int status = command_no_more(argc, argv, 2);

	if (status != 0)
		return status;
	if (argc == 3 && strcmp(argv[1], "words") == 0)
		return print_words(session, argv[2]);
	for (size_t i = 0; argc == 2 && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(argv[1], shells[i].name) == 0)
			return print_script(session, argv[1], shells[i].make);
	if (argc > 1)
		return command_bad_word(argv[0], argv[1], "bash zsh fish");
	return command_fail(COMMAND_USAGE, "completion: for which shell? bash, zsh or fish");
}
