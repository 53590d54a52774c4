/* Broken tools: what they are, templates, schemas, variables, rules and tests. */
#ifndef CALLGATE_TESTS_POLICY_BROKEN_TOOL_H
#define CALLGATE_TESTS_POLICY_BROKEN_TOOL_H

#include "tests/unit/policy/broken.h"

static const struct broken broken_tool[] = {
    {"tools: {t: {}}", "p.yaml:1:12: tools.t: has no type; write type: command or function"},
    {"tools: {t: {type: shell}}",
	"p.yaml:1:19: tools.t.type: 'shell' is not one of its values; choose from "
	"command, function"},
    {"tools: {t: {type: fucntion}}",
	"p.yaml:1:19: tools.t.type: 'fucntion' is not one of its values; choose from "
	"command, function"},
    {"tools: {t: {type: [command]}}", "p.yaml:1:19: tools.t.type: is a list; write text"},
    {"tools: {t: {type: function}}",
	"p.yaml:1:12: tools.t: is a function without handler; write handler: "
	"text_editor"},
    {"tools: {t: {type: function, handler: text_edit}}",
	"p.yaml:1:38: tools.t.handler: 'text_edit' is not a handler; did you mean "
	"text_editor?"},
    {"tools: {t: {type: function, handler: web_request}}",
	"p.yaml:1:38: tools.t.handler: 'web_request' is not a handler; choose "
	"text_editor or grep_search"},
    {"tools: {t: {type: function, handler: \"${SECRET}\"}}",
	"p.yaml:1:38: tools.t.handler: the value of ${SECRET} is not a handler; "
	"choose text_editor or grep_search"},
    {"tools: {t: {type: function, handler: [text_editor]}}",
	"p.yaml:1:38: tools.t.handler: is a list; write text"},
    {"tools: {t: {type: command, handler: text_editor}}",
	"p.yaml:1:28: tools.t.handler: belongs to a function tool; write type: "
	"function, or remove it"},
    {"tools: {t: {type: command, exec: {program: git}, handler: text_editor}}",
	"p.yaml:1:50: tools.t.handler: has no meaning beside exec, which runs one "
	"program; remove one of them"},
    {"tools: {t: {type: function, handler: text_editor, exec: {program: git}}}",
	"p.yaml:1:51: tools.t.exec: has no meaning for a function tool; remove it"},
    {"tools: {t: {type: function, handler: text_editor, parameters: {type: object}}}",
	"p.yaml:1:51: tools.t.parameters: has no meaning for a function tool; remove "
	"it"},
    {"tools: {t: {type: function, handler: text_editor, allowed_commands: [ls]}}",
	"p.yaml:1:51: tools.t.allowed_commands: has no meaning for a function tool; "
	"remove it"},
    {"tools: {t: {type: function, handler: text_editor, denied_commands: [ls]}}",
	"p.yaml:1:51: tools.t.denied_commands: has no meaning for a function tool; "
	"remove it"},
    {"tools: {t: {type: function, handler: text_editor, deny_by_default: true}}",
	"p.yaml:1:51: tools.t.deny_by_default: has no meaning for a function tool; "
	"remove it"},
    {"tools: {t: {type: function, handler: text_editor, helpers: [/bin/x]}}",
	"p.yaml:1:51: tools.t.helpers: has no meaning for a function tool; remove it"},
    {"tools: {t: {type: function, handler: text_editor, packs: [git]}}",
	"p.yaml:1:51: tools.t.packs: has no meaning for a function tool; remove it"},
    {"tools: {t: {type: function, handler: text_editor, multicall: true}}",
	"p.yaml:1:51: tools.t.multicall: has no meaning for a function tool; remove "
	"it"},
    {"tools: {t: {type: function, handler: text_editor, stdin: true}}",
	"p.yaml:1:51: tools.t.stdin: has no meaning for a function tool; remove it"},
    {"tools: {t: {type: function, handler: text_editor, output_schema: {type: "
     "object}}}",
	"p.yaml:1:51: tools.t.output_schema: has no meaning for a function tool; "
	"remove it"},
    {"tools: {t: {type: function, handler: text_editor, sandbox: {callgate: true}}}",
	"p.yaml:1:61: tools.t.sandbox.callgate: has no meaning for a function tool; "
	"remove it"},
    {"tools: {t: {type: command, parameters: {type: object}}}",
	"p.yaml:1:28: tools.t.parameters: needs exec, which says what parameters "
	"become; add it, or remove this"},
    {"tools: {t: {type: command, exec: {program: git}, allowed_commands: [git]}}",
	"p.yaml:1:50: tools.t.allowed_commands: has no meaning beside exec, which "
	"runs one program; remove one of them"},
    {"tools: {t: {type: command, exec: {program: git}, denied_commands: [git]}}",
	"p.yaml:1:50: tools.t.denied_commands: has no meaning beside exec, which "
	"runs one program; remove one of them"},
    {"tools: {t: {type: command, exec: {program: git}, deny_by_default: false}}",
	"p.yaml:1:50: tools.t.deny_by_default: has no meaning beside exec, which "
	"runs one program; remove one of them"},
    {"tools: {t: {type: command, exec: {}}}",
	"p.yaml:1:34: tools.t.exec: has no program; name what runs"},
    {"tools: {t: {type: command, exec: [git]}}",
	"p.yaml:1:34: tools.t.exec: is not a mapping; write key: value"},
    {"tools: {t: {type: command, exec: {program: git push}}}",
	"p.yaml:1:44: tools.t.exec.program: 'git push' holds a blank; name one "
	"program, arguments are not matched here"},
    {"tools: {t: {type: command, exec: {program: ./x}}}",
	"p.yaml:1:44: tools.t.exec.program: './x' is a relative or unclean path; "
	"write a name or an absolute path without .."},
    {"tools: {t: {type: command, exec: {program: \"{a}\"}}}",
	"p.yaml:1:44: tools.t.exec.program: '{a}' is not a program's name; write it "
	"plainly, globs are not matched here"},
    {"tools: {t: {type: command, exec: {program: git, args: [a]}}}",
	"p.yaml:1:49: tools.t.exec.args: unknown key; did you mean argv?"},
    {"tools: {t: {type: command, parameters: {type: array}, exec: {program: git}}}",
	"p.yaml:1:40: tools.t.parameters: is not the schema of an object; write "
	"type: object at its top"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {anyOf: "
     "[{type: string, format: workspace-path}]}}}, exec: {program: git}}}",
	"p.yaml:1:40: tools.t.parameters: says format: workspace-path where paths are not "
	"looked for; write it in a parameter itself or in the items of one"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {$ref: "
     "\"#/$defs/p\"}}, $defs: {p: {type: string, format: workspace-path}}}, exec: "
     "{program: git}}}",
	"p.yaml:1:40: tools.t.parameters: says format: workspace-path where paths are not "
	"looked for; write it in a parameter itself or in the items of one"},
    {"tools: {t: {type: command, parameters: {properties: {}}, exec: {program: git}}}",
	"p.yaml:1:40: tools.t.parameters: is not the schema of an object; write "
	"type: object at its top"},
    {"tools: {t: {type: command, parameters: {type: [object, array]}, exec: "
     "{program: git}}}",
	"p.yaml:1:40: tools.t.parameters: is not the schema of an object; write "
	"type: object at its top"},
    {"tools: {t: {type: command, parameters: 1, exec: {program: git}}}",
	"p.yaml:1:40: tools.t.parameters: is no JSON Schema; write a mapping such as "
	"{type: string}"},
    {"tools: {t: {type: command, parameters: true, exec: {program: git}}}",
	"p.yaml:1:40: tools.t.parameters: is no JSON Schema; write a mapping such as "
	"{type: string}"},
    {"tools: {t: {type: command, parameters: {type: objekt}, exec: {program: git}}}",
	"p.yaml:1:47: tools.t.parameters.type: not a type; write null, boolean, "
	"object, array, number, integer or string"},
    {"tools: {t: {type: command, parameters: {type: object, propertis: {}}, exec: "
     "{program: git}}}",
	"p.yaml:1:66: tools.t.parameters.propertis: unknown keyword; "
	"callgate.yaml(5) lists those that are checked, and a name that begins with "
	"x- is a remark"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string, pattern: \"(\"}}}, exec: {program: git}}}",
	"p.yaml:1:95: tools.t.parameters.properties.a.pattern: not a pattern that "
	"can be read: byte 1: ( without ); a parenthesis itself is \\("},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {allOf: "
     "[{type: string}, {minLength: -1}]}}}, exec: {program: git}}}",
	"p.yaml:1:108: tools.t.parameters.properties.a.allOf[1].minLength: not a "
	"count; write a whole number, 0 or more"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {$ref: "
     "\"https://example.org/x\"}}}, exec: {program: git}}}",
	"p.yaml:1:78: tools.t.parameters.properties.a.$ref: "
	"\"https://example.org/x\": not in this schema; only # and #/ are followed, "
	"as in #/$defs/name"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {$ref: "
     "\"#/$defs/x\"}}}, exec: {program: git}}}",
	"p.yaml:1:78: tools.t.parameters.properties.a.$ref: \"#/$defs/x\": no schema "
	"is there; as in #/$defs/name"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: string, "
     "default: 5}}}, exec: {program: git}}}",
	"p.yaml:1:95: tools.t.parameters.properties.a.default: must be a string, "
	"and is 5; change it, or the schema it stands in"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {enum: [x, y], "
     "default: z}}}, exec: {program: git}}}",
	"p.yaml:1:95: tools.t.parameters.properties.a.default: must be one of "
	"\"x\", \"y\"; change it, or the schema it stands in"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {$ref: "
     "'#/$defs/n', default: -1}}, $defs: {n: {minimum: 0}}}, exec: {program: git}}}",
	"p.yaml:1:100: tools.t.parameters.properties.a.default: must be at least "
	"0, and is -1; change it, or the schema it stands in"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {l: {type: array, "
     "items: {type: string}, default: [x, 7]}}}, exec: {program: git}}}",
	"p.yaml:1:121: tools.t.parameters.properties.l.default[1]: must be a "
	"string, and is 7; change it, or the schema it stands in"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {o: {type: object, "
     "required: [k], default: {}}}}, exec: {program: git}}}",
	"p.yaml:1:110: tools.t.parameters.properties.o.default: lacks the "
	"property \"k\"; change it, or the schema it stands in"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {pattern: ^x, "
     "default: \"${SECRET}\"}}}, exec: {program: git}}}",
	"p.yaml:1:94: tools.t.parameters.properties.a.default: does not meet the "
	"schema it stands in; change one of them"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: "
     "{maximum: 0x10}}}, exec: {program: git}}}",
	"p.yaml:1:81: tools.t.parameters.properties.a.maximum: '0x10' is a number to "
	"some readers only; write a plain decimal, or quotes"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: "
     "{maximum: 010}}}, exec: {program: git}}}",
	"p.yaml:1:81: tools.t.parameters.properties.a.maximum: '010' is a number to "
	"some readers only; write a plain decimal, or quotes"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: "
     "{maximum: .inf}}}, exec: {program: git}}}",
	"p.yaml:1:81: tools.t.parameters.properties.a.maximum: '.inf' is a number to "
	"some readers only; write a plain decimal, or quotes"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: "
     "{maximum: 99999999999999999999}}}, exec: {program: git}}}",
	"p.yaml:1:81: tools.t.parameters.properties.a.maximum: "
	"'99999999999999999999' is too large a whole number; write 1e19 and the like with an "
	"exponent, or in quotes if it is text"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: "
     "{maximum: 1e999}}}, exec: {program: git}}}",
	"p.yaml:1:81: tools.t.parameters.properties.a.maximum: '1e999' is too large "
	"a number; write one up to 1.7e308, or in quotes if it is text"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {const: "
     "\"${NOPE}\"}}}, exec: {program: git}}}",
	"p.yaml:1:79: tools.t.parameters.properties.a.const: ${NOPE} is not set; set "
	"it in the environment or in .env"},
    {"tools:\n  t:\n    type: command\n    exec: {program: git}\n    parameters:\n   "
     "   type: object\n      properties:\n        a: {type: integer, maximum: "
     "${HUGE}}\n",
	"p.yaml:8:38: yaml: did not find expected ',' or '}' while parsing a flow "
	"mapping; correct the YAML at this place"},
    {"tools:\n  t:\n    type: command\n    exec: {program: git}\n    parameters:\n   "
     "   type: object\n      properties:\n        a:\n          maximum: ${HUGE}\n",
	"p.yaml:9:20: tools.t.parameters.properties.a.maximum: the value of ${HUGE} "
	"is too large a whole number; write 1e19 and the like with an exponent, or in quotes if "
	"it is text"},
    {"tools: {t: {type: command, output_schema: []}}",
	"p.yaml:1:43: tools.t.output_schema: is no JSON Schema; write a mapping such "
	"as {type: string}"},
    {"tools: {t: {type: command, output_schema: {type: nothing}}}",
	"p.yaml:1:50: tools.t.output_schema.type: not a type; write null, boolean, "
	"object, array, number, integer or string"},
    {"tools: {t: {type: command, stdin: maybe}}",
	"p.yaml:1:35: tools.t.stdin: 'maybe' is not what a tool reads; write true, "
	"false or \"{parameter}\""},
    {"tools: {t: {type: command, stdin: 1}}",
	"p.yaml:1:35: tools.t.stdin: '1' is not what a tool reads; write true, false "
	"or \"{parameter}\""},
    {"tools: {t: {type: command, stdin: \"{command}\"}}",
	"p.yaml:1:35: tools.t.stdin: names a parameter, which needs exec; write true "
	"or false"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: []}, stdin: \"{x}\"}}",
	"p.yaml:1:278: tools.t.stdin: there is no parameter 'x'; the tool has a, l, "
	"o, b, n, d"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: []}, stdin: \"{l}\"}}",
	"p.yaml:1:278: tools.t.stdin: 'l' is not a text; give it type: string"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: []}, stdin: \"{a\"}}",
	"p.yaml:1:278: tools.t.stdin: '{a' is not what a tool reads; write true, "
	"false or \"{parameter}\""},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: []}, stdin: [a]}}",
	"p.yaml:1:278: tools.t.stdin: is a list; write true, false or \"{parameter}\""},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: []}, stdin: }}",
	"p.yaml:1:278: tools.t.stdin: is empty; write true, false or \"{parameter}\" "
	"or remove the key"},
    {"tools: {t: {type: command, packs: git}}",
	"p.yaml:1:35: tools.t.packs: is not a list; write [one, two]"},
    {"tools: {t: {type: command, packs: [\"git*\"]}}",
	"p.yaml:1:36: tools.t.packs[0]: 'git*' is not a name; use 1 to 255 letters, "
	"digits, _ and -"},
    {"tools: {t: {type: command, packs: [fnid]}}",
	"p.yaml:1:36: tools.t.packs[0]: there is no pack 'fnid'; callgate.yaml(5) "
	"lists them"},
    {"tools: {t: {type: command, packs: [nonesuch]}}",
	"p.yaml:1:36: tools.t.packs[0]: there is no pack 'nonesuch'; "
	"callgate.yaml(5) lists them"},
    {"tools: {t: {type: command, packs: [find, find, find, find, find, find, find, "
     "find, find, find, find, find, find, find, find, find, find, find, find, find, "
     "find, find, find, find, find, find, find, find, find, find, find, find, find]}}",
	"p.yaml:1:35: tools.t.packs: has more than 32 entries; shorten it"},
    {"tools: {t: {type: command, output: json}}",
	"p.yaml:1:36: tools.t.output: 'json' is not one of its values; choose from text, "
	"content"},
    {"tools: {t: {type: function, handler: text_editor, output: content}}",
	"p.yaml:1:51: tools.t.output: has no meaning for a function tool; remove it"},
    {"tools: {t: {type: function, handler: text_editor, elicit: true}}",
	"p.yaml:1:51: tools.t.elicit: has no meaning for a function tool; remove it"},
    {"tools: {t: {type: command, elicit: true}}",
	"p.yaml:1:28: tools.t.elicit: needs the gate through which the tool asks; write "
	"sandbox: {callgate: true}, or remove this"},
    {"tools: {t: {type: command, multicall: 1}}",
	"p.yaml:1:39: tools.t.multicall: '1' is not a truth value; write true or "
	"false"},
    {"tools: {t: {type: command, annotations: []}}",
	"p.yaml:1:41: tools.t.annotations: is not a mapping; write key: value"},
    {"tools: {t: {type: command, annotations: {readonly: true}}}",
	"p.yaml:1:42: tools.t.annotations.readonly: unknown key; did you mean "
	"read_only?"},
    {"tools: {t: {type: command, annotations: {read_only: 1}}}",
	"p.yaml:1:53: tools.t.annotations.read_only: '1' is not a truth value; write "
	"true or false"},
    {"tools: {t: {type: command, annotations: {title: 1}}}",
	"p.yaml:1:49: tools.t.annotations.title: is a number, not text; put it in "
	"quotes"},
    {"tools: {t: {type: command, annotations: {read_only: true, destructive: true}}}",
	"p.yaml:1:41: tools.t.annotations: says read_only and destructive, which "
	"exclude each other; keep one"},
};

static const struct broken broken_template[] = {
    {"tools: {t: {type: command, exec: {argv: [a]}}}",
	"p.yaml:1:34: tools.t.exec: has no program; name what runs"},
    {"tools: {t: {type: command, exec: {program: git, argv: push}}}",
	"p.yaml:1:55: tools.t.exec.argv: is not a list; write [push, \"{branch}\"]"},
    {"tools: {t: {type: command, exec: {program: git, argv: [1]}}}",
	"p.yaml:1:56: tools.t.exec.argv[0]: is a number, not text; put it in quotes"},
    {"tools: {t: {type: command, exec: {program: git, argv: [\"\"]}}}",
	"p.yaml:1:56: tools.t.exec.argv[0]: is empty; write text or remove the key"},
    {"tools: {t: {type: command, exec: {program: git, argv: [[a]]}}}",
	"p.yaml:1:56: tools.t.exec.argv[0]: is no element; write text, {each: p}, "
	"{value: text, dash: true} or {if: p, then: text}"},
    {"tools: {t: {type: command, exec: {program: git, argv: [true]}}}",
	"p.yaml:1:56: tools.t.exec.argv[0]: is true or false, not text; put it in "
	"quotes"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{x}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: there is no parameter 'x'; the tool has a, "
	"l, o, b, n, d"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{aa}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: there is no parameter 'aa'; the tool has "
	"a, l, o, b, n, d"},
    {"tools: {t: {type: command, exec: {program: git, argv: [\"{x}\"]}}}",
	"p.yaml:1:56: tools.t.exec.argv: there is no parameter 'x'; the tool has no "
	"parameter"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{a\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: '{a' has a brace without its pair or an "
	"empty name; write {parameter}, or {{ and }} for the signs"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"a}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: 'a}' has a brace without its pair or an "
	"empty name; write {parameter}, or {{ and }} for the signs"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: '{}' has a brace without its pair or an "
	"empty name; write {parameter}, or {{ and }} for the signs"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{{a}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: '{{a}' has a brace without its pair or an "
	"empty name; write {parameter}, or {{ and }} for the signs"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{a{b}}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: '{a{b}}' has a brace without its pair or "
	"an empty name; write {parameter}, or {{ and }} for the signs"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"--x={a}{\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: '--x={a}{' has a brace without its pair or "
	"an empty name; write {parameter}, or {{ and }} for the signs"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{b}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: 'b' may be absent; require it, give it a "
	"default, or write {if: b, then: ...}"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{n}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: 'n' may be null; write {if: n, then: ...}"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{l}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: 'l' may be an array, and an element is one "
	"argument; write {each: l}"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [\"{o}\"]}}}",
	"p.yaml:1:267: tools.t.exec.argv: 'o' may be an object, which is no "
	"argument; take texts and numbers"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{each: a}]}}}",
	"p.yaml:1:267: tools.t.exec.argv: 'a' is not an array; give it type: array, "
	"or write \"{a}\""},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{each: x}]}}}",
	"p.yaml:1:267: tools.t.exec.argv: there is no parameter 'x'; the tool has a, "
	"l, o, b, n, d"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{each: d}]}}}",
	"p.yaml:1:267: tools.t.exec.argv: 'd' is not an array; give it type: array, "
	"or write \"{d}\""},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{if: x, then: y}]}}}",
	"p.yaml:1:281: tools.t.exec.argv: there is no parameter 'x'; the tool has a, "
	"l, o, b, n, d"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{if: b}]}}}",
	"p.yaml:1:267: tools.t.exec.argv[0]: is no element; write text, {each: p}, "
	"{value: text, dash: true} or {if: p, then: text}"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{then: y}]}}}",
	"p.yaml:1:267: tools.t.exec.argv[0]: is no element; write text, {each: p}, "
	"{value: text, dash: true} or {if: p, then: text}"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{if: a, then: {if: b, then: x}}]}}}",
	"p.yaml:1:281: tools.t.exec.argv[0].then: is an if within an if; write two "
	"elements"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{if: b, then: \"{x}\"}]}}}",
	"p.yaml:1:281: tools.t.exec.argv: there is no parameter 'x'; the tool has a, "
	"l, o, b, n, d"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{if: a, then: \"{b}\"}]}}}",
	"p.yaml:1:281: tools.t.exec.argv: 'b' may be absent; require it, give it a "
	"default, or write {if: b, then: ...}"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{if: a, then: x, dash: true}]}}}",
	"p.yaml:1:267: tools.t.exec.argv[0]: is no element; write text, {each: p}, "
	"{value: text, dash: true} or {if: p, then: text}"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{each: l, value: a}]}}}",
	"p.yaml:1:267: tools.t.exec.argv[0]: is no element; write text, {each: p}, "
	"{value: text, dash: true} or {if: p, then: text}"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{value: \"{a}\", dash: yes}]}}}",
	"p.yaml:1:288: tools.t.exec.argv[0].dash: 'yes' is not a truth value; write "
	"true or false"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{vlaue: \"{a}\"}]}}}",
	"p.yaml:1:268: tools.t.exec.argv[0].vlaue: unknown key; did you mean value?"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{dash: true}]}}}",
	"p.yaml:1:267: tools.t.exec.argv[0]: is no element; write text, {each: p}, "
	"{value: text, dash: true} or {if: p, then: text}"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{if: \"{a}\", then: x}]}}}",
	"p.yaml:1:272: tools.t.exec.argv[0].if: '{a}' cannot name a parameter; use "
	"up to 127 bytes without { and }"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{each: 1}]}}}",
	"p.yaml:1:274: tools.t.exec.argv[0].each: is a number, not text; put it in "
	"quotes"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: [{if: a, then: []}]}}}",
	"p.yaml:1:281: tools.t.exec.argv[0].then: adds nothing; name elements, or "
	"remove the if"},
};

