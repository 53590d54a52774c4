/* JSON Schema, as tables. ' stands for " in the JSON of this file. What the suite of the standard
 * covers (make check-schema) is not repeated: here are notes, refusals, bounds and own rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/json_schema.h"
#include "policy/json_schema_regex.h"
#include "policy/json_schema_value.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/err.h"

static json_t *json_of(const char *text)
{
	char cleanup_free *copy = strdup(text);
	json_error_t error;
	json_t *json;

	assert_non_null(copy);
	for (char *at = copy; *at; at++) {
		if (*at == '\'')
			*at = '"';
	}
	json = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%s: %s", text, error.text);
	return json;
}

static struct json_schema *schema_of(const char *text)
{
	struct json_schema *schema = NULL;
	struct err_note note = {""};
	json_t *json = json_of(text);

	if (json_schema_compile(json, &schema, &note) != 0)
		fail_msg("%s: %s", text, note.text);
	json_decref(json); /* the schema owns what it needs */
	return schema;
}

static int check_json(const struct json_schema *schema, json_t *value, struct err_note *note)
{
	int r = json_schema_check(schema, value, "arguments", note);

	json_decref(value);
	return r;
}

/* ---- notes of values ------------------------------------------------------------------------- */

static const struct {
	const char *schema, *value, *note; /* NULL: valid */
} values[] = {
    {"true", "{}", NULL},
    {"{}", "null", NULL},
    {"false", "1", "arguments: may not be given"},
    {"{'type':'object'}", "[]", "arguments: must be an object, and is an array"},
    {"{'type':['string','null']}", "7", "arguments: must be null or a string, and is 7"},
    {"{'type':'boolean'}", "'yes'", "arguments: must be true or false, and is \"yes\""},
    {"{'type':'integer'}", "1.0", NULL},
    {"{'type':'integer'}", "1e300", NULL},
    {"{'type':'integer'}", "1.5", "arguments: must be an integer, and is 1.5"},
    {"{'const':'main'}", "'topic'", "arguments: must be \"main\""},
    {"{'const':{'a':[1,2.0]}}", "{'a':[1.0,2]}", NULL},
    {"{'const':{'a':1}}", "{'a':1,'b':2}", "arguments: must be an object"},
    {"{'const':-9223372036854775808}", "-9223372036854775808.0", NULL},
    {"{'const':9223372036854775807}", "9223372036854775808.0",
	"arguments: must be 9223372036854775807"},
    {"{'const':null}", "null", NULL},
    {"{'const':false}", "0", "arguments: must be false"},
    {"{'enum':['a',2,null]}", "'b'", "arguments: must be one of \"a\", 2, null"},
    {"{'enum':[1]}", "1.0", NULL},
    {"{'enum':[0,1,2,3,4,5,6,7,8,9]}", "10",
	"arguments: must be one of 0, 1, 2, 3, 4, 5, 6, 7, ..."},
    {"{'enum':[true,{},[],null,false]}", "{'a':0}",
	"arguments: must be one of true, an object, an array, null, false"},
    {"{'const':'ab'}", "'abc'", "arguments: must be \"ab\""},
    {"{'const':[1,2]}", "[1,3]", "arguments: must be an array"},
    {"{'type':'boolean'}", "false", NULL},
    {"{'type':'null'}", "{}", "arguments: must be null, and is an object"},
    {"{'enum':['only']}", "1", "arguments: must be \"only\""},
    {"{'minLength':3}", "'\xc3\xa4\xc3\xb6'",
	"arguments: must have at least 3 characters, and has 2"},
    {"{'maxLength':2}", "'\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9'", NULL},
    {"{'maxLength':2.0}", "'abc'", "arguments: must have at most 2 characters, and has 3"},
    {"{'pattern':'^[a-z]+$'}", "'main\\n'", "arguments: does not match the pattern ^[a-z]+$"},
    {"{'pattern':'^[a-z]+$'}", "5", NULL},
    {"{'pattern':'^[a-z]+$'}", "'main'", NULL},
    {"{'minimum':1}", "0.5", "arguments: must be at least 1, and is 0.5"},
    {"{'maximum':9223372036854775807}", "9223372036854775807", NULL},
    {"{'maximum':9223372036854775806}", "9223372036854775807",
	"arguments: must be at most 9223372036854775806, and is 9223372036854775807"},
    {"{'maximum':9007199254740992.0}", "9007199254740993",
	"arguments: must be at most 9.00719925474099e+15, and is 9007199254740993"},
    {"{'minimum':-9223372036854775808}", "-9.3e18",
	"arguments: must be at least -9223372036854775808, and is -9.3e+18"},
    {"{'exclusiveMinimum':0}", "-0.0", "arguments: must be more than 0, and is -0"},
    {"{'exclusiveMaximum':10}", "10.0", "arguments: must be less than 10, and is 10"},
    {"{'multipleOf':0.01}", "19.995", "arguments: must be a multiple of 0.01, and is 19.995"},
    {"{'minItems':2}", "[1]", "arguments: must have at least 2 items, and has 1"},
    {"{'maxItems':0}", "[1]", "arguments: must have at most 0 items, and has 1"},
    {"{'uniqueItems':true}", "[{'a':1,'b':2},3,{'b':2.0,'a':1}]",
	"arguments: must hold each value once, and items 0 and 2 are the same"},
    {"{'uniqueItems':true}", "[1,true,'1',[1],{'1':1},0,false,null,'']", NULL},
    {"{'uniqueItems':true}", "[0,-0.0]",
	"arguments: must hold each value once, and items 0 and 1 are the same"},
    {"{'uniqueItems':true}", "[9007199254740993,9007199254740992.0]", NULL},
    {"{'uniqueItems':false}", "[1,1]", NULL},
    {"{'contains':{'const':1},'maxContains':1}", "[1,1.0]",
	"arguments: must have at most 1 items of the wanted kind (contains), and has 2"},
    {"{'contains':{'const':1}}", "[]",
	"arguments: must have at least 1 items of the wanted kind (contains), and has 0"},
    {"{'contains':{'const':1},'minContains':0}", "[]", NULL},
    {"{'items':{'type':'string'}}", "['a',2]", "arguments[1]: must be a string, and is 2"},
    {"{'prefixItems':[{'type':'string'}],'items':false}", "['a',2]",
	"arguments[1]: may not be given"},
    {"{'required':['branch']}", "{}", "arguments: lacks the property \"branch\""},
    {"{'properties':{'list':{'items':{'properties':{'name':{'type':'string'}}}}}}",
	"{'list':[{},{'name':0}]}", "arguments.list[1].name: must be a string, and is 0"},
    {"{'additionalProperties':false,'properties':{'a':true}}", "{'a':1,'b c':2}",
	"arguments.\"b c\": no such property is known here"},
    {"{'additionalProperties':{'type':'null'},'patternProperties':{'^x':true}}", "{'xa':1,'b':2}",
	"arguments.b: must be null, and is 2"},
    {"{'patternProperties':{'a':{'minimum':1},'b':{'maximum':3}}}", "{'ab':4}",
	"arguments.ab: must be at most 3, and is 4"},
    {"{'properties':{'a':false}}", "{'a':1}", "arguments.a: may not be given"},
    {"{'propertyNames':{'maxLength':2}}", "{'abc':1}",
	"arguments.abc: has a name that is not allowed (propertyNames)"},
    {"{'minProperties':1}", "{}", "arguments: must have at least 1 properties, and has 0"},
    {"{'dependentRequired':{'a':['b']}}", "{'a':1}",
	"arguments: lacks the property \"b\", which \"a\" asks for"},
    {"{'dependentSchemas':{'a':{'required':['c']}}}", "{'a':1}",
	"arguments: lacks the property \"c\""},
    {"{'anyOf':[{'type':'string'},{'type':'null'}]}", "1",
	"arguments: fits none of the 2 alternatives (anyOf)"},
    {"{'anyOf':[{'type':'string'}]}", "1", "arguments: must be a string, and is 1"},
    {"{'oneOf':[{'type':'string'},{'maxLength':2}]}", "'a'",
	"arguments: fits 2 of the 2 alternatives, exactly one is allowed (oneOf)"},
    {"{'oneOf':[{'type':'null'},{'type':'string'}]}", "1",
	"arguments: fits none of the 2 alternatives (oneOf)"},
    {"{'allOf':[{'minimum':1},{'maximum':2}]}", "3", "arguments: must be at most 2, and is 3"},
    {"{'not':{'const':'main'}}", "'main'", "arguments: is of the kind that is excluded (not)"},
    {"{'if':{'required':['a']},'then':{'required':['b']},'else':{'required':['c']}}", "{}",
	"arguments: lacks the property \"c\""},
    {"{'if':{'required':['a']},'then':{'required':['b']},'else':{'required':['c']}}", "{'a':1}",
	"arguments: lacks the property \"b\""},
    {"{'$ref':'#/$defs/n','$defs':{'n':{'type':'integer'}}}", "'x'",
	"arguments: must be an integer, and is \"x\""},
    {"{'$ref':'#/$defs/n','maximum':1,'$defs':{'n':{'type':'integer'}}}", "2",
	"arguments: must be at most 1, and is 2"},
    {"{'properties':{'next':{'$ref':'#'},'v':{'type':'integer'}}}", "{'next':{'next':{'v':'x'}}}",
	"arguments.next.next.v: must be an integer, and is \"x\""},
    {"{'$ref':'#/$defs/a~1b%25~0','$defs':{'a/b%~':false}}", "1", "arguments: may not be given"},
    {"{'prefixItems':[{'const':1},{'$ref':'#/prefixItems/0'}]}", "[1,2]",
	"arguments[1]: must be 1"},
    {"{'x-mcp-header':'X','title':1,'description':'d','default':{},'examples':[],'deprecated':true"
     ",'readOnly':true,'writeOnly':false,'$comment':'c','format':'date',"
     "'$schema':'https://json-schema.org/draft/2020-12/schema','$id':'https://example/t'}",
	"1", NULL},
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct json_schema *schema = schema_of(values[i].schema);
		struct err_note note = {""};
		int r = check_json(schema, json_of(values[i].value), &note);

		if (r != (values[i].note ? JSON_SCHEMA_INVALID : JSON_SCHEMA_VALID) ||
		    strcmp(note.text, values[i].note ? values[i].note : ""))
			fail_msg(
			    "%s on %s: %d %s", values[i].schema, values[i].value, r, note.text);
		assert_int_equal(check_json(schema, json_of(values[i].value), NULL), r);
		json_schema_free(schema);
	}
}

