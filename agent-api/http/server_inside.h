/*
 * What connections ask of their server, and nobody outside this folder.
 */
#ifndef CALLGATE_HTTP_SERVER_INSIDE_H
#define CALLGATE_HTTP_SERVER_INSIDE_H

struct http_server;

/* A handle of the server or of a connection is closed. */
void http_server_handle_closed(struct http_server *server);
/* The Date of now, valid until the next call. */
const char *http_server_date(struct http_server *server);

#endif