static const struct broken broken_env[] = {
    {"tools: {t: {type: function, handler: text_editor, env: {A: b}}}",
	"p.yaml:1:51: tools.t.env: has no meaning for a function tool; remove it"},
    {"tools: {t: {type: command, env: [A]}}",
	"p.yaml:1:33: tools.t.env: is not a mapping; write {NAME: text}"},
    {"tools: {t: {type: command, env: {PATH: /bin}}}",
	"p.yaml:1:34: tools.t.env.PATH: 'PATH' is callgate's to set, or changes how "
	"programs are loaded; remove it"},
    {"tools: {t: {type: command, env: {HOME: /}}}",
	"p.yaml:1:34: tools.t.env.HOME: 'HOME' is callgate's to set, or changes how "
	"programs are loaded; remove it"},
    {"tools: {t: {type: command, env: {LD_PRELOAD: x}}}",
	"p.yaml:1:34: tools.t.env.LD_PRELOAD: 'LD_PRELOAD' is callgate's to set, or "
	"changes how programs are loaded; remove it"},
    {"tools: {t: {type: command, env: {CALLGATE_SOCKET: x}}}",
	"p.yaml:1:34: tools.t.env.CALLGATE_SOCKET: 'CALLGATE_SOCKET' is callgate's "
	"to set, or changes how programs are loaded; remove it"},
    {"tools: {t: {type: command, env: {a-b: x}}}",
	"p.yaml:1:34: tools.t.env.a-b: 'a-b' is not a variable's name; use letters, "
	"digits and _, no digit first"},
    {"tools: {t: {type: command, env: {1A: x}}}",
	"p.yaml:1:34: tools.t.env.1A: '1A' is not a variable's name; use letters, "
	"digits and _, no digit first"},
    {"tools: {t: {type: command, env: {A: 1}}}",
	"p.yaml:1:37: tools.t.env.A: is a number, not text; put it in quotes"},
    {"tools: {t: {type: command, env: {A: [x]}}}",
	"p.yaml:1:37: tools.t.env.A: is a list; write text"},
    {"tools: {t: {type: command, env: {A: \"${SECRET}\"}}}",
	"p.yaml:1:37: tools.t.env.A: would write a variable's value into the policy; "
	"write {api_key_env: NAME}, or use single quotes"},
    {"tools: {t: {type: command, env: {A: \"x-${SECRET}\"}}}",
	"p.yaml:1:37: tools.t.env.A: would write a variable's value into the policy; "
	"write {api_key_env: NAME}, or use single quotes"},
    {"tools: {t: {type: command, env: {A: }}}",
	"p.yaml:1:37: tools.t.env.A: is empty; write text or remove the key"},
    {"tools: {t: {type: command, env: {A: {}}}}",
	"p.yaml:1:37: tools.t.env.A: says nothing; write {api_key_env: NAME}, or a "
	"text"},
    {"tools: {t: {type: command, env: {A: {vault: X}}}}",
	"p.yaml:1:38: tools.t.env.A.vault: this part of callgate is not built yet in "
	"this version; remove it"},
    {"tools: {t: {type: command, env: {A: {api_key_env: a b}}}}",
	"p.yaml:1:51: tools.t.env.A.api_key_env: 'a b' is not a variable's name; use "
	"letters, digits and _, no digit first"},
    {"tools: {t: {type: command, env: {A: {api_key_evn: X}}}}",
	"p.yaml:1:38: tools.t.env.A.api_key_evn: unknown key; did you mean "
	"api_key_env?"},
    {"tools: {t: {type: command, env: {A: {api_key_env: 7}}}}",
	"p.yaml:1:51: tools.t.env.A.api_key_env: is a number, not text; put it in "
	"quotes"},
};