static void test_quoting(void **state)
{
	struct json_schema *schema = schema_of("{'additionalProperties':{'type':'null'}}");
	struct err_note note = {""};
	char name[300], wanted[300];

	(void)state;
	/* 59 bytes, then a character of two that would be split */
	snprintf(name, sizeof(name), "{'a':'%059d\xc3\xa4zz'}", 0);
	snprintf(wanted, sizeof(wanted), "arguments.a: must be null, and is \"%059d...\"", 0);
	assert_int_equal(check_json(schema, json_of(name), &note), JSON_SCHEMA_INVALID);
	assert_string_equal(note.text, wanted);
	assert_int_equal(check_json(schema, json_of("{'a':'\\u001b[2J\\u202e\\u0000'}"), &note), 1);
	assert_string_equal(
	    note.text, "arguments.a: must be null, and is \"\\x1b[2J\\u{202e}\\x00\"");
	assert_int_equal(check_json(schema, json_of("{'a\\n.b':1}"), &note), 1);
	assert_string_equal(note.text, "arguments.\"a\\n.b\": must be null, and is 1");
	/* a place that is too long ends in dots and keeps the reason */
	snprintf(name, sizeof(name), "{'properties':{'%0200d':{'items':false}}}", 0);
	json_schema_free(schema);
	schema = schema_of(name);
	snprintf(name, sizeof(name), "{'%0200d':[1]}", 0);
	assert_int_equal(check_json(schema, json_of(name), &note), 1);
	assert_non_null(strstr(note.text, "...\"[0]: may not be given"));
	json_schema_free(schema);
}

