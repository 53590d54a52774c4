/* The document and the table are one list, and the document holds together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "agent-api/web/routes.h"

static yaml_document_t document;

static yaml_node_t *node(int index)
{
	return yaml_document_get_node(&document, index);
}

static const char *text(const yaml_node_t *of)
{
	return of && of->type == YAML_SCALAR_NODE ? (const char *)of->data.scalar.value : NULL;
}

static yaml_node_t *get(const yaml_node_t *map, const char *key)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *at = map->data.mapping.pairs.start; at < map->data.mapping.pairs.top;
	     at++) {
		if (strcmp(text(node(at->key)), key) == 0)
			return node(at->value);
	}
	return NULL;
}

static int load(void **state)
{
	FILE *file = fopen("agent-api/openapi.yaml", "re");
	yaml_parser_t parser;

	(void)state;
	if (!file || !yaml_parser_initialize(&parser))
		return -1;
	yaml_parser_set_input_file(&parser, file);
	if (!yaml_parser_load(&parser, &document)) {
		fprintf(
		    stderr, "openapi.yaml:%zu: %s\n", parser.problem_mark.line + 1, parser.problem);
		return -1;
	}
	yaml_parser_delete(&parser);
	fclose(file);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	yaml_document_delete(&document);
	return 0;
}

static const char *lower(enum http_method method)
{
	return method == HTTP_METHOD_GET      ? "get"
	       : method == HTTP_METHOD_POST   ? "post"
	       : method == HTTP_METHOD_DELETE ? "delete"
					      : "?";
}

static void test_every_row_is_documented(void **state)
{
	yaml_node_t *paths = get(yaml_document_get_root_node(&document), "paths");
	size_t count;
	const struct http_route *table = route_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *operation = get(get(paths, table[i].pattern), lower(table[i].method));
		char status[8];

		if (!operation)
			fail_msg(
			    "%s %s is not documented", lower(table[i].method), table[i].pattern);
		snprintf(status, sizeof(status), "%d", route_row(i)->status);
		if (!get(get(operation, "responses"), status))
			fail_msg("%s: no %s", table[i].pattern, status);
		if (!get(operation, "requestBody") != (route_row(i)->body == ROUTE_BODY_NONE))
			fail_msg("%s: body", table[i].pattern);
	}
}

static bool is_served(const char *path, const char *method)
{
	size_t count;
	const struct http_route *table = route_table(&count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].pattern, path) == 0 &&
		    strcmp(lower(table[i].method), method) == 0)
			return true;
	}
	return false;
}

/* A place in the path has a parameter, and no other path parameter is there. */
static void check_parameters(const char *path, yaml_node_t *operation)
{
	yaml_node_t *list = get(operation, "parameters");
	size_t named = 0, wanted = 0;

	for (const char *at = path; *at; at++)
		wanted += *at == '{';
	for (yaml_node_item_t *at = list ? list->data.sequence.items.start : NULL;
	     list && at < list->data.sequence.items.top; at++) {
		const char *ref = text(get(node(*at), "$ref"));
		const char *in = text(get(node(*at), "in"));

		named += ref ? strstr(ref, "/Id") != NULL : strcmp(in, "path") == 0;
	}
	if (named != wanted)
		fail_msg("%s: %zu places, %zu parameters", path, wanted, named);
}

static void test_every_operation_is_served_and_whole(void **state)
{
	static const char *const permissions[] = {"none", "public", "own", "studio roles",
	    "metrics:read", "approvals:read", "approvals:decide", "keys:manage", "tokens:issue",
	    "policy:read"};
	yaml_node_t *paths = get(yaml_document_get_root_node(&document), "paths");

	(void)state;
	for (yaml_node_pair_t *at = paths->data.mapping.pairs.start;
	     at < paths->data.mapping.pairs.top; at++) {
		const char *path = text(node(at->key));
		yaml_node_t *item = node(at->value);

		for (yaml_node_pair_t *op = item->data.mapping.pairs.start;
		     op < item->data.mapping.pairs.top; op++) {
			const char *method = text(node(op->key));
			yaml_node_t *operation = node(op->value);
			const char *permission = text(get(operation, "x-callgate-permission"));
			bool known = false, open;

			if (!is_served(path, method))
				fail_msg("%s %s is documented, not served", method, path);
			assert_non_null(text(get(operation, "operationId")));
			assert_non_null(text(get(operation, "summary")));
			for (size_t i = 0;
			     permission && i < sizeof(permissions) / sizeof(*permissions); i++)
				known |= strcmp(permissions[i], permission) == 0;
			if (!known)
				fail_msg("%s %s: permission", method, path);
			/* What needs one says how it may be refused. */
			open = strcmp(permission, "none") == 0;
			if (!open && !get(get(operation, "responses"), "401"))
				fail_msg("%s %s: no 401", method, path);
			if (open && !get(operation, "security"))
				fail_msg("%s %s: security", method, path);
			check_parameters(path, operation);
		}
	}
}

static void test_references_lead_somewhere(void **state)
{
	yaml_node_t *root = yaml_document_get_root_node(&document);
	size_t found = 0;

	(void)state;
	for (int i = 1; node(i); i++) {
		const char *ref = text(get(node(i), "$ref"));
		yaml_node_t *at = root;
		char path[256], *part, *rest = path;

		if (!ref)
			continue;
		assert_int_equal(strncmp(ref, "#/", 2), 0);
		snprintf(path, sizeof(path), "%s", ref + 2);
		while ((part = strsep(&rest, "/")))
			at = get(at, part);
		if (!at)
			fail_msg("%s leads nowhere", ref);
		found++;
	}
	assert_true(found > 50);
}

static void test_version_is_ours(void **state)
{
	(void)state;
	assert_string_equal(
	    text(get(get(yaml_document_get_root_node(&document), "info"), "version")),
	    CALLGATE_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_row_is_documented),
	    cmocka_unit_test(test_every_operation_is_served_and_whole),
	    cmocka_unit_test(test_references_lead_somewhere),
	    cmocka_unit_test(test_version_is_ours),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
