#include "agent-api/front/budget.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/front/connection.h"
#include "agent-api/front/front.h"
#include "supervisor/base/log.h"

static bool is_gate(const struct holder *holder)
{
	return holder->call[0] != '\0';
}

/* ---- connections ------------------------------------------------------------------------ */

static bool is_of(const struct holder *holder, const struct message_peer *who)
{
	const char *call = who->call ? who->call : "";

	return strcmp(holder->call, call) == 0 && (call[0] || holder->uid == who->uid);
}

static struct holder *find(const struct front *front, const struct message_peer *who)
{
	struct holder *holder = front->budget.holders;

	while (holder && !is_of(holder, who))
		holder = holder->next;
	return holder;
}

static uint32_t kept_from(const struct front *front, const struct message_peer *who)
{
	bool inside = who->call && who->call[0];

	if (!inside && who->uid == 0)
		return 0;
	if (!inside && who->uid == front->budget.own_uid)
		return FRONT_KEPT_FOR_ROOT;
	return FRONT_KEPT_FOR_ROOT + FRONT_KEPT_FOR_OWN;
}

const char *budget_refuses(const struct front *front, const struct message_peer *who)
{
	const struct holder *holder = find(front, who);
	bool inside = who->call && who->call[0];

	if (inside && holder && holder->connections >= FRONT_GATE_CONNECTIONS)
		return "too many connections through this gate";
	if (!inside && holder && holder->connections >= FRONT_USER_CONNECTIONS)
		return "too many connections of this user; close some";
	if ((inside && front->budget.gate_connections >= FRONT_GATES_CONNECTIONS) ||
	    front->connection_count + kept_from(front, who) >= FRONT_CONNECTIONS_MAX)
		return "too many connections; try again later";
	return NULL;
}

struct holder *budget_join(struct front *front, const struct message_peer *who)
{
	struct holder *holder = find(front, who);

	if (!holder) {
		holder = calloc(1, sizeof(*holder));
		if (!holder)
			return NULL;
		holder->uid = who->uid;
		if (who->call)
			(void)snprintf(holder->call, sizeof(holder->call), "%s", who->call);
		holder->next = front->budget.holders;
		front->budget.holders = holder;
	}
	holder->connections++;
	front->budget.gate_connections += is_gate(holder);
	return holder;
}

void budget_leave(struct front *front, struct holder *holder)
{
	struct holder **at = &front->budget.holders;

	front->budget.gate_connections -= is_gate(holder);
	if (--holder->connections > 0)
		return;
	while (*at != holder)
		at = &(*at)->next;
	*at = holder->next;
	free(holder);
}

/* ---- bytes ------------------------------------------------------------------------------ */

static const struct limits {
	size_t user, gate, gates, all;
} limits[BUDGET_KINDS] = {
    [BUDGET_IN] = {FRONT_USER_IN_MAX, FRONT_GATE_IN_MAX, FRONT_GATES_IN_MAX, FRONT_IN_MAX},
    [BUDGET_OUT] = {FRONT_USER_OUT_MAX, FRONT_GATE_OUT_MAX, FRONT_GATES_OUT_MAX, FRONT_OUT_MAX},
};

/* Among whom somebody must give way, the narrowest first. */
enum scope {
	SCOPE_NONE = 0,
	SCOPE_OWN,
	SCOPE_GATES,
	SCOPE_ALL,
};

void budget_settle(
    struct front *front, struct holder *holder, enum budget_kind kind, size_t before, size_t after)
{
	holder->held[kind] += after - before;
	front->budget.held[kind] += after - before;
	if (is_gate(holder))
		front->budget.gates_held[kind] += after - before;
}

static enum scope exceeded(
    const struct front *front, const struct holder *holder, enum budget_kind kind, size_t more)
{
	const struct limits *limit = &limits[kind];
	const struct budget *budget = &front->budget;

	if (holder->held[kind] + more > (is_gate(holder) ? limit->gate : limit->user))
		return SCOPE_OWN;
	if (is_gate(holder) && budget->gates_held[kind] + more > limit->gates)
		return SCOPE_GATES;
	return budget->held[kind] + more > limit->all ? SCOPE_ALL : SCOPE_NONE;
}