static void test_long_place(void **state)
{
	struct json_place places[200] = {{.key = "arguments"}};
	char text[JSON_PLACE_MAX];

	(void)state;
	for (size_t i = 1; i < 200; i++)
		places[i] = (struct json_place){.up = &places[i - 1], .key = "abcdefgh"};
	json_place_text(text, &places[199]);
	assert_true(strlen(text) < JSON_PLACE_MAX);
	assert_memory_equal(text, "arguments.abcdefgh.abcdefgh.", 28);
	assert_string_equal(text + strlen(text) - 3, "...");
}

/* ---- refused schemas ------------------------------------------------------------------------- */

static const struct {
	const char *schema, *note;
} refusals[] = {
    {"1", "schema: not a schema; write an object, true or false"},
    {"{'properties':{'branch':{'patern':'x'}}}",
	"properties.branch.patern: unknown keyword; callgate.yaml(5) lists those that are checked, "
	"and a name that begins with x- is a remark"},
    {"{'type':'text'}", "type: not a type; write null, boolean, object, array, number, integer or "
			"string"},
    {"{'type':[]}", "type: names no type; name at least one"},
    {"{'type':['null','null']}", "type: names a type twice; name each once"},
    {"{'type':1}", NULL},
    {"{'enum':[]}", "enum: not a list of values; write at least one"},
    {"{'enum':{}}", "enum: not a list of values; write at least one"},
    {"{'minLength':-1}", "minLength: not a count; write a whole number, 0 or more"},
    {"{'minLength':1.5}", "minLength: not a count; write a whole number, 0 or more"},
    {"{'minLength':'1'}", "minLength: not a number; write a whole number, 0 or more"},
    {"{'maxItems':1e300}", "maxItems: too large a count; 2 to the power of 53 at most"},
    {"{'minimum':'1'}", "minimum: not a number; write one"},
    {"{'exclusiveMinimum':true}", "exclusiveMinimum: not a number; write one"},
    {"{'multipleOf':0}", "multipleOf: not a step; write a number above 0"},
    {"{'multipleOf':-0.5}", "multipleOf: not a step; write a number above 0"},
    {"{'uniqueItems':1}", "uniqueItems: neither true nor false; write one of them"},
    {"{'required':'a'}", "required: not a list; write a list of names"},
    {"{'required':['a','a']}", "required: holds a name twice; write each once"},
    {"{'required':['a',1]}", "required: holds something else than text; write names"},
    {"{'dependentRequired':{'a':[1]}}",
	"dependentRequired.a: holds something else than text; write names"},
    {"{'dependentRequired':[]}",
	"dependentRequired: not a mapping; write names and what each stands for"},
    {"{'properties':[]}", "properties: not a mapping; write names and what each stands for"},
    {"{'properties':{'a b':7}}",
	"properties.\"a b\": not a schema; write an object, true or false"},
    {"{'allOf':[true,{'type':1}]}", NULL},
    {"{'allOf':[]}", "allOf: not a list of schemas; write at least one"},
    {"{'allOf':{}}", "allOf: not a list of schemas; write at least one"},
    {"{'items':[true]}",
	"items: a list of schemas is of an older draft; write prefixItems, and items for the rest"},
    {"{'not':null}", "not: not a schema; write an object, true or false"},
    {"{'$defs':[]}", "$defs: not a mapping; write names and a schema for each"},
    {"{'$defs':{'a':{'x':1}}}", NULL},
    {"{'pattern':1}", "pattern: not text; write a regular expression"},
    {"{'pattern':'('}", "pattern: not a pattern that can be read: byte 1: ( without ); a "
			"parenthesis itself is \\("},
    {"{'patternProperties':{'[':true}}",
	"patternProperties.\"[\": not a pattern that can be read: byte 1: [ without ]; a bracket "
	"itself is \\["},
    {"{'format':1}", "format: not text; write the name of a format"},
    {"{'format':'workspace_path'}", "format: no such format; write workspace-path"},
    {"{'format':'Workspace-Path'}", "format: no such format; write workspace-path"},
    {"{'$schema':'http://json-schema.org/draft-07/schema#'}",
	"$schema: another dialect; write https://json-schema.org/draft/2020-12/schema, or leave it "
	"out"},
    {"{'$schema':'https://json-schema.org/draft/2020-12/schemas'}",
	"$schema: another dialect; write https://json-schema.org/draft/2020-12/schema, or leave it "
	"out"},
    {"{'$id':'https://a/#b'}", NULL},
    {"{'$id':1}", "$id: not text; write a URI"},
    {"{'$ref':'#/$defs/a/x','$defs':{'a':{'x-b':1}}}", NULL},
    {"{'$ref':'#/not/x','not':true}", NULL},
    {"{'items':{'$id':'https://a/b'}}", "items.$id: not read here; only a whole schema may have a "
					"name, which refers to no part of it"},
    {"{'$anchor':'a'}", "$anchor: not read here; refer to #/$defs/name with $ref"},
    {"{'$dynamicRef':'#a'}", "$dynamicRef: not read here; refer to #/$defs/name with $ref"},
    {"{'unevaluatedProperties':false}",
	"unevaluatedProperties: not read here; write additionalProperties"},
    {"{'unevaluatedItems':false}",
	"unevaluatedItems: not read here; write items after prefixItems"},
    {"{'definitions':{}}", "definitions: of an older draft; write $defs"},
    {"{'dependencies':{}}",
	"dependencies: of an older draft; write dependentRequired or dependentSchemas"},
    {"{'$ref':1}", "$ref: not text; write # or #/ and the way to a schema"},
    {"{'$ref':'https://a/b'}", "$ref: \"https://a/b\": not in this schema; only # and #/ are "
			       "followed, as in #/$defs/name"},
    {"{'items':{'$ref':'#name'}}", "items.$ref: \"#name\": not in this schema; only # and #/ are "
				   "followed, as in #/$defs/name"},
    {"{'$ref':'#/$defs/a'}", "$ref: \"#/$defs/a\": no schema is there; as in #/$defs/name"},
    {"{'$ref':'#/$defs','$defs':{}}", NULL},
    {"{'$ref':'#/const','const':{}}", NULL},
    {"{'$ref':'#/enum/0','enum':[{}]}", NULL},
    {"{'$ref':'#/default','default':{}}", NULL},
    {"{'$ref':'#/x-a','x-a':{}}", NULL},
    {"{'$ref':'#/$defs/a/','$defs':{'a':{}}}", NULL},
    {"{'$ref':'#/allOf/01','allOf':[{},{}]}", NULL},
    {"{'$ref':'#/allOf/-','allOf':[{},{}]}", NULL},
    {"{'$ref':'#/$defs/a~2','$defs':{'a~2':{}}}", NULL},
    {"{'$ref':'#/$defs/%zz','$defs':{'%zz':{}}}", NULL},
    {"{'$ref':'#/$defs/a%00','$defs':{'a':{}}}", NULL},
    {"{'$ref':'#'}", "$ref: \"#\": leads back to itself with the same value; refer to it from "
		     "properties or items"},
    {"{'$ref':'#/$defs/a','$defs':{'a':{'anyOf':[{'not':{'$ref':'#/$defs/a'}}]}}}", NULL},
    {"{'dependentSchemas':{'a':{'$ref':'#'}}}", NULL},
    {"{'if':{'$ref':'#'}}", NULL},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct json_schema *schema = NULL;
		struct err_note note = {""};
		json_t *json = json_of(refusals[i].schema);
		int r = json_schema_compile(json, &schema, &note);

		if (r != -EINVAL || (refusals[i].note && strcmp(note.text, refusals[i].note)))
			fail_msg("%s: %d %s", refusals[i].schema, r, note.text);
		/* every one says where, why and what to do */
		assert_true(strchr(note.text, ':') < strchr(note.text, ';'));
		assert_null(schema);
		assert_int_equal(json_schema_compile(json, &schema, NULL), -EINVAL);
		json_decref(json);
	}
}