static const struct broken broken_rules[] = {
    {"tools: {t: {type: command, rules: {id: a}}}",
	"p.yaml:1:35: tools.t.rules: is not a list; write - {key: value}"},
    {"tools: {t: {type: command, rules: [{decision: ask}]}}",
	"p.yaml:1:36: tools.t.rules[0]: has no id; name it, so that a record can "
	"name it"},
    {"tools: {t: {type: command, rules: [{id: a}]}}",
	"p.yaml:1:36: tools.t.rules[0]: decides nothing; write decision: allow, ask "
	"or deny"},
    {"tools: {t: {type: command, rules: [{id: a b, decision: ask}]}}",
	"p.yaml:1:41: tools.t.rules[0].id: 'a b' is not a name; use 1 to 255 "
	"letters, digits, _ and -"},
    {"tools: {t: {type: command, rules: [{id: a, decision: maybe}]}}",
	"p.yaml:1:54: tools.t.rules[0].decision: 'maybe' is not one of its values; "
	"choose from allow, ask, deny"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask}, {id: b, decision: "
     "ask}, {id: a, decision: deny}]}}",
	"p.yaml:1:84: tools.t.rules[2]: the id 'a' is given twice, at line 1 too; "
	"rename one"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, when: [x]}]}}",
	"p.yaml:1:65: tools.t.rules[0].when: is not a mapping; write {parameter: "
	"{const: value}}"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, when: {comand: "
     "{const: x}}}]}}",
	"p.yaml:1:66: tools.t.rules[0].when: there is no parameter 'comand'; did you "
	"mean command?"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, when: {branch: "
     "{const: x}}}]}}",
	"p.yaml:1:66: tools.t.rules[0].when: there is no parameter 'branch'; the "
	"tool has command, argv, stdin, cwd"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, when: {command: "
     "ls}}]}}",
	"p.yaml:1:75: tools.t.rules[0].when.command: is no JSON Schema; write a "
	"mapping such as {type: string}"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, when: {command: "
     "{patern: x}}}]}}",
	"p.yaml:1:84: tools.t.rules[0].when.command.patern: unknown keyword; "
	"callgate.yaml(5) lists those that are checked, and a name that begins with "
	"x- is a remark"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, when: {command: "
     "{pattern: \"[\"}}}]}}",
	"p.yaml:1:85: tools.t.rules[0].when.command.pattern: not a pattern that can "
	"be read: byte 1: [ without ]; a bracket itself is \\["},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: []}, rules: [{id: a, decision: ask, when: "
     "{command: {const: x}}}]}}",
	"p.yaml:1:309: tools.t.rules[0].when: there is no parameter 'command'; the "
	"tool has a, l, o, b, n, d"},
    {"tools: {t: {type: function, handler: text_editor, rules: [{id: a, decision: "
     "ask, when: {pth: {const: x}}}]}}",
	"p.yaml:1:89: tools.t.rules[0].when: there is no parameter 'pth'; did you "
	"mean path?"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, roles: [nobody]}]}}",
	"p.yaml:1:67: tools.t.rules[0].roles[0]: there is no role 'nobody'; define "
	"it under roles: or remove it"},
    {"roles: {developer: {}}\ntools: {t: {type: command, rules: [{id: a, decision: "
     "ask, roles: [develper]}]}}",
	"p.yaml:2:67: tools.t.rules[0].roles[0]: there is no role 'develper'; did "
	"you mean developer?"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, reason: 5}]}}",
	"p.yaml:1:67: tools.t.rules[0].reason: is a number, not text; put it in "
	"quotes"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, because: x}]}}",
	"p.yaml:1:59: tools.t.rules[0].because: unknown key; remove it, "
	"callgate.yaml(5) lists the keys"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, when: {p0: {}, p1: "
     "{}, p2: {}, p3: {}, p4: {}, p5: {}, p6: {}, p7: {}, p8: {}, p9: {}, p10: {}, "
     "p11: {}, p12: {}, p13: {}, p14: {}, p15: {}, p16: {}, p17: {}, p18: {}, p19: "
     "{}, p20: {}, p21: {}, p22: {}, p23: {}, p24: {}, p25: {}, p26: {}, p27: {}, "
     "p28: {}, p29: {}, p30: {}, p31: {}, p32: {}}}]}}",
	"p.yaml:1:65: tools.t.rules[0].when: has more than 32 parameters; remove some"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask, roles: dev}]}}",
	"p.yaml:1:66: tools.t.rules[0].roles: is not a list; write [one, two]"},
    {"tools: {t: {type: command, rules: [a]}}",
	"p.yaml:1:36: tools.t.rules[0]: is not a mapping; write key: value"},
    {"tools: {t: {type: command, tests: {args: {}}}}",
	"p.yaml:1:35: tools.t.tests: is not a list; write - {key: value}"},
    {"tools: {t: {type: command, tests: [{expect: ask}]}}",
	"p.yaml:1:36: tools.t.tests[0]: has no args; give the arguments of a call"},
    {"tools: {t: {type: command, tests: [{args: {}}]}}",
	"p.yaml:1:36: tools.t.tests[0]: expects nothing; write expect: allow, ask, "
	"deny or invalid"},
    {"tools: {t: {type: command, tests: [{args: {}, expect: maybe}]}}",
	"p.yaml:1:55: tools.t.tests[0].expect: 'maybe' is not one of its values; "
	"choose from allow, ask, deny, invalid"},
    {"tools: {t: {type: command, tests: [{args: [ls], expect: ask}]}}",
	"p.yaml:1:43: tools.t.tests[0].args: is not a mapping; write {parameter: "
	"value}"},
    {"tools: {t: {type: command, tests: [{args: {comand: ls}, expect: ask}]}}",
	"p.yaml:1:36: tools.t.tests[0].args: there is no parameter 'comand'; did you "
	"mean command?"},
    {"tools: {t: {type: command, tests: [{args: {x: 010}, expect: ask}]}}",
	"p.yaml:1:47: tools.t.tests[0].args.x: '010' is a number to some readers "
	"only; write a plain decimal, or quotes"},
    {"tools: {t: {type: command, tests: [{args: {command: ls}, expect: ask, rule: "
     "nope}]}}",
	"p.yaml:1:36: tools.t.tests[0].rule: there is no rule 'nope' in this tool; "
	"name one by its id"},
    {"tools: {t: {type: command, packs: [git], tests: [{args: {command: ls}, expect: ask, "
     "rule: nope}]}}",
	"p.yaml:1:50: tools.t.tests[0].rule: there is no rule 'nope' in this tool or its "
	"packs; name one by its id"},
    {"tools: {t: {type: command, packs: [sed], tests: [{args: {command: git push}, expect: "
     "ask, rule: push}]}, u: {type: command, packs: [git]}}",
	"p.yaml:1:50: tools.t.tests[0].rule: there is no rule 'push' in this tool or its "
	"packs; name one by its id"},
    {"tools: {t: {type: command, rules: [{id: a, decision: ask}], tests: [{args: {command: ls}, "
     "expect: invalid, rule: a}]}}",
	"p.yaml:1:69: tools.t.tests[0].rule: no rule decides when the arguments are invalid; "
	"remove it"},
    {"tools: {t: {type: command, tests: [{args: {command: ls}, expect: ask, roles: "
     "[nope]}]}}",
	"p.yaml:1:79: tools.t.tests[0].roles[0]: there is no role 'nope'; define it "
	"under roles: or remove it"},
    {"tools: {t: {type: command, tests: [{args: {command: ls}, expect: ask, reason: "
     "x}]}}",
	"p.yaml:1:71: tools.t.tests[0].reason: unknown key; remove it, "
	"callgate.yaml(5) lists the keys"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: []}, tests: [{args: {branch: x}, expect: "
     "ask}]}}",
	"p.yaml:1:279: tools.t.tests[0].args: there is no parameter 'branch'; the "
	"tool has a, l, o, b, n, d"},
};

