/* Broken files: YAML, sections, names, values, variables. */
#ifndef CALLGATE_TESTS_POLICY_BROKEN_FILE_H
#define CALLGATE_TESTS_POLICY_BROKEN_FILE_H

#include "tests/unit/policy/broken.h"

static const struct broken broken_file[] = {
    {"# nothing but a comment", "p.yaml:1:1: policy: the file is empty; write a policy"},
    {"[1, 2]", "p.yaml:1:1: policy: is not a mapping; write key: value"},
    {"hello", "p.yaml:1:1: policy: is not a mapping; write key: value"},
    {"a: [1", "p.yaml:2:1: yaml: did not find expected ',' or ']' while parsing a flow sequence; "
	      "correct the YAML at this place"},
    {"version: 1\n\tlogger: {}",
	"p.yaml:2:1: yaml: a tab stands where YAML wants blanks; indent with blanks"},
    {"roles:\n\ta: {}",
	"p.yaml:2:1: yaml: a tab stands where YAML wants blanks; indent with blanks"},
    {"server: {auth: {enabled: \"true\"}}",
	"p.yaml:1:26: server.auth.enabled: 'true' in quotes is text; write it without them"},
    {"version: 1\nversion: 1", "p.yaml:2:1: version: the key is given twice; keep one"},
    {"version: 3", "p.yaml:1:10: version: is not a version this callgate reads; write version: 1"},
    {"version: [1]",
	"p.yaml:1:10: version: is not a version this callgate reads; write version: 1"},
    {"version: 1\n---\nversion: 1",
	"p.yaml:2:1: policy: a second document; a policy is one document"},
    {"%TAG ! tag:x,2000:\n---\nversion: 1",
	"p.yaml:1:1: policy: a %TAG directive; a policy has no tags, remove it"},
    {"version: &a 1", "p.yaml:1:10: policy: an anchor; anchors are not read, write the value out"},
    {"version: !!int 1", "p.yaml:1:10: policy: a tag; tags are not read, remove it"},
    {"logger: {level: *a}",
	"p.yaml:1:17: logger: an alias; aliases are not read, write the value out"},
    {"{[a]: 1}", "p.yaml:1:2: policy: a key is not text; write keys as plain words"},
    {"\"\": 1", "p.yaml:1:1: policy: a key is empty; name it"},
    {"logger: {level: \"a\\x01\"}", "p.yaml:1:17: logger: a control character; leave it out"},
    {"logger: {level: \"a\\0b\"}", "p.yaml:1:17: logger: a control character; leave it out"},
    {"logger: {level: \xff}",
	"p.yaml:1:17: yaml: invalid leading UTF-8 octet; correct the YAML at this place"},
    {"verison: 1", "p.yaml:1:1: verison: unknown key; did you mean version?"},
    {"zzz: 1", "p.yaml:1:1: zzz: unknown key; remove it, callgate.yaml(5) lists the keys"},
    {"server: []", "p.yaml:1:9: server: is not a mapping; write key: value"},
    {"server:", "p.yaml:1:8: server: is not a mapping; write key: value"},
    {"server: {sokcet: {}}", "p.yaml:1:10: server.sokcet: unknown key; did you mean socket?"},
    {"server: {socket: {mode: 432}}",
	"p.yaml:1:25: server.socket.mode: '432' is not an octal mode; write four octal digits in "
	"quotes, such as \"0660\""},
    {"server: {socket: {mode: \"660\"}}",
	"p.yaml:1:25: server.socket.mode: '660' is not an octal mode; write four octal digits in "
	"quotes, such as \"0660\""},
    {"server: {socket: {mode: 0660x}}",
	"p.yaml:1:25: server.socket.mode: '0660x' is not an octal mode; write four octal digits "
	"in quotes, such as \"0660\""},
    {"server: {socket: {mode: \"0060\"}}",
	"p.yaml:1:25: server.socket.mode: '0060' is no mode for a socket; let the owner read and "
	"write, nobody execute"},
    {"server: {socket: {mode: \"0777\"}}",
	"p.yaml:1:25: server.socket.mode: '0777' is no mode for a socket; let the owner read and "
	"write, nobody execute"},
    {"server: {socket: {path: \"\"}}",
	"p.yaml:1:25: server.socket.path: is empty; write text or remove the key"},
    {"server: {socket: {path: 12}}",
	"p.yaml:1:25: server.socket.path: is a number, not text; put it in quotes"},
    {"server: {socket: {group: [a]}}", "p.yaml:1:26: server.socket.group: is a list; write text"},
    {"audit: {directory: ~}",
	"p.yaml:1:20: audit.directory: is empty; write text or remove the key"},
    {"audit: {enabled: false}",
	"p.yaml:1:9: audit.enabled: unknown key; remove it, callgate.yaml(5) lists the keys"},
    {"approvals: {timeout: 0s}",
	"p.yaml:1:22: approvals.timeout: '0s' is out of range; choose 1s to 7d"},
    {"approvals: {timeout: -5s}",
	"p.yaml:1:22: approvals.timeout: '-5s' is not a time; write a whole number and ms, s, m, "
	"h or d, as in 30s"},
    {"approvals: {timeout: 99999999999999999999s}",
	"p.yaml:1:22: approvals.timeout: '99999999999999999999s' is out of range; choose 1s to 7d"},
    {"approvals: {timeout: 400d}",
	"p.yaml:1:22: approvals.timeout: '400d' is out of range; choose 1s to 7d"},
    {"approvals: {timeout: soon}",
	"p.yaml:1:22: approvals.timeout: 'soon' is not a time; write a whole number and ms, s, "
	"m, h or d, as in 30s"},
    {"approvals: {hold: 60s}",
	"p.yaml:1:19: approvals.hold: '60s' is out of range; choose 100ms to 55s"},
    {"defaults: {decision: maybe}",
	"p.yaml:1:22: defaults.decision: 'maybe' is not one of its values; choose from allow, "
	"ask, deny"},
    {"defaults: {decision: none}",
	"p.yaml:1:22: defaults.decision: 'none' is not one of its values; choose from allow, "
	"ask, deny"},
    {"defaults: {decision: no}",
	"p.yaml:1:22: defaults.decision: 'no' is not one of its values; choose from allow, ask, "
	"deny"},
    {"defaults: {max_execution_time: 2d}",
	"p.yaml:1:32: defaults.max_execution_time: '2d' is out of range; choose 1ms to 1d"},
    {"defaults: {path: [bin]}",
	"p.yaml:1:19: defaults.path[0]: 'bin' is not an absolute directory; write it from / "
	"without . .. : or a last /"},
    {"defaults: {path: [/usr/bin/]}",
	"p.yaml:1:19: defaults.path[0]: '/usr/bin/' is not an absolute directory; write it from "
	"/ without . .. : or a last /"},
    {"defaults: {path: [/usr/../bin]}",
	"p.yaml:1:19: defaults.path[0]: '/usr/../bin' is not an absolute directory; write it "
	"from / without . .. : or a last /"},
    {"defaults: {path: [\"/a:/b\"]}",
	"p.yaml:1:19: defaults.path[0]: '/a:/b' is not an absolute directory; write it from / "
	"without . .. : or a last /"},
    {"defaults: {path: []}", "p.yaml:1:18: defaults.path: has no directory; write at least one"},
    {"defaults: {path: /bin}", "p.yaml:1:18: defaults.path: is not a list; write [one, two]"},
    {"logger: {level: loud}",
	"p.yaml:1:17: logger.level: 'loud' is not one of its values; choose from error, warn, "
	"info, debug"},
    {"logger: {format: xml}",
	"p.yaml:1:18: logger.format: 'xml' is not one of its values; choose from text, json"},
    {"roles: {dev: {tools: [\"a b\"]}}",
	"p.yaml:1:23: roles.dev.tools[0]: 'a b' cannot match a tool; use letters, digits, _ . - "
	"and the globs * and ?"},
    {"roles: {dev: {tools: bash}}",
	"p.yaml:1:22: roles.dev.tools: is not a list; write [one, two]"},
    {"roles: {dev: {permissions: [audit:raed]}}",
	"p.yaml:1:29: roles.dev.permissions[0]: 'audit:raed' is not a permission; did you mean "
	"audit:read?"},
    {"roles: {dev: {permissions: [everything]}}",
	"p.yaml:1:29: roles.dev.permissions[0]: 'everything' is not a permission; "
	"callgate.yaml(5) lists them"},
    {"roles: {dev: {permissions: {a: b}}}",
	"p.yaml:1:28: roles.dev.permissions: is not a list; write [audit:read]"},
    {"roles: {\"a b\": {}}",
	"p.yaml:1:9: roles: 'a b' is not a name; use 1 to 255 letters, digits, _ and -"},
    {"roles: {dev: {}, dev: {}}", "p.yaml:1:18: roles.dev: the key is given twice; keep one"},
    {"roles: [dev]", "p.yaml:1:8: roles: is not a mapping; write name: {key: value}"},
    {"roles: {dev: }", "p.yaml:1:14: roles.dev: is not a mapping; write key: value"},
    {"principals: [{peer_uid: \"1000\"}]",
	"p.yaml:1:25: principals[0].peer_uid: '1000' is not a plain decimal number; write digits "
	"without quotes"},
    {"principals: [{peer_uid: 0x10}]",
	"p.yaml:1:25: principals[0].peer_uid: '0x10' is not a plain decimal number; write digits "
	"without quotes"},
    {"principals: [{peer_uid: 010}]",
	"p.yaml:1:25: principals[0].peer_uid: '010' is not a plain decimal number; write digits "
	"without quotes"},
    {"principals: [{peer_uid: 1e3}]",
	"p.yaml:1:25: principals[0].peer_uid: '1e3' is not a plain decimal number; write digits "
	"without quotes"},
    {"principals: [{peer_uid: -1}]",
	"p.yaml:1:25: principals[0].peer_uid: '-1' is not a plain decimal number; write digits "
	"without quotes"},
    {"principals: [{peer_uid: 4294967295}]",
	"p.yaml:1:25: principals[0].peer_uid: '4294967295' is out of range; choose 0 to "
	"4294967294"},
    {"principals: [{peer_gid: staff}]",
	"p.yaml:1:25: principals[0].peer_gid: 'staff' is not a plain decimal number; write "
	"digits without quotes"},
    {"principals: [{peer_uid: 1, roles: [nope]}]",
	"p.yaml:1:36: principals[0].roles[0]: there is no role 'nope'; define it under roles: or "
	"remove it"},
    {"roles: {developer: {}}\nprincipals: [{peer_uid: 1, roles: [developr]}]",
	"p.yaml:2:36: principals[0].roles[0]: there is no role 'developr'; did you mean "
	"developer?"},
    {"principals: [{peer_uid: 1, agents: [nope]}]",
	"p.yaml:1:37: principals[0].agents[0]: there is no agent 'nope'; define it under agents: "
	"or remove it"},
    {"principals: [{peer_uid: 1, namespaces: [nope]}]",
	"p.yaml:1:41: principals[0].namespaces[0]: there is no namespace 'nope'; define it under "
	"namespaces: or remove it"},
    {"principals: {peer_uid: 1}", "p.yaml:1:13: principals: is not a list; write - {key: value}"},
    {"principals: [1]", "p.yaml:1:14: principals[0]: is not a mapping; write key: value"},
    {"agents: {\"\": {}}", "p.yaml:1:10: agents: a key is empty; name it"},
    {"agents: {coder: {visibility: secret}}",
	"p.yaml:1:30: agents.coder.visibility: 'secret' is not one of its values; choose from "
	"public, internal, private"},
    {"agents: {coder: {tools: [\"*\"]}}",
	"p.yaml:1:26: agents.coder.tools[0]: '*' is not a tool's name; use 1 to 64 letters, "
	"digits, _ . and -"},
    {"agents: {a/b: {}}",
	"p.yaml:1:10: agents: 'a/b' is not a name; use 1 to 255 letters, digits, _ and -"},
    {"namespaces: {default: {}}",
	"p.yaml:1:23: namespaces.default: has no directory; give working_directory"},
    {"namespaces: {default: {working_directory: ./w, x: 1}}",
	"p.yaml:1:48: namespaces.default.x: unknown key; remove it, callgate.yaml(5) lists the "
	"keys"},
    {"tools: {bash: {type: command, alowed_commands: [ls]}}",
	"p.yaml:1:31: tools.bash.alowed_commands: unknown key; did you mean allowed_commands?"},
    {"tools: {bash: {type: command, deny_by_default: yes}}",
	"p.yaml:1:48: tools.bash.deny_by_default: 'yes' is not a truth value; write true or false"},
    {"tools: {bash: {type: command, deny_by_default: 1}}",
	"p.yaml:1:48: tools.bash.deny_by_default: '1' is not a truth value; write true or false"},
    {"tools: {bash: {type: command, deny_by_default: \"true\"}}",
	"p.yaml:1:48: tools.bash.deny_by_default: 'true' in quotes is text; write it without them"},
    {"tools: {bash: {type: command, allowed_commands: ls}}",
	"p.yaml:1:49: tools.bash.allowed_commands: is not a list; write [one, two]"},
    {"tools: {bash: {type: command, allowed_commands: [git push]}}",
	"p.yaml:1:50: tools.bash.allowed_commands[0]: 'git push' holds a blank; name one "
	"program, arguments are not matched here"},
    {"tools: {bash: {type: command, allowed_commands: [\"g*\"]}}",
	"p.yaml:1:50: tools.bash.allowed_commands[0]: 'g*' is not a program's name; write it "
	"plainly, globs are not matched here"},
    {"tools: {bash: {type: command, allowed_commands: [./run]}}",
	"p.yaml:1:50: tools.bash.allowed_commands[0]: './run' is a relative or unclean path; "
	"write a name or an absolute path without .."},
    {"tools: {bash: {type: command, allowed_commands: [/usr/bin/../sbin/x]}}",
	"p.yaml:1:50: tools.bash.allowed_commands[0]: '/usr/bin/../sbin/x' is a relative or "
	"unclean path; write a name or an absolute path without .."},
    {"tools: {bash: {type: command, allowed_commands: [true]}}",
	"p.yaml:1:50: tools.bash.allowed_commands[0]: is true or false, not text; put it in "
	"quotes"},
    {"tools: {bash: {type: command, allowed_commands: [7]}}",
	"p.yaml:1:50: tools.bash.allowed_commands[0]: is a number, not text; put it in quotes"},
    {"tools: {bash: {type: command, allowed_commands: [\"\"]}}",
	"p.yaml:1:50: tools.bash.allowed_commands[0]: is empty; write text or remove the key"},
    {"tools: {bash: {type: command, denied_commands: [..]}}",
	"p.yaml:1:49: tools.bash.denied_commands[0]: '..' is a directory; name a program"},
    {"tools: {bash: {type: command, helpers: [git]}}",
	"p.yaml:1:41: tools.bash.helpers[0]: 'git' is not an absolute path; write it from / "
	"without . .. or a last /"},
    {"tools: {bash: {type: command, working_directory: ../x}}",
	"p.yaml:1:50: tools.bash.working_directory: '../x' climbs with ..; a tool's directory "
	"lies below its namespace's"},
    {"tools: {bash: {type: command, working_directory: a/../../x}}",
	"p.yaml:1:50: tools.bash.working_directory: 'a/../../x' climbs with ..; a tool's "
	"directory lies below its namespace's"},
    {"tools: {bash: {type: command, max_execution_time: 0}}",
	"p.yaml:1:51: tools.bash.max_execution_time: '0' is out of range; choose 1ms to 1d"},
    {"tools: {bash: {type: command, max_execution_time: [1]}}",
	"p.yaml:1:51: tools.bash.max_execution_time: is a list; write a time such as 30s"},
    {"tools: {bash: {type: command, visibility: true}}",
	"p.yaml:1:43: tools.bash.visibility: is true or false, not text; put it in quotes"},
    {"tools: {\"a b\": {type: command}}",
	"p.yaml:1:9: tools: 'a b' is not a tool's name; use 1 to 64 letters, digits, _ . and -"},
    {"tools: {bash: {type: command, sandbox: {memory: -1}}}",
	"p.yaml:1:49: tools.bash.sandbox.memory: '-1' is not a size; write a whole number and "
	"KiB, MiB or GiB, as in 64MiB"},
    {"tools: {bash: {type: command, sandbox: {memory: 1KiB}}}",
	"p.yaml:1:49: tools.bash.sandbox.memory: '1KiB' is out of range; choose 4MiB to 65536GiB"},
    {"tools: {bash: {type: command, sandbox: {memory: 99999999999GiB}}}",
	"p.yaml:1:49: tools.bash.sandbox.memory: '99999999999GiB' is out of range; choose 4MiB "
	"to 65536GiB"},
    {"tools: {bash: {type: command, sandbox: {memory: much}}}",
	"p.yaml:1:49: tools.bash.sandbox.memory: 'much' is not a size; write a whole number and "
	"KiB, MiB or GiB, as in 64MiB"},
    {"tools: {bash: {type: command, sandbox: {pids: 0}}}",
	"p.yaml:1:47: tools.bash.sandbox.pids: '0' is out of range; choose 1 to 32768"},
    {"tools: {bash: {type: command, sandbox: {pids: \"5\"}}}",
	"p.yaml:1:47: tools.bash.sandbox.pids: '5' is not a plain decimal number; write digits "
	"without quotes"},
    {"tools: {bash: {type: command, sandbox: {pids: 1.5}}}",
	"p.yaml:1:47: tools.bash.sandbox.pids: '1.5' is not a plain decimal number; write digits "
	"without quotes"},
    {"tools: {bash: {type: command, sandbox: {cpu: 10ms}}}",
	"p.yaml:1:46: tools.bash.sandbox.cpu: '10ms' is out of range; choose 1s to 7d"},
    {"tools: {bash: {type: command, sandbox: {files: 2}}}",
	"p.yaml:1:48: tools.bash.sandbox.files: '2' is out of range; choose 8 to 1048576"},
    {"tools: {bash: {type: command, require_approval: effect}}",
	"p.yaml:1:49: tools.bash.require_approval: 'effect' is not when a human is asked; write "
	"true, false or effects"},
    {"tools: {bash: {type: command, require_approval: effects}}",
	"p.yaml:1:49: tools.bash.require_approval: needs changes that are held until somebody has "
	"answered; write sandbox: {workspace: overlay}, or true to be asked before it runs"},
    {"tools: {bash: {type: command, sandbox: {workspace: rx}}}",
	"p.yaml:1:52: tools.bash.sandbox.workspace: 'rx' is not one of its values; choose from "
	"rw, ro, overlay"},
    {"tools: {bash: {type: command, sandbox: {run_as: root}}}",
	"p.yaml:1:49: tools.bash.sandbox.run_as: 'root' is not one of its values; choose from "
	"cell, owner"},
    {"tools: {bash: {type: command, sandbox: {require: []}}}",
	"p.yaml:1:50: tools.bash.sandbox.require: requires no wall; name walls, or remove it for "
	"the default"},
    {"tools: {bash: {type: command, sandbox: {require: none}}}",
	"p.yaml:1:50: tools.bash.sandbox.require: 'none' is not a list of walls; write all or a "
	"list"},
    {"tools: {bash: {type: command, sandbox: {require: [landlok]}}}",
	"p.yaml:1:51: tools.bash.sandbox.require[0]: 'landlok' is not a wall of the sandbox; "
	"callgate.yaml(5) lists them"},
    {"tools: {bash: {type: command, sandbox: {network: []}}}",
	"p.yaml:1:41: tools.bash.sandbox.network: " LATER},
    {"tools: {bash: {type: command, sandbox: {rootfs: x}}}",
	"p.yaml:1:41: tools.bash.sandbox.rootfs: " LATER},
    {"tools: {bash: {type: command, sandbox: {pin: x}}}",
	"p.yaml:1:41: tools.bash.sandbox.pin: " LATER},
    {"tools: {bash: {type: command, sandbox: {sockets: x}}}",
	"p.yaml:1:41: tools.bash.sandbox.sockets: " LATER},
    {"tools: {bash: {type: command, sandbox: {inject: x}}}",
	"p.yaml:1:41: tools.bash.sandbox.inject: " LATER},
    {"tools: {bash: {type: command, sandbox: {exec: maybe}}}",
	"p.yaml:1:47: tools.bash.sandbox.exec: 'maybe' is not a truth value; write true or false"},
    {"audit: {directory: \"${NOT_SET}\"}",
	"p.yaml:1:20: audit.directory: ${NOT_SET} is not set; set it in the environment or in "
	".env"},
    {"audit: {directory: \"${}\"}",
	"p.yaml:1:20: audit.directory: ${ without a variable's name and }; write ${NAME}, or use "
	"single quotes"},
    {"audit: {directory: \"${A-B}\"}",
	"p.yaml:1:20: audit.directory: ${ without a variable's name and }; write ${NAME}, or use "
	"single quotes"},
    {"audit: {directory: \"${A\"}",
	"p.yaml:1:20: audit.directory: ${ without a variable's name and }; write ${NAME}, or use "
	"single quotes"},
    {"logger: {level: \"${SECRET}\"}",
	"p.yaml:1:17: logger.level: the value of ${SECRET} is not one of its values; choose from "
	"error, warn, info, debug"},
    {"tools: {\"${NAME}\": {type: command}}",
	"p.yaml:1:9: tools: '${NAME}' is not a tool's name; use 1 to 64 letters, digits, _ . and "
	"-"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]",
	"p.yaml:1:25: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: "
	"nested deeper than 24 levels; flatten it"},
    {"roles: {dev: {tools: [\"${NAME} y\"]}}",
	"p.yaml:1:23: roles.dev.tools[0]: '${NAME} y' cannot match a tool; use letters, digits, "
	"_ . - and the globs * and ?"},
    {"principals: [{peer_uid: 1, roles: [\"${SECRET}\"]}]",
	"p.yaml:1:36: principals[0].roles[0]: there is no role '${...}'; define it under roles: "
	"or remove it"},
    {"audit: {directory: \"${CONTROL}\"}",
	"p.yaml:1:20: audit.directory: the value of ${CONTROL} is not clean text; take out "
	"control characters"},
    {"audit:\n  directory: ${EMPTY}",
	"p.yaml:2:14: audit.directory: the value of ${EMPTY} is empty; write text or remove "
	"the key"},
    {"server: ${YAML}", "p.yaml:1:9: server: is not a mapping; write key: value"},
    {"logger: {level: '${LEVEL}'}",
	"p.yaml:1:17: logger.level: '${LEVEL}' is not one of its values; choose from error, "
	"warn, info, debug"},
    {"principals: [{peer_uid: \"${NAME}\"}]",
	"p.yaml:1:25: principals[0].peer_uid: the value of ${NAME} is not a plain decimal number; "
	"write digits without quotes"},
    {"principals: [{peer_uid: \"${EMPTY}\"}]",
	"p.yaml:1:25: principals[0].peer_uid: the value of ${EMPTY} is not a plain decimal number; "
	"write digits without quotes"},
    {"principals: [{peer_uid: \"1${UID}\"}]",
	"p.yaml:1:25: principals[0].peer_uid: '1${UID}' is not a plain decimal number; write "
	"digits without quotes"},
    {"principals: [{peer_uid: '${UID}'}]",
	"p.yaml:1:25: principals[0].peer_uid: '${UID}' is not a plain decimal number; write "
	"digits without quotes"},
    {"principals: [{peer_uid: \"1000\"}]",
	"p.yaml:1:25: principals[0].peer_uid: '1000' is not a plain decimal number; write "
	"digits without quotes"},
    {"audit:\n  directory: ${UID}",
	"p.yaml:2:14: audit.directory: the value of ${UID} is a number, not text; put it in "
	"quotes"},
};

#endif