/* Nothing of the caller's JSON is kept. */
static void test_changed_afterwards(void **state)
{
	json_t *json = json_of("{'const':{'a':1},'enum':[{'a':1}],'required':['a']}");
	struct json_schema *schema = NULL;
	struct err_note note = {""};

	(void)state;
	assert_int_equal(json_schema_compile(json, &schema, &note), 0);
	json_object_clear(json_object_get(json, "const"));
	json_array_clear(json_object_get(json, "enum"));
	json_array_clear(json_object_get(json, "required"));
	assert_int_equal(check_json(schema, json_of("{'a':1}"), &note), JSON_SCHEMA_VALID);
	assert_int_equal(check_json(schema, json_of("{}"), &note), JSON_SCHEMA_INVALID);
	json_schema_free(schema);
	json_decref(json);
}

static void test_absent(void **state)
{
	struct json_schema *schema = NULL;
	struct err_note note = {""};

	(void)state;
	assert_int_equal(json_schema_compile(NULL, &schema, &note), -EINVAL);
	json_schema_free(NULL);
	schema = schema_of("true");
	assert_int_equal(json_schema_check(schema, NULL, "output", &note), JSON_SCHEMA_INVALID);
	assert_string_equal(note.text, "output: absent");
	json_schema_free(schema);
}

/* ---- patterns -------------------------------------------------------------------------------- */

static int match(const char *pattern, const char *text, size_t len, uint64_t steps)
{
	struct json_budget budget = {steps};
	struct json_regex_run *run = NULL;
	struct json_regex *regex = NULL;
	char why[JSON_REGEX_WHY_MAX] = "";
	int r = json_regex_new(&regex, pattern, strlen(pattern), why);

	if (r < 0)
		fail_msg("%s: %d %s", pattern, r, why);
	r = json_regex_match(regex, text, len, &budget, &run);
	json_regex_run_free(run);
	json_regex_free(regex);
	return r;
}

static const struct {
	const char *pattern, *text;
	enum json_match match;
} patterns[] = {
    {"", "", JSON_MATCH_YES},
    {"b", "abc", JSON_MATCH_YES},
    {"^b", "abc", JSON_MATCH_NO},
    {"c$", "abc\n", JSON_MATCH_NO},
    {"^b", "a\nb", JSON_MATCH_NO},
    {"^.$", "\n", JSON_MATCH_NO},
    {"^.$", "\r", JSON_MATCH_NO},
    {"^.$", "\xe2\x80\xa8", JSON_MATCH_NO},
    {"^.$", "\xf0\x9f\x92\xa9", JSON_MATCH_YES},
    {"^\\d$", "\xd9\xa1", JSON_MATCH_NO}, /* an Arabic digit */
    {"^\\D$", "\xd9\xa1", JSON_MATCH_YES},
    {"^\\w$", "\xc3\xa9", JSON_MATCH_NO},
    {"^[\\W]$", "\xc3\xa9", JSON_MATCH_YES},
    {"^[^\\W]$", "\xc3\xa9", JSON_MATCH_NO},
    {"^\\s+$", "\t\n\v\f\r \xc2\xa0\xe2\x80\xa8\xe3\x80\x80\xef\xbb\xbf", JSON_MATCH_YES},
    {"^\\s$", "\xc2\x85", JSON_MATCH_NO}, /* NEL is no white space of ECMA-262 */
    {"^[\\S]$", "\xc2\x85", JSON_MATCH_YES},
    {"^[\\s\\S]$", "\xef\xbb\xbf", JSON_MATCH_YES},
    {"^\\v$", "\v", JSON_MATCH_YES},
    {"^\\t\\n\\f\\r$", "\t\n\f\r", JSON_MATCH_YES},
    {"^\\v$", "\n", JSON_MATCH_NO},
    {"^[\\v]$", "\n", JSON_MATCH_NO},
    {"^\\cJ$", "\n", JSON_MATCH_YES},
    {"^\\x41\\u0042\\u{43}$", "ABC", JSON_MATCH_YES},
    {"^\\ud83d\\udca9$", "\xf0\x9f\x92\xa9", JSON_MATCH_YES},
    {"^\\/\\-\\_\\@\\.$", "/-_@.", JSON_MATCH_YES},
    {"^[]$", "", JSON_MATCH_NO},
    {"a[]*b", "ab", JSON_MATCH_YES},
    {"^[^]$", "\n", JSON_MATCH_YES},
    {"^[[:alpha:]]$", "a]", JSON_MATCH_YES}, /* a set of [ : a l p h, then ] */
    {"^[a-]$", "-", JSON_MATCH_YES},
    {"^[-a]$", "-", JSON_MATCH_YES},
    {"^[\\w-.]$", "-", JSON_MATCH_YES},
    {"^[\\b]$", "\b", JSON_MATCH_YES},
    {"\\bfoo\\b", "a foo b", JSON_MATCH_YES},
    {"\\Boo", "foo", JSON_MATCH_YES},
    {"^[\\^\\]\\\\]+$", "^]\\", JSON_MATCH_YES},
    {"^[a&&b]$", "&", JSON_MATCH_YES},
    {"^a{2}$", "aa", JSON_MATCH_YES},
    {"^a{2,}$", "a", JSON_MATCH_NO},
    {"^a{1,2}?$", "aa", JSON_MATCH_YES},
    {"^a{,2}$", "a{,2}", JSON_MATCH_YES},
    {"^{a}$", "{a}", JSON_MATCH_YES},
    {"^a]$", "a]", JSON_MATCH_YES},
    {"^a{1}{$", "a{", JSON_MATCH_YES},
    {"^(?:a|b)+?$", "ab", JSON_MATCH_YES},
    {"^(?<name>a)(b)$", "ab", JSON_MATCH_YES},
    {"^(?=a)(?!b)a(?<=a)(?<!b)$", "a", JSON_MATCH_YES},
    {"^\\p{L}\\p{Letter}\\P{Lu}\\p{gc=Nd}\\p{General_Category=Decimal_Number}$",
	"\xc3\xa4g\xc3\xa4"
	"4\xd9\xa1",
	JSON_MATCH_YES},
    {"^\\p{Script=Greek}[\\p{sc=Greek}\\p{scx=Latin}]+$", "\xce\xb1\xce\xb2x", JSON_MATCH_YES},
    {"^\xc3\xa4[\xc3\xa4-\xc3\xbc]$", "\xc3\xa4\xc3\xb6", JSON_MATCH_YES},
    {"#.* x", "# y x", JSON_MATCH_YES},
    {"^(a|ab)(c|bcd)$", "abcd", JSON_MATCH_YES},
};

