#include "agent-api/web/visitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/web/head_field.h"

/* Copies into the room that was made; once, so that no credential is left behind by growing. */
static const char *keep(struct visitor *visitor, const char *prefix, struct http_text text)
{
	char *at = visitor->text + visitor->used;
	size_t prefix_len = strlen(prefix);

	memcpy(at, prefix, prefix_len);
	if (text.len > 0)
		memcpy(at + prefix_len, text.at, text.len);
	at[prefix_len + text.len] = '\0';
	visitor->used += prefix_len + text.len + 1;
	return at;
}

static struct http_text text_of(const char *text)
{
	return (struct http_text){text, strlen(text)};
}

static const char *san_prefix(enum http_name_kind kind)
{
	switch (kind) {
	case HTTP_NAME_URI: return "URI:";
	case HTTP_NAME_DNS: return "DNS:";
	case HTTP_NAME_EMAIL: return "EMAIL:";
	case HTTP_NAME_NONE: break;
	}
	return NULL;
}

static void show_certificate(
    struct message_visitor *to, struct visitor *visitor, const struct http_certificate *certificate)
{
	_Static_assert(sizeof(certificate->sha256) == sizeof(to->certificate.bytes), "SHA-256");
	uint32_t count = 0;

	for (size_t i = 0; i < certificate->count; i++) {
		const char *prefix = san_prefix(certificate->names[i].kind);

		if (prefix)
			visitor->sans[count++] =
			    keep(visitor, prefix, text_of(certificate->names[i].text));
	}
	to->subject = certificate->subject;
	memcpy(to->certificate.bytes, certificate->sha256, sizeof(to->certificate.bytes));
	to->sans = (struct strv){visitor->sans, count};
}

static size_t room_for(const struct http_request *request)
{
	const struct http_certificate *certificate = request->certificate;
	size_t room = 3 + head_field(request->head, "authorization").len +
		      head_field(request->head, "x-api-key").len + request->head->path.len;

	for (size_t i = 0; certificate && i < certificate->count; i++)
		room += sizeof("EMAIL:") + strlen(certificate->names[i].text);
	return room;
}

/* A proxy's connection is of the proxy's user, and what it forwards is not his. Where the policy
 * calls the peers of the Unix path proxies, all that they send is forwarded, marked or not. */
static bool is_forwarded(const struct http_request *request)
{
	const struct http_head *head = request->head;
	static const char *const fields[] = {"forwarded", "x-forwarded-for", "x-forwarded-proto",
	    "x-forwarded-host", "x-real-ip", "via"};
	struct http_text value;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (http_head_find(head, fields[i], &value) != HTTP_FOUND_NONE)
			return true;
	}
	return request->client.proxied;
}

int visitor_init(struct visitor *visitor, const struct site *site,
    const struct http_request *request, const struct visitor_facts *facts)
{
	const struct http_head *head = request->head;
	struct message_visitor *to = &visitor->message.u.visitor;

	message_init(&visitor->message, MESSAGE_VISITOR);
	visitor->used = 0;
	visitor->size = room_for(request);
	visitor->text = malloc(visitor->size);
	if (!visitor->text)
		return -ENOMEM;
	*to = (struct message_visitor){.peer = facts->peer,
	    .https = request->client.https,
	    .local = request->local.known && !is_forwarded(request),
	    .uid = request->local.uid,
	    .gid = request->local.gid,
	    .pid = (uint32_t)request->local.pid,
	    .address = http_address_text(visitor->address, &request->client.address),
	    .authorization = keep(visitor, "", head_field(head, "authorization")),
	    .api_key = keep(visitor, "", head_field(head, "x-api-key")),
	    .subject = "",
	    .method = http_method_name(head->method),
	    .path = keep(visitor, "", head->path),
	    .request_id = facts->request_id,
	    .revision = facts->revision,
	    .excluded = site_lists(&site->said->excluded_paths, head->path)};
	if (request->certificate)
		show_certificate(to, visitor, request->certificate);
	return 0;
}

void visitor_fini(struct visitor *visitor)
{
	if (visitor->text)
		explicit_bzero(visitor->text, visitor->size);
	free(visitor->text);
	visitor->text = NULL;
}

bool visitor_shows_something(const struct http_request *request)
{
	return head_field(request->head, "authorization").at ||
	       head_field(request->head, "x-api-key").at || request->certificate ||
	       request->local.known;
}

/* A /64 is what one customer has. */
bool visitor_same_client(const struct http_request *a, const struct http_request *b)
{
	if (a->client.address.family != b->client.address.family)
		return false;
	if (a->client.address.family == 0)
		return a->local.uid == b->local.uid;
	return memcmp(a->client.address.bytes, b->client.address.bytes,
		   a->client.address.family == 6 ? 8 : 4) == 0;
}

static int add(struct digest_stream *stream, struct http_text text)
{
	uint64_t len = text.at ? text.len + 1 : 0;
	int r = digest_stream_add(stream, &len, sizeof(len));

	return r == 0 && text.len > 0 ? digest_stream_add(stream, text.at, text.len) : r;
}

int visitor_bond(const struct http_request *request, struct http_text session, struct digest *ret)
{
	static const uint8_t none[32];
	uint64_t uid = request->local.known ? (uint64_t)request->local.uid + 1 : 0;
	struct digest_stream *stream = digest_stream_new();
	int r;

	if (!stream)
		return -ENOMEM;
	r = add(stream, head_field(request->head, "authorization"));
	if (r == 0)
		r = add(stream, head_field(request->head, "x-api-key"));
	if (r == 0)
		r = add(stream, session);
	if (r == 0)
		r = digest_stream_add(stream,
		    request->certificate ? request->certificate->sha256 : none, sizeof(none));
	if (r == 0)
		r = digest_stream_add(stream, &uid, sizeof(uid));
	if (r == 0)
		r = digest_stream_end(stream, ret);
	digest_stream_free(stream);
	return r;
}
