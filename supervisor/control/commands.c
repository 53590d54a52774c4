#include "supervisor/control/commands.h"

#include <stdio.h>
#include <string.h>

const char commands_globals[] =
    "--socket=FILE --url=ANY --cert=FILE --key=FILE --ca=FILE --token-file=FILE --output=FORMAT "
    "--agent=AGENT --namespace=SPACE --help";

static const struct command_row rows[] = {
    {
	"up",
	cmd_up,
	"up [--config FILE] [--state DIR]",
	"start your own daemon in the background",
	"callgate up --config callgate.yaml",
	"",
	"--config=FILE --state=DIR",
	"",
	"on the daemon's machine only, not with --url",
    },
    {
	"status",
	cmd_status,
	"status",
	"is the daemon there, and how is it",
	"callgate status\n"
	"callgate status --output json | jq .calls.running",
	"",
	"",
	"",
	"",
    },
    {
	"down",
	cmd_down,
	"down",
	"let running calls finish, then stop the daemon",
	"callgate down",
	"",
	"",
	"",
	"",
    },
    {
	"reload",
	cmd_reload,
	"reload",
	"read the policy again; a broken one changes nothing",
	"callgate reload",
	"",
	"",
	"",
	"",
    },
    {
	"tools",
	cmd_tools,
	"tools [--agent A] [--namespace N]",
	"the tools you may see",
	"callgate tools\n"
	"callgate tools --agent coder",
	"",
	"",
	"",
	"",
    },
    {
	"agents",
	cmd_agents,
	"agents",
	"the agents you may see",
	"callgate agents",
	"",
	"",
	"",
	"",
    },
    {
	"call",
	cmd_call,
	"call TOOL [key=value | key:=JSON ...] [--json OBJECT] [--agent A] [--namespace N]",
	"one tool call, printing what the tool said",
	"callgate call bash command='git log -1'\n"
	"callgate call grep_search pattern=main context:=2",
	"",
	"--json=ANY",
	"TOOL",
	"",
    },
    {
	"run",
	cmd_run,
	"run [--tool T] [--agent A] [--wait | --no-wait] (-c STRING | -- ARGV...)",
	"run a command through the gate: its input, output and exit status pass through",
	"callgate run -- git status\n"
	"callgate run -c 'ls -l' | wc -l\n"
	"callgate run --tool build -- make <notes.txt",
	"",
	"--tool=TOOL -c=ANY --wait --no-wait",
	"ARGV",
	"over HTTP (--url) nothing streams: standard input is sent whole (text of at most 768\n"
	"KiB), and the output comes at the end, cut at the tool's sandbox.output",
    },
    {
	"mcp",
	cmd_mcp,
	"mcp [--agent A] [--namespace N]",
	"bridge MCP on stdin and stdout to the daemon",
	"claude mcp add box -- callgate --socket $PWD/run/callgate.sock mcp",
	"",
	"",
	"",
	"",
    },
    {
	"pending",
	cmd_pending,
	"pending",
	"what waits for a human",
	"callgate pending",
	"",
	"",
	"",
	"",
    },
    {
	"approve",
	cmd_approve,
	"approve ID [--scope once|session|always] [--reason R] [--key FILE]",
	"allow one waiting call, exactly as it was shown",
	"callgate approve a1b2c3d4\n"
	"callgate approve a1b2c3d4 --scope always --reason 'read only'",
	"",
	"--scope=SCOPE --reason=ANY --key=FILE",
	"APPROVAL",
	"",
    },
    {
	"deny",
	cmd_deny,
	"deny ID [--reason R] [--key FILE]",
	"refuse one waiting call",
	"callgate deny a1b2c3d4 --reason 'not on main'",
	"",
	"--reason=ANY --key=FILE",
	"APPROVAL",
	"",
    },
    {
	"watch",
	cmd_watch,
	"watch [--key FILE]",
	"answer waiting calls here, as they come",
	"callgate watch\n"
	"callgate watch --output json | jq -r .command",
	"",
	"--key=FILE",
	"",
	"",
    },
    {
	"diff",
	cmd_diff,
	"diff [CALL [PATH...]]",
	"what a call has changed in its overlay; without CALL, what is held",
	"callgate diff\n"
	"callgate diff c0198a\n"
	"callgate diff c0198a src",
	"",
	"",
	"CALL",
	"a folder means what is in it, too",
    },
    {
	"commit",
	cmd_commit,
	"commit CALL [PATH...] [--reason R] [--key FILE]",
	"write what a call has changed into the workspace, all of it or some paths",
	"callgate commit c0198a\n"
	"callgate commit c0198a src/main.c docs",
	"",
	"--reason=ANY --key=FILE",
	"CALL",
	"a folder means what is in it, too; nothing is written unless all of it can be",
    },
    {
	"discard",
	cmd_discard,
	"discard CALL",
	"forget what a call has changed in its overlay",
	"callgate discard c0198a",
	"",
	"",
	"CALL",
	"",
    },
    {
	"undo",
	cmd_undo,
	"undo CALL [--reason R] [--key FILE]",
	"take back what was committed of a call",
	"callgate undo c0198a",
	"",
	"--reason=ANY --key=FILE",
	"CALL",
	"",
    },
    {
	"grants",
	cmd_grants,
	"grants\n"
	"grants revoke ID",
	"the session and always answers that are in force; take one back",
	"callgate grants\n"
	"callgate grants revoke g1b2c3d4",
	"revoke",
	"",
	"GRANT",
	"",
    },
    {
	"keys",
	cmd_keys,
	"keys create [--label L] [--tenant T] [--role R]... [--tool G]... [--agent A]... "
	"[--namespace N]... [--permission P]... [--expires 30d]\n"
	"keys list [--tenant T]\n"
	"keys rotate ID\n"
	"keys revoke ID\n"
	"keys create --approver [--name NAME] [--key FILE] [--state DIR]",
	"API keys, good for nothing but what their options name; the key of an approver",
	"callgate keys create --label ci --role developer --tool 'git_*' --expires 30d >ci.key\n"
	"callgate keys list\n"
	"callgate keys create --approver --name anna",
	"create list rotate revoke",
	"--label=ANY --tenant=ANY --role=ANY --tool=TOOL --agent=AGENT --namespace=SPACE "
	"--permission=ANY --expires=ANY --approver --name=ANY --key=FILE --state=DIR",
	"",
	"a list that is not given is empty, and an empty list grants nothing: name each role,\n"
	"tool, agent, namespace and permission. The key alone is on standard output, this once.\n"
	"An approver's key is made on the daemon's machine, not with --url",
    },
    {
	"token",
	cmd_token,
	"token issue --role R... [--tool G]... [--permission P]... [--agent A]... "
	"[--namespace N]... [--calls N] [--ttl 1h]",
	"a token for a short time, good for what its options name, never more than you",
	"callgate token issue --role developer --tool bash --calls 10 --ttl 15m",
	"issue",
	"--tool=TOOL --agent=AGENT --namespace=SPACE --role=ANY --permission=ANY --calls=ANY "
	"--ttl=ANY",
	"",
	"name each role, and each tool or permission: nothing else is granted. Agents and\n"
	"namespaces are your own where none is named. The token alone is on standard output",
    },
    {
	"login",
	cmd_login,
	"login --url URL [--client-id ID] [--scope S]\n"
	"login --status [--url URL]",
	"sign in at a gate elsewhere, with a code that is entered in a browser",
	"callgate login --url https://gate.example:8700\n"
	"callgate login --status",
	"",
	"--client-id=ANY --scope=ANY --status",
	"",
	"the token is kept in $XDG_STATE_HOME/callgate/login, refreshed when it has expired,\n"
	"and never shown",
    },
    {
	"logout",
	cmd_logout,
	"logout --url URL",
	"forget the login at a gate",
	"callgate logout --url https://gate.example:8700",
	"",
	"",
	"",
	"the provider is not told: a token that somebody copied counts until it expires",
    },
    {
	"whoami",
	cmd_whoami,
	"whoami",
	"who you are to the gate, and what that grants",
	"callgate whoami\n"
	"callgate whoami --url https://gate.example:8700",
	"",
	"",
	"",
	"",
    },
    {
	"config",
	cmd_config,
	"config get\n"
	"config check FILE\n"
	"config apply FILE [--version V]",
	"read, judge and replace the policy of a daemon with server.studio",
	"callgate config get >policy.yaml\n"
	"callgate config check policy.yaml",
	"get check apply",
	"--version=ANY",
	"FILE",
	"needs server.studio and a role of server.studio.roles; the server: block stays as it is",
    },
    {
	"audit",
	cmd_audit,
	"audit verify [DIR] [--pin FILE] [--anchor FILE] [--max-age S] [--all-seals] [--semantic]\n"
	"audit tail [-n N] [-f] [DIR]\n"
	"audit prove N [DIR] [--pin FILE]",
	"check, read and prove the audit trail",
	"callgate audit verify\n"
	"callgate audit tail -n 20",
	"verify tail prove",
	"--pin=FILE --anchor=FILE --max-age=ANY --all-seals --semantic -n=ANY -f",
	"DIR",
	"reads a folder of this machine, not with --url",
    },
    {
	"policy",
	cmd_policy,
	"policy check [FILE]\n"
	"policy test [FILE]\n"
	"policy explain [--config FILE] TOOL [key=value ...] [--json OBJECT]\n"
	"policy schema [FILE]\n"
	"policy pack [NAME]",
	"check a policy and run its tests, explain a decision, the schema for editors, the packs",
	"callgate policy check callgate.yaml\n"
	"callgate policy explain bash command='git push'\n"
	"callgate policy schema >callgate.schema.json\n"
	"callgate policy pack git | less",
	"check test explain schema pack",
	"--config=FILE --json=ANY",
	"FILE",
	"with --url explain only, which asks that gate",
    },
    {
	"completion",
	cmd_completion,
	"completion bash|zsh|fish",
	"the completion script of a shell",
	"source <(callgate completion bash)\n"
	"callgate completion fish >~/.config/fish/completions/callgate.fish",
	"bash zsh fish",
	"",
	"SHELL",
	"",
    },
    {
	"help",
	cmd_help,
	"help [COMMAND]",
	"this, or how one command is used",
	"callgate help run",
	"",
	"",
	"COMMAND",
	"",
    },
    {
	"version",
	cmd_version,
	"version",
	"which callgate this is",
	"callgate version",
	"",
	"",
	"",
	"",
    },
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct command_row *commands_all(void)
{
	return rows;
}

const struct command_row *commands_find(const char *name)
{
	for (const struct command_row *row = rows; row->name; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

static int has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list; list += strspn(list, " ")) {
		size_t next = strcspn(list, " ");

		if (next == len && memcmp(list, word, len) == 0)
			return 1;
		list += next;
	}
	return 0;
}

const struct command_row *commands_of(const char *word)
{
	const struct command_row *found = commands_find(word);

	for (const struct command_row *row = rows; !found && row->name; row++)
		if (has_word(row->verbs, word))
			found = row;
	return found;
}

int commands_is_local(const struct command_row *row)
{
	return has_word("up audit help version", row->name);
}

const char *commands_names(char *out, size_t max)
{
	size_t used = 0;

	out[0] = '\0';
	for (const struct command_row *row = rows; row->name; row++) {
		int put = snprintf(out + used, max - used, "%s%s", used ? " " : "", row->name);

		if (put < 0 || (size_t)put >= max - used) {
			out[used] = '\0';
			break;
		}
		used += (size_t)put;
	}
	return out;
}

int commands_has_option(const struct command_row *row, const char *option)
{
	const char *list = row->options;
	size_t len = strlen(option);

	for (; *list; list += strspn(list, " ")) {
		if (strcspn(list, "= ") == len && memcmp(list, option, len) == 0)
			return 1;
		list += strcspn(list, " ");
	}
	return 0;
}