static void test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const char *text = patterns[i].text;

		if (match(patterns[i].pattern, text, strlen(text), 1000) != (int)patterns[i].match)
			fail_msg("%s on %s", patterns[i].pattern, text);
	}
	assert_int_equal(match("^a\\0b$", "a\0b", 3, 1000), JSON_MATCH_YES);
	assert_int_equal(match("^a$", "a\0b", 3, 1000), JSON_MATCH_NO);
	assert_int_equal(match("a", "\xff", 1, 1000), JSON_MATCH_TOO_MUCH);
}

static void test_refused_patterns(void **state)
{
	static const char *const refused[] = {"(", ")", "[", "[a", "[b-a]", "*", "+a", "?", "a**",
	    "a*+", "a++", "a?+", "a{2}{3}", "a{3,2}", "a{65536}", "a{99999999999999999999}", "^*",
	    "(?*", "(*ACCEPT)", "(*LIMIT_MATCH=1)a", "(?i)a", "(?i:a)", "(?>a)", "(?|a)", "(?#a)",
	    "(?C1)", "(?R)", "(?1)", "(?P<a>b)", "(?'a'b)", "(?<1a>b)", "(?<>b)", "(?<ab",
	    "(?(1)a)", "\\", "\\1", "(a)\\1", "\\k<a>", "\\01", "\\a", "\\A", "\\z", "\\Z", "\\e",
	    "\\G", "\\K", "\\R", "\\X", "\\h", "\\Q", "\\E", "\\N", "\\C", "\\g{1}", "\\o{1}",
	    "\\c1", "\\c", "\\x4", "\\u004", "\\u{110000}", "\\u{}", "\\u{41", "\\ud800", "\\udc00",
	    "\\ud800\\u0041", "\\u{d800}", "\\p", "\\pL", "\\p{}", "\\p{Xan}", "\\p{^L}", "\\p{L&}",
	    "\\p{NoSuch}", "\\p{a=b}", "\\p{gc=a=b}", "\\ ", "[\\B]", "[\\a]", "[a-\\a]", "\xff",
	    "(?<=a*)b", "(?=a)*", "(?!a)?", "(?<=a){2}", "((?<!a)+)", "(?<", "(?", "[\\", "(((("};
	char why[JSON_REGEX_WHY_MAX] = "";
	struct buf cleanup_with(buf_fini) deep = {0};
	struct json_regex *list = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int r = json_regex_new(&list, refused[i], strlen(refused[i]), why);

		if (r != -EINVAL || !why[0])
			fail_msg("%s: %d %s", refused[i], r, why);
	}
	buf_init(&deep, 4096);
	for (int i = 0; i < 101; i++)
		buf_text(&deep, "(");
	for (int i = 0; i < 101; i++)
		buf_text(&deep, ")");
	assert_int_equal(json_regex_new(&list, (const char *)deep.data, deep.len, why), -EINVAL);
	assert_null(list);
}

