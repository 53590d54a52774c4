/*
 * The bytes of a connection become its requests: handed to the owner when they are whole, answered
 * here when they are refused. Each of these may close the connection. Private to this folder.
 */
#ifndef CALLGATE_HTTP_INTAKE_H
#define CALLGATE_HTTP_INTAKE_H

#include "agent-api/http/connection.h"

/* Takes bytes for as long as a request is wanted; what is left waits for the answer. */
void http_intake(struct http_connection *connection, const char *bytes, size_t len);
/* Goes on with bytes that came while another request was answered. */
void http_intake_kept(struct http_connection *connection);
/* The client has sent its last byte. */
void http_intake_end(struct http_connection *connection);
/* A request has begun and is not whole in time. */
void http_intake_late(struct http_connection *connection);

#endif
