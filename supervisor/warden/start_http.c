/*
 * The steps of the start that HTTP and courier are about: what is looked at before anything runs,
 * and the two programs themselves.
 */
#include "supervisor/warden/listen_http.h"
#include "supervisor/warden/secrets.h"
#include "supervisor/warden/warden.h"

/* A daemon that has the socket has the port, too, most likely; one that starts has neither. */
int start_find_port(struct warden *warden, struct err_note *note)
{
	const struct config *config = warden->config;

	return listen_http_check(
	    config->policy, config->folder, listen_is_answered(warden->socket), note);
}

/* With --check there is no nursery, and no user namespace of ours that would need it. */
int start_read_site(struct warden *warden, struct err_note *note)
{
	return site_read(warden->config, NULL, &warden->site, note);
}

int start_find_secrets(struct warden *warden, struct err_note *note)
{
	struct secrets secrets = {.items = NULL};
	int fault = secrets_find(warden->config, &secrets, note);

	secrets_fini(&secrets);
	return fault;
}

/* The HTTP front says whether it can serve so, before anybody is served. */
int start_siblings(struct warden *warden, struct err_note *note)
{
	const struct config *config = warden->tools->config;
	const struct policy_pos pos = config->policy->http.tls.pos;
	struct err_note what = {"HTTP"};
	uint64_t serial;
	int fault;

	siblings_init(warden);
	fault = siblings_offer(warden, warden->site, &serial, note);
	if (fault || !serial)
		return fault;
	if (warden->site->files[SITE_KEY] >= 0)
		(void)err_note(
		    &what, 0, "%s:%u:%u: server.tls", config->file, pos.line, pos.column);
	warden->awaited = (struct awaited){.serial = serial};
	return warden_await(warden, what.text, note);
}

int start_introduce(struct warden *warden, struct err_note *note)
{
	(void)note;
	siblings_introduce(warden);
	return 0;
}