/* Patterns that backtrack, on texts an agent may send: each ends by the budget, not by a clock. */
static void test_backtracking(void **state)
{
	static const char *const slow[] = {"^(a+)+$", "^(a|aa)+$", "(a*)*b", "^(a|a)*b$",
	    "(?:a*[ab])*c", "a*[bc]", "(?=(a+)+$)x", "^(?:(?:a?){30}){30}b"};
	size_t len = 1 << 20;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	text[len - 1] = '!';
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		int r = match(slow[i], text, len, JSON_SCHEMA_STEPS_MAX);

		if (r == JSON_MATCH_YES)
			fail_msg("%s matched", slow[i]);
	}
	assert_int_equal(
	    match("^(a+)+$", text + len - 40, 40, JSON_SCHEMA_STEPS_MAX), JSON_MATCH_TOO_MUCH);
	/* and usual ones on long texts do not */
	assert_int_equal(match("^[a-z]+$", text, len - 1, JSON_SCHEMA_STEPS_MAX), JSON_MATCH_YES);
	assert_int_equal(match("^[\\s\\S]*$", text, len, JSON_SCHEMA_STEPS_MAX), JSON_MATCH_YES);
	assert_int_equal(
	    match("^(?:[a-z]|_)*$", text, 20000, JSON_SCHEMA_STEPS_MAX), JSON_MATCH_YES);
	assert_int_equal(match("!", text, len, JSON_SCHEMA_STEPS_MAX), JSON_MATCH_YES);
	free(text);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static const struct {
	const char *number, *step;
	bool multiple;
} multiples[] = {
    {"19.99", "0.01", true},
    {"0.07", "0.01", true},
    {"4.35", "0.01", true},
    {"-1.1", "0.1", true},
    {"0.0075", "0.0001", true},
    {"0.00751", "0.0001", false},
    {"1e300", "7", false},
    {"1e308", "0.5", true},
    {"1e308", "0.123456789", false},
    {"12391239123", "1e-8", true},
    {"1e-320", "1e-320", true},
    {"1e-308", "1", false},
    {"1", "1e308", false},
    {"0", "3", true},
    {"-0.0", "0.3", true},
    {"-9223372036854775808", "2", true},
    {"-9223372036854775808", "3", false},
    {"9223372036854775807", "7", true},
    {"9223372036854775807", "9223372036854775807", true},
    {"9223372036854775807", "0.5", true},
    {"10", "2.5", true},
    {"7.5", "5", false},
    {"1.7976931348623157e308", "1.7976931348623157e308", true},
    {"5e-324", "5e-324", true},
};

static void test_multiples(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(multiples) / sizeof(multiples[0]); i++) {
		json_t *number = json_of(multiples[i].number), *step = json_of(multiples[i].step);

		if (json_number_is_multiple(json_number_of(number), json_number_of(step)) !=
		    multiples[i].multiple)
			fail_msg("%s of %s", multiples[i].number, multiples[i].step);
		json_decref(number);
		json_decref(step);
	}
}

/* In rising order; each is compared with each. */
static void test_order(void **state)
{
	static const char *const rising[] = {"-1.7e308", "-9.3e18", "-9223372036854775808",
	    "-9223372036854775807", "-9007199254740993", "-9007199254740992.0", "-1.5", "-1",
	    "-0.5", "0", "5e-324", "0.5", "1", "1.5", "9007199254740992.0", "9007199254740993",
	    "9223372036854775807", "9223372036854775808.0", "1.7e308"};
	const size_t count = sizeof(rising) / sizeof(rising[0]);

	(void)state;
	for (size_t i = 0; i < count * count; i++) {
		json_t *a = json_of(rising[i / count]), *b = json_of(rising[i % count]);
		int order = json_number_compare(json_number_of(a), json_number_of(b));

		if ((order > 0) - (order < 0) != (i / count > i % count) - (i / count < i % count))
			fail_msg("%s and %s: %d", rising[i / count], rising[i % count], order);
		json_decref(a);
		json_decref(b);
	}
}

/* ---- workspace-path -------------------------------------------------------------------------- */

static void test_workspace_path(void **state)
{
	static const char *const good[] = {"a", "a/b", "./a", ".", "..a", "a..", "a/..b/c", "...",
	    "a//b", "a/", "~/a", "a\\\\..\\\\b", "\xc3\xa4"};
	static const char *const bad[] = {"", "/", "/a", "//a", "..", "../a", "a/..", "a/../b",
	    "a//..", "./..", "a/../", "a\\u0000b", "\\u0000", "../"};
	struct json_schema *schema = schema_of("{'format':'workspace-path'}");
	struct err_note note = {""};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "'%s'", good[i]);
		if (check_json(schema, json_of(text), &note) != JSON_SCHEMA_VALID)
			fail_msg("%s: %s", good[i], note.text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "'%s'", bad[i]);
		if (check_json(schema, json_of(text), &note) != JSON_SCHEMA_INVALID)
			fail_msg("%s was accepted", bad[i]);
		assert_memory_equal(note.text, "arguments: must be a path", 25);
	}
	assert_int_equal(check_json(schema, json_integer(1), &note), JSON_SCHEMA_VALID);
	json_schema_free(schema);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

/* {"not":{"not":...true}} with so many objects */
static json_t *nested_not(unsigned levels)
{
	json_t *json = json_true();

	while (levels--)
		json = json_pack("{s:o}", "not", json);
	return json;
}

static void test_schema_bounds(void **state)
{
	struct json_schema *schema = NULL;
	struct err_note note = {""};
	json_t *json = nested_not(JSON_SCHEMA_LEVELS_MAX), *list;

	(void)state;
	assert_int_equal(json_schema_compile(json, &schema, &note), 0);
	json_schema_free(schema);
	json_decref(json);
	json = nested_not(JSON_SCHEMA_LEVELS_MAX + 1);
	assert_int_equal(json_schema_compile(json, &schema, &note), -EINVAL);
	assert_non_null(strstr(note.text, "more than 32 schemas inside each other"));
	json_decref(json);
	json = nested_not(100000);
	assert_int_equal(json_schema_compile(json, &schema, &note), -EINVAL);
	assert_non_null(strstr(note.text, "too large or too deep"));
	json_decref(json);
	/* the object, the list and its elements */
	list = json_array();
	for (int i = 0; i < JSON_SCHEMA_NODES_MAX - 2; i++)
		json_array_append_new(list, json_integer(i));
	json = json_pack("{s:o}", "examples", list);
	assert_int_equal(json_schema_compile(json, &schema, &note), 0);
	json_schema_free(schema);
	json_array_append_new(list, json_null());
	assert_int_equal(json_schema_compile(json, &schema, &note), -EINVAL);
	assert_string_equal(
	    note.text, "schema: too large or too deep; at most 20000 values and 66 levels");
	json_decref(json);
}

