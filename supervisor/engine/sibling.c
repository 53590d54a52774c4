#include "supervisor/engine/sibling.h"

#include <errno.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/fetch.h"
#include "supervisor/engine/peer.h"

#define NUMBER_BITS 40
#define NUMBER_MASK ((1ull << NUMBER_BITS) - 1)
#define AGE_MASK    ((1ull << (63 - NUMBER_BITS)) - 1)

/* ---- birth and death --------------------------------------------------------------------- */

static struct link *link_of(struct engine *engine, uint16_t sibling)
{
	return sibling == SIBLING_HTTP ? &engine->http : &engine->courier;
}

bool sibling_is(const struct engine *engine, const struct link *link)
{
	return link == &engine->http || link == &engine->courier;
}

static void drop_early(int *at)
{
	if (*at > 0)
		close(*at);
	*at = 0;
}

/* The link first: what the death of a peer has to say finds nobody, and is dropped. */
void sibling_lost(struct engine *engine, struct link *link)
{
	if (!sibling_is(engine, link) || !link->name)
		return;
	log_info("%s: closed", link->name);
	link_close(link);
	link->name = NULL;
	if (link == &engine->courier) {
		fetch_lost(engine);
		return;
	}
	engine->http_age++;
	peer_gone_all(engine, PEER_IS_HTTP);
	engine->http_counts.connections = engine->http_counts.idle = 0;
	engine->http_counts.streams = 0;
}

static int open_sibling(
    struct engine *engine, enum sibling_kind sibling, int fd, link_handler *handler)
{
	const char *name = sibling == SIBLING_HTTP ? "link to HTTP front" : "link to courier";
	struct link *link = link_of(engine, sibling);
	int fault = link_open(link, engine->loop, fd, name, handler, engine);

	if (fault)
		link->name = NULL;
	return fault;
}

int sibling_take(struct engine *engine, struct message *message, link_handler *handler)
{
	uint16_t sibling = message->u.sibling.sibling;
	int *early = sibling == SIBLING_HTTP ? &engine->early_http : &engine->early_courier;
	int fd;

	if (sibling == SIBLING_NONE)
		return -EBADMSG;
	sibling_lost(engine, link_of(engine, sibling));
	drop_early(early);
	fd = message_take_fd(message, 0);
	if (fd < 0)
		return 0;
	if (engine->rules)
		return open_sibling(engine, (enum sibling_kind)sibling, fd, handler);
	*early = fd;
	return 0;
}

int sibling_open_all(struct engine *engine, link_handler *handler)
{
	int fault = 0;

	if (engine->early_http > 0)
		fault = open_sibling(engine, SIBLING_HTTP, engine->early_http, handler);
	engine->early_http = 0;
	if (!fault && engine->early_courier > 0) {
		fault = open_sibling(engine, SIBLING_COURIER, engine->early_courier, handler);
		engine->early_courier = 0;
	}
	return fault;
}

void sibling_free_all(struct engine *engine)
{
	drop_early(&engine->early_http);
	drop_early(&engine->early_courier);
	link_close(&engine->http);
	link_close(&engine->courier);
}

/* ---- whose peer is it -------------------------------------------------------------------- */

static uint64_t age_bits(const struct engine *engine)
{
	return (engine->http_age & AGE_MASK) << NUMBER_BITS;
}

static uint64_t *peer_in(struct message *message)
{
	const struct {
		enum message_type type;
		uint64_t *peer;
	} places[] = {
	    {MESSAGE_PEER, &message->u.peer.peer},
	    {MESSAGE_PEER_GONE, &message->u.peer_gone.peer},
	    {MESSAGE_CANCEL, &message->u.cancel.peer},
	    {MESSAGE_REQUEST, &message->u.request.peer},
	    {MESSAGE_RESPONSE, &message->u.response.peer},
	    {MESSAGE_VISITOR, &message->u.visitor.peer},
	    {MESSAGE_NOTIFY, &message->u.notify.peer},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i].type == message->type)
			return places[i].peer;
	return NULL;
}

int sibling_read_peer(const struct engine *engine, const struct link *link, struct message *message)
{
	uint64_t *peer = peer_in(message);

	if (!peer)
		return 0;
	if (link != &engine->http)
		return *peer & PEER_IS_HTTP ? -EBADMSG : 0;
	if (!(*peer & PEER_IS_HTTP) || (*peer & ~PEER_IS_HTTP) > NUMBER_MASK)
		return -EBADMSG;
	*peer |= age_bits(engine);
	return 0;
}

const struct link *sibling_of_peer(const struct engine *engine, uint64_t peer)
{
	return peer & PEER_IS_HTTP ? &engine->http : &engine->front;
}

int sibling_send_peer(struct engine *engine, uint64_t peer, struct message *message)
{
	uint64_t *named = peer_in(message);

	if (!(peer & PEER_IS_HTTP))
		return engine_send(engine, &engine->front, message);
	if ((peer & (AGE_MASK << NUMBER_BITS)) != age_bits(engine))
		return -EPIPE;
	if (named)
		*named = peer & (PEER_IS_HTTP | NUMBER_MASK);
	return engine_send(engine, &engine->http, message);
}

/* ---- what it counted --------------------------------------------------------------------- */

int sibling_counts(struct engine *engine, struct message *message)
{
	const struct message_counts *told = &message->u.counts;
	struct message_counts *kept = &engine->http_counts;

	kept->health += told->health;
	kept->refused += told->refused;
	kept->answered += told->answered;
	kept->connections = told->connections;
	kept->idle = told->idle;
	kept->streams = told->streams;
	return 0;
}
