/*
 * What clients may make the HTTP front hold, each and together, and how long it waits. Per message:
 * agent-api/wire/limits.h; per connection: agent-api/http/server.h. Floor 3.
 */
#ifndef CALLGATE_WEB_LIMITS_H
#define CALLGATE_WEB_LIMITS_H

#define WEB_CONNECTIONS_MAX 10000
#define WEB_IN_FLIGHT_MAX   2048 /* requests with engine */
#define WEB_IN_FLIGHT_EACH  256  /* of one address (IPv6: of one /64), or of one uid */
#define WEB_BATCHES_MAX     16   /* whose answers are gathered, of all */
#define WEB_BATCHES_EACH    4    /* of one address or uid */
#define WEB_BUCKETS         1024 /* of the tables that find them; a power of two */
/* A call that is not answered by then is answered by a stream, so that its client sees life. While
 * a token may have to wait for its issuer's keys the answer may still be 401, which must be a
 * status: then longer. */
#define WEB_PATIENCE_MS       100
#define WEB_PATIENCE_TOKEN_MS 2000
#define WEB_COUNTS_MS         60000
#define WEB_LAST_MS           1500              /* for the last answers, after engine has left */
#define WEB_CALLBACK_MAX      (64 * 1024)       /* bytes of a channel's answer */
#define WEB_PEM_MAX           (1024 * 1024)     /* bytes of one file of TLS */
#define WEB_ANSWER_MAX        (5 * 1024 * 1024) /* a body of link/message.h in its envelope */

#endif