static bool is_candidate(const struct connection *connection, const struct holder *asking,
    enum budget_kind kind, enum scope scope)
{
	const struct holder *holder = connection->holder;

	if (connection->held[kind] == 0 || (scope == SCOPE_OWN && holder != asking) ||
	    (scope == SCOPE_GATES && !is_gate(holder)))
		return false;
	/* What is everybody's own is not taken for the sake of others. */
	return kind == BUDGET_OUT || scope == SCOPE_OWN || holder->held[kind] > FRONT_IN_SURE;
}

/* Whose holder holds more; then who has kept us waiting for longer; then who holds more. */
static bool gives_way_before(
    const struct connection *one, const struct connection *other, enum budget_kind kind)
{
	if (one->holder->held[kind] != other->holder->held[kind])
		return one->holder->held[kind] > other->holder->held[kind];
	if (one->since[kind] != other->since[kind])
		return one->since[kind] < other->since[kind];
	return one->held[kind] >= other->held[kind]; /* of equals the older, which comes later */
}

static struct connection *choose(
    const struct front *front, const struct holder *asking, enum budget_kind kind, enum scope scope)
{
	struct connection *chosen = NULL;

	for (struct connection *at = front->connections; at; at = at->next) {
		if (is_candidate(at, asking, kind, scope) &&
		    (!chosen || gives_way_before(at, chosen, kind)))
			chosen = at;
	}
	return chosen;
}

int budget_make_room(struct connection *asking, size_t more)
{
	const struct holder *holder = asking->holder;
	struct front *front = asking->front;
	enum scope scope;

	while ((scope = exceeded(front, holder, BUDGET_IN, more)) != SCOPE_NONE) {
		struct connection *chosen = choose(front, holder, BUDGET_IN, scope);

		/* What is left is with engine, and has an end of its own. */
		if (!chosen)
			return scope != SCOPE_OWN &&
			       holder->held[BUDGET_IN] + more <= FRONT_IN_SURE;
		if (chosen == asking)
			return 0;
		connection_give_way(chosen);
	}
	return 1;
}

void budget_relieve(struct connection *asking)
{
	struct front *front = asking->front;

	while (asking->state != CONNECTION_CLOSED) {
		enum scope scope = exceeded(front, asking->holder, BUDGET_OUT, 0);
		struct connection *chosen = choose(front, asking->holder, BUDGET_OUT, scope);

		if (scope == SCOPE_NONE || !chosen)
			return;
		log_warn("peer %llu: closed, too many answers wait for it and others like it",
		    (unsigned long long)chosen->peer);
		connection_close(chosen);
	}
}

/* ---- patience --------------------------------------------------------------------------- */

/* Good-byes are outputs; other outputs are waited for as long as there is room. */
static bool waited_for(const struct connection *connection, uint64_t *ret_since)
{
	if (connection->state == CONNECTION_ENDING)
		*ret_since = connection->since[BUDGET_OUT];
	else
		*ret_since = connection->since[BUDGET_IN];
	return connection->state == CONNECTION_ENDING || connection->held[BUDGET_IN] > 0;
}

void budget_on_patience(uv_timer_t *timer)
{
	struct front *front = timer->data;
	uint64_t now = uv_now(&front->loop), oldest = UINT64_MAX, since;
	struct connection *next;

	for (struct connection *at = front->connections; at; at = next) {
		next = at->next;
		if (!waited_for(at, &since))
			continue;
		if (now - since < front->line_ms)
			oldest = since < oldest ? since : oldest;
		else if (at->state == CONNECTION_ENDING)
			connection_close(at);
		else
			connection_lose_patience(at);
		if (at->state == CONNECTION_ENDING && waited_for(at, &since) && since < oldest)
			oldest = since;
	}
	if (oldest != UINT64_MAX)
		(void)uv_timer_start(timer, budget_on_patience, oldest + front->line_ms - now, 0);
}
