/*
 * The routes that engine answers, but for MCP: body, path and query become the params of one
 * request. What is read here is the form; engine judges the rest. Floor 3.
 */
#ifndef CALLGATE_WEB_REST_H
#define CALLGATE_WEB_REST_H

#include "agent-api/web/routes.h"

/* The params are the body's object and, as fields of it, what the path names. */
route_handler rest_forward;
route_handler rest_tools, rest_call, rest_approvals, rest_callback, rest_keys, rest_contents,
    rest_metrics, rest_config;

#endif
