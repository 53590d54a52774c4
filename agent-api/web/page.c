#include "agent-api/web/page.h"

#include <string.h>

#include "agent-api/web/web.h"
#include "supervisor/base/cleanup.h"

/* Nothing from elsewhere, no code in the markup, nobody may frame it or be told of its address. */
#define POLICY                                                                                     \
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "            \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "                            \
	"require-trusted-types-for 'script'"

static void answer_file(
    struct web *web, struct http_request *request, const char *name, const char *type)
{
	struct reply cleanup_with(reply_fini) reply;
	const struct page_file *file = page_files;

	while (file->name && strcmp(file->name, name) != 0)
		file++;
	if (!file->name) {
		web_answer_error(web, request, 404, "this program was built without its page");
		return;
	}
	reply_init(&reply, 200);
	reply.type = type;
	buf_put(&reply.body, file->text, file->len);
	reply_field(&reply, "Content-Security-Policy", "%s", POLICY);
	reply_field(&reply, "Referrer-Policy", "no-referrer");
	reply_field(&reply, "X-Frame-Options", "DENY");
	reply_field(&reply, "Cross-Origin-Opener-Policy", "same-origin");
	reply_field(&reply, "Cross-Origin-Resource-Policy", "same-origin");
	web_answer(web, request, &reply);
}

void page_html(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	(void)match;
	(void)route;
	answer_file(web, request, "index.html", "text/html; charset=utf-8");
}

void page_css(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	(void)match;
	(void)route;
	answer_file(web, request, "page.css", "text/css; charset=utf-8");
}

void page_js(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	(void)match;
	(void)route;
	answer_file(web, request, "page.js", "text/javascript; charset=utf-8");
}
