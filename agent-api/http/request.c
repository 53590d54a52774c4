#include "agent-api/http/request.h"

#include <errno.h>

#include "agent-api/http/connection.h"
#include "agent-api/http/server_inside.h"
#include "supervisor/base/cleanup.h"

static struct http_work *work_of(struct http_request *request)
{
	return (struct http_work *)request;
}

static struct http_manner manner_of(struct http_work *work)
{
	struct http_connection *connection = work->connection;

	connection->last |= connection->server->draining;
	return (struct http_manner){
	    .date = http_server_date(connection->server),
	    .head_only = work->request.head->method == HTTP_METHOD_HEAD,
	    .close = connection->last,
	    .old = work->request.head->minor == 0,
	};
}

/* In place of an answer that the owner made wrongly. */
static int answer_wrong(struct http_connection *connection, const struct http_manner *manner)
{
	struct http_reply reply = {.status = 500};
	int r = http_answer_put(&connection->out, &reply, manner);

	if (r == 0)
		r = http_connection_finish(connection);
	else
		http_connection_drop(connection);
	return r == -EPIPE ? -EPIPE : -EINVAL;
}

int http_answer(struct http_request *request, const struct http_reply *reply)
{
	struct http_connection *connection = work_of(request)->connection;
	struct http_manner manner = manner_of(work_of(request));

	if (http_answer_put(&connection->out, reply, &manner) == -EINVAL)
		return answer_wrong(connection, &manner);
	return http_connection_finish(connection); /* looks at the fault of out */
}

int http_stream_begin(struct http_request *request, const struct http_reply *reply, bool events)
{
	struct http_work *work = work_of(request);
	struct http_connection *connection = work->connection;
	struct http_manner manner = manner_of(work);

	manner.close |= manner.old;
	connection->last = manner.close;
	if (http_answer_put_stream(&connection->out, reply, &manner) == -EINVAL)
		return answer_wrong(connection, &manner);
	if (manner.head_only)
		return http_connection_finish(connection) < 0 ? -EPIPE : 1;
	work->chunked = !manner.old;
	work->events = events;
	connection->state = HTTP_CONNECTION_STREAMING;
	http_connection_wait(connection, HTTP_DEADLINE_TICK);
	return http_stream_put(request, NULL, 0);
}

size_t http_stream_queued(const struct http_request *request)
{
	return http_connection_queued(((const struct http_work *)request)->connection);
}

int http_stream_put(struct http_request *request, const void *bytes, size_t len)
{
	struct http_work *work = work_of(request);
	struct http_connection *connection = work->connection;

	if (http_connection_queued(connection) > HTTP_OUTPUT_MAX ||
	    http_answer_put_bytes(&connection->out, bytes, len, work->chunked) < 0 ||
	    http_connection_flush(connection) < 0) {
		http_connection_drop(connection);
		return -EPIPE;
	}
	http_connection_settle(connection);
	return 0;
}

int http_stream_event(struct http_request *request, const struct http_event *event)
{
	struct buf cleanup_with(buf_fini) text;
	int r;

	buf_init(&text, HTTP_OUTPUT_MAX);
	r = http_event_put(&text, event);
	if (r == -EINVAL)
		return r;
	if (r < 0) {
		http_connection_drop(work_of(request)->connection);
		return -EPIPE;
	}
	return http_stream_put(request, text.data, text.len);
}

void http_stream_end(struct http_request *request)
{
	struct http_work *work = work_of(request);
	struct http_connection *connection = work->connection;

	if (work->chunked)
		(void)http_answer_put_end(&connection->out); /* finish looks at the fault */
	(void)http_connection_finish(connection);            /* nobody is left to be told */
}

void http_request_abandon(struct http_request *request)
{
	http_connection_drop(work_of(request)->connection);
}