static void test_pattern_bounds(void **state)
{
	struct json_schema *schema = NULL;
	struct err_note note = {""};
	char text[JSON_SCHEMA_PATTERN_MAX + 2];
	json_t *json, *list = json_array();

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	json = json_pack("{s:s}", "pattern", text);
	assert_int_equal(json_schema_compile(json, &schema, &note), -EINVAL);
	assert_string_equal(note.text, "pattern: too long a pattern; 4096 bytes at most");
	json_decref(json);
	json = json_pack("{s:s}", "pattern", text + 1);
	assert_int_equal(json_schema_compile(json, &schema, &note), 0);
	json_schema_free(schema);
	json_decref(json);
	json = json_pack("{s:s}", "pattern", "((((a{1000}){1000}){1000}){1000})");
	assert_int_equal(json_schema_compile(json, &schema, &note), -EINVAL);
	json_decref(json);
	for (int i = 0; i < 1000; i++)
		json_array_append_new(list, json_pack("{s:s}", "pattern", text + 1));
	json = json_pack("{s:o}", "allOf", list);
	assert_int_equal(json_schema_compile(json, &schema, &note), -EINVAL);
	assert_non_null(strstr(note.text, "the patterns so far are too large; 16 MiB at most"));
	json_decref(json);
}

/* Each level asks for the next twice: 2^60 checks if nobody counted. */
static void test_steps_bound(void **state)
{
	struct buf cleanup_with(buf_fini) text;
	struct json_schema *schema;
	struct err_note note = {""};

	(void)state;
	buf_init(&text, 1 << 16);
	buf_text(&text, "{'$ref':'#/$defs/d0','$defs':{");
	for (int i = 0; i < 28; i++)
		buf_textf(&text, "'d%d':{'allOf':[{'$ref':'#/$defs/d%d'},{'$ref':'#/$defs/d%d'}]},",
		    i, i + 1, i + 1);
	buf_text(&text, "'d28':{'type':'integer'}}}");
	schema = schema_of(buf_cstr(&text));
	assert_int_equal(check_json(schema, json_integer(1), &note), JSON_SCHEMA_TOO_MUCH);
	assert_string_equal(
	    note.text, "arguments: too large or too deep to be checked; make it smaller");
	assert_int_equal(check_json(schema, json_integer(1), NULL), JSON_SCHEMA_TOO_MUCH);
	/* the first reason against it is reached before the budget ends */
	assert_int_equal(check_json(schema, json_null(), &note), JSON_SCHEMA_INVALID);
	json_schema_free(schema);
}