static const struct broken broken_approval[] = {
    {"tools: {t: {type: command, approval: true}}",
	"p.yaml:1:38: tools.t.approval: is not a mapping; write key: value"},
    {"tools: {t: {type: command, approval: {quorum: 0}}}",
	"p.yaml:1:47: tools.t.approval.quorum: '0' is out of range; choose 1 to 16"},
    {"tools: {t: {type: command, approval: {quorum: 17}}}",
	"p.yaml:1:47: tools.t.approval.quorum: '17' is out of range; choose 1 to 16"},
    {"tools: {t: {type: command, approval: {grants: session}}}",
	"p.yaml:1:47: tools.t.approval.grants: is not a list of grants; write [once, "
	"session]"},
    {"tools: {t: {type: command, approval: {grants: []}}}",
	"p.yaml:1:47: tools.t.approval.grants: is not a list of grants; write [once, "
	"session]"},
    {"tools: {t: {type: command, approval: {grants: [forever]}}}",
	"p.yaml:1:48: tools.t.approval.grants[0]: 'forever' is not one of its "
	"values; choose from once, session, always"},
    {"tools: {t: {type: command, approval: {max_grant_ttl: 0s}}}",
	"p.yaml:1:54: tools.t.approval.max_grant_ttl: '0s' is out of range; choose "
	"1s to 90d"},
    {"tools: {t: {type: command, approval: {max_grant_ttl: 91d}}}",
	"p.yaml:1:54: tools.t.approval.max_grant_ttl: '91d' is out of range; choose "
	"1s to 90d"},
    {"tools: {t: {type: command, approval: {editable: [x]}}}",
	"p.yaml:1:50: tools.t.approval.editable[0]: there is no parameter 'x'; the "
	"tool has command, argv, stdin, cwd"},
    {"tools: {t: {type: command, approval: {editable: [comand]}}}",
	"p.yaml:1:50: tools.t.approval.editable[0]: there is no parameter 'comand'; "
	"did you mean command?"},
    {"tools: {t: {type: command, parameters: {type: object, properties: {a: {type: "
     "string}, l: {type: array, items: {type: string}}, o: {type: object}, b: {type: "
     "boolean}, n: {type: [string, 'null']}, d: {default: x}}, required: [a, l, o, "
     "n]}, exec: {program: git, argv: []}, approval: {editable: [aa]}}}",
	"p.yaml:1:293: tools.t.approval.editable[0]: there is no parameter 'aa'; the "
	"tool has a, l, o, b, n, d"},
    {"tools: {t: {type: command, approval: {editable: true}}}",
	"p.yaml:1:49: tools.t.approval.editable: is not a list; write [one, two]"},
    {"tools: {t: {type: command, approval: {by_client: 1}}}",
	"p.yaml:1:50: tools.t.approval.by_client: '1' is not a truth value; write "
	"true or false"},
    {"tools: {t: {type: command, approval: {reason_required: maybe}}}",
	"p.yaml:1:56: tools.t.approval.reason_required: 'maybe' is not a truth "
	"value; write true or false"},
    {"tools: {t: {type: command, approval: {timeout: 5m}}}",
	"p.yaml:1:39: tools.t.approval.timeout: unknown key; remove it, "
	"callgate.yaml(5) lists the keys"},
    {"tools: {t: {type: command, sandbox: {callgate: 1}}}",
	"p.yaml:1:48: tools.t.sandbox.callgate: '1' is not a truth value; write true "
	"or false"},
};

#endif