/* @ becomes a pattern that backtracks, ~ a text that it backtracks on. */
static const char *expand(struct buf *out, const char *text)
{
	buf_init(out, 1 << 12);
	for (; *text; text++) {
		if (*text == '@')
			buf_text(out, "{'pattern':'^(a+)+$'}");
		else if (*text == '~')
			buf_text(out, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'");
		else
			buf_put(out, text, 1);
	}
	return buf_cstr(out);
}

/* What could not be decided stays undecided, wherever it is met. */
static void test_undecided(void **state)
{
	static const struct {
		const char *schema, *value;
	} rows[] = {
	    {"@", "~"},
	    {"{'allOf':[true,@]}", "~"},
	    {"{'anyOf':[@,true]}", "~"},
	    {"{'anyOf':[false,@]}", "~"},
	    {"{'oneOf':[@]}", "~"},
	    {"{'oneOf':[true,@]}", "~"},
	    {"{'not':@}", "~"},
	    {"{'not':{'not':@}}", "~"},
	    {"{'if':@,'then':true,'else':true}", "~"},
	    {"{'if':true,'then':@}", "~"},
	    {"{'$ref':'#/$defs/p','$defs':{'p':@}}", "~"},
	    {"{'items':@}", "['a',~]"},
	    {"{'prefixItems':[true,@]}", "['a',~]"},
	    {"{'contains':@}", "[~,'a']"},
	    {"{'contains':@,'minContains':0}", "[~]"},
	    {"{'properties':{'k':@}}", "{'k':~}"},
	    {"{'additionalProperties':@}", "{'k':~}"},
	    {"{'patternProperties':{'k':@}}", "{'k':~}"},
	    {"{'patternProperties':{'^(a+)+$':true}}", "{~:1}"},
	    {"{'propertyNames':@}", "{~:1}"},
	    {"{'not':{'propertyNames':@}}", "{~:1}"},
	    {"{'dependentSchemas':{'k':{'properties':{'k':@}}}}", "{'k':~}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf cleanup_with(buf_fini) schema = {0};
		struct buf cleanup_with(buf_fini) value = {0};
		struct json_schema *compiled = schema_of(expand(&schema, rows[i].schema));
		struct err_note note = {""};
		int r = check_json(compiled, json_of(expand(&value, rows[i].value)), &note);

		if (r != JSON_SCHEMA_TOO_MUCH)
			fail_msg("%s: %d %s", rows[i].schema, r, note.text);
		assert_memory_equal(note.text, "arguments", 9);
		assert_non_null(strstr(note.text, ": too large or too deep to be checked"));
		json_schema_free(compiled);
	}
}

/* d0 refers to d1, and so on; the last to nothing. */
static void test_long_way(void **state)
{
	(void)state;
	for (int way = 62; way < 68; way++) {
		struct buf cleanup_with(buf_fini) text = {0};
		struct json_schema *schema = NULL;
		struct err_note note = {""};
		json_t *json;
		int r;

		buf_init(&text, 1 << 14);
		buf_text(&text, "{'$ref':'#/$defs/d0','$defs':{");
		for (int i = 0; i < way; i++)
			buf_textf(&text, "'d%d':{'$ref':'#/$defs/d%d'},", i, i + 1);
		buf_textf(&text, "'d%d':{}}}", way);
		json = json_of(buf_cstr(&text));
		r = json_schema_compile(json, &schema, &note);
		json_decref(json);
		/* the top, d0 and as many more as there are steps */
		if (way + 2 <= JSON_SCHEMA_DEPTH_MAX) {
			assert_int_equal(r, 0);
			assert_int_equal(check_json(schema, json_null(), &note), JSON_SCHEMA_VALID);
		} else if (r == 0) {
			assert_int_equal(
			    check_json(schema, json_null(), &note), JSON_SCHEMA_TOO_MUCH);
		} else {
			assert_non_null(strstr(note.text, "leads on too far; 64 schemas at most"));
		}
		json_schema_free(schema);
	}
}

static json_t *nested_list(unsigned levels)
{
	json_t *json = json_array();

	while (levels--)
		json = json_pack("[o]", json);
	return json;
}

static void test_depth_bound(void **state)
{
	struct json_schema *schema = schema_of("{'items':{'$ref':'#'}}");
	struct err_note note = {""};

	(void)state;
	assert_int_equal(check_json(schema, nested_list(31), &note), JSON_SCHEMA_VALID);
	assert_int_equal(check_json(schema, nested_list(32), &note), JSON_SCHEMA_TOO_MUCH);
	assert_int_equal(check_json(schema, nested_list(100000), &note), JSON_SCHEMA_TOO_MUCH);
	json_schema_free(schema);
	/* not "does not fit, so not it fits" */
	schema =
	    schema_of("{'not':{'$ref':'#/$defs/l'},'$defs':{'l':{'items':{'$ref':'#/$defs/l'}}}}");
	assert_int_equal(check_json(schema, nested_list(1000), &note), JSON_SCHEMA_TOO_MUCH);
	json_schema_free(schema);
	schema = schema_of("{'uniqueItems':true}");
	assert_int_equal(
	    check_json(schema, json_pack("[oo]", nested_list(1000), nested_list(1001)), &note),
	    JSON_SCHEMA_TOO_MUCH);
	json_schema_free(schema);
	/* what nobody looks into may be deep */
	schema = schema_of("{'type':'array'}");
	assert_int_equal(check_json(schema, nested_list(1000), &note), JSON_SCHEMA_VALID);
	json_schema_free(schema);
}

static void test_many_items(void **state)
{
	struct json_schema *schema = schema_of("{'uniqueItems':true,'items':{'type':'integer'}}");
	struct err_note note = {""};
	json_t *list = json_array();

	(void)state;
	for (int i = 0; i < 200000; i++)
		json_array_append_new(list, json_integer((json_int_t)i * 7));
	assert_int_equal(json_schema_check(schema, list, "arguments", &note), JSON_SCHEMA_VALID);
	json_array_append_new(list, json_real(7 * 100000.0));
	assert_int_equal(json_schema_check(schema, list, "arguments", &note), JSON_SCHEMA_INVALID);
	assert_string_equal(note.text,
	    "arguments: must hold each value once, and items 100000 and 200000 are the same");
	json_array_clear(list);
	for (int i = 0; i < JSON_SCHEMA_STEPS_MAX + 1; i++)
		json_array_append_new(list, json_null());
	assert_int_equal(json_schema_check(schema, list, "arguments", &note), JSON_SCHEMA_TOO_MUCH);
	/* Lists that differ only in integers which one double stands for have one hash. */
	json_array_clear(list);
	for (unsigned i = 0; i < 4096; i++) {
		json_t *item = json_array();

		for (unsigned bit = 0; bit < 12; bit++)
			json_array_append_new(
			    item, json_integer((1LL << 53) + ((i >> bit) & 1 ? 0 : 1)));
		json_array_append_new(list, item);
	}
	assert_int_equal(json_schema_check(schema, list, "arguments", &note), JSON_SCHEMA_TOO_MUCH);
	json_decref(list);
	json_schema_free(schema);
}

/* What patterns cost counts over all checks of a decision; what is left decides the next. */
static void test_shared_work(void **state)
{
	static const char *const slow[] = {
	    "^(a|aa)+$", "^(a+)+$", "^(?:[a-z]|_)*$", "^(?:(?:a?){30}){30}b"};
	struct json_schema *plain = schema_of("{'pattern':'^x'}");
	struct json_schema *other = schema_of("{'type':'string','maxLength':9}");
	json_t *text = NULL, *x = json_string("x");
	char long_text[30001];

	(void)state;
	memset(long_text, 'a', sizeof(long_text) - 2);
	memcpy(long_text + sizeof(long_text) - 2, "!", 2);
	text = json_string(long_text);
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		struct json_schema_work work = {.steps = 0};
		char schema_text[64];
		struct json_schema *schema;
		struct err_note note = {""};
		int first;

		snprintf(schema_text, sizeof(schema_text), "{'pattern':'%s'}", slow[i]);
		schema = schema_of(schema_text);
		assert_int_equal(json_schema_check_within(&work, plain, x, "a", &note), 0);
		first = json_schema_check_within(&work, schema, text, "a", &note);
		if (first != JSON_SCHEMA_INVALID)
			assert_int_equal(first, JSON_SCHEMA_TOO_MUCH);
		assert_in_range(work.pattern_steps, 1, JSON_SCHEMA_PATTERN_STEPS_MAX);
		while (work.pattern_steps < JSON_SCHEMA_PATTERN_STEPS_MAX)
			assert_true(json_schema_check_within(&work, schema, text, "a", &note) > 0);
		assert_int_equal(
		    json_schema_check_within(&work, plain, x, "a", &note), JSON_SCHEMA_TOO_MUCH);
		/* the rest of a schema is not a matter of patterns */
		assert_int_equal(json_schema_check_within(&work, other, x, "a", &note), 0);
		assert_int_equal(json_schema_check(plain, x, "a", &note), 0);
		json_schema_free(schema);
	}
	json_decref(text);
	json_decref(x);
	json_schema_free(plain);
	json_schema_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_quoting),
	    cmocka_unit_test(test_long_place),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_changed_afterwards),
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_patterns),
	    cmocka_unit_test(test_refused_patterns),
	    cmocka_unit_test(test_backtracking),
	    cmocka_unit_test(test_multiples),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_workspace_path),
	    cmocka_unit_test(test_schema_bounds),
	    cmocka_unit_test(test_pattern_bounds),
	    cmocka_unit_test(test_steps_bound),
	    cmocka_unit_test(test_undecided),
	    cmocka_unit_test(test_long_way),
	    cmocka_unit_test(test_depth_bound),
	    cmocka_unit_test(test_many_items),
	    cmocka_unit_test(test_shared_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
