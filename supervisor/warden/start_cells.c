/* The start's steps around cells: control groups, zygote, keeper, and the first cell. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/log.h"
#include "supervisor/warden/warden.h"
#include "sandbox/walls.h"

#define FIRST_CELL_MS 10000

int start_find_cgroups(struct warden *warden, struct err_note *note)
{
	struct err_note why = {""};

	(void)note;
	cgroup_open(&warden->cgroup, warden->user.root, &why);
	if (warden->cgroup.kind == CGROUP_NONE)
		log_info("%s", why.text);
	return 0;
}

int start_set_up_cells(struct warden *warden, struct err_note *note)
{
	int fault = cell_setup(&warden->host, note);

	if (!fault && warden->host.landlock_fault)
		log_warn("no Landlock (%s): the daemon's own parts are held by seccomp alone",
		    strerror(-warden->host.landlock_fault));
	return fault;
}

int start_zygote(struct warden *warden, struct err_note *note)
{
	struct pool_spec spec = {
	    .zygote = {.sock = -1, .pid = -1, .pidfd = -1},
	    .attacher = {.sock = -1},
	    .host = &warden->host,
	    .cgroup = &warden->cgroup,
	};
	struct walls walls;
	int fault = zygote_start(&warden->host, &spec.zygote, note);

	if (fault)
		return fault;
	/* An interrupt typed at the daemon's terminal is the daemon's to handle. */
	(void)setpgid(spec.zygote.pid, spec.zygote.pid);
	walls_read(&walls);
	if (warden->cgroup.kind != CGROUP_NONE && !wall_is_off(&walls, LAYER_CGROUP))
		fault = attach_start(&spec.attacher, note);
	pool_init(&warden->pool, &spec);
	if (fault)
		return fault;
	fault = start_watch(warden, WATCHED_ZYGOTE, NULL, warden->pool.zygote.pidfd);
	return fault ? err_note(note, fault, "zygote: %s", uv_strerror(fault)) : 0;
}

int start_keeper(struct warden *warden, struct err_note *note)
{
	struct overlays *overlays = &warden->overlays;
	int fault;

	warden->launcher.loop = &warden->loop;
	fault = keeper_start(&overlays->keeper, warden->host.root, warden->state.effects, note);
	if (fault)
		return fault;
	overlays->saved = warden->state.effects;
	fault = start_watch(warden, WATCHED_KEEPER, NULL, overlays->keeper.pidfd);
	if (!fault)
		fault = overlays_start(overlays, &warden->launcher);
	return fault ? err_note(note, fault, "keeper: %s", uv_strerror(fault)) : 0;
}

static int wait_for(int fd, const char *what, struct err_note *note)
{
	struct pollfd answer = {.fd = fd, .events = POLLIN};

	if (poll(&answer, 1, FIRST_CELL_MS) == 1)
		return 0;
	return err_note(note, -ETIMEDOUT, "%s within %d s", what, FIRST_CELL_MS / 1000);
}

static int watch_pool(struct warden *warden)
{
	struct pool *pool = &warden->pool;
	int fault = uv_poll_init(&warden->loop, &warden->zygote_answers, pool->zygote.sock);

	warden->zygote_answers.data = warden;
	if (!fault)
		fault = uv_poll_start(&warden->zygote_answers, UV_READABLE, on_zygote_answer);
	if (fault || pool->attacher.sock < 0)
		return fault;
	fault = uv_poll_init(&warden->loop, &warden->attacher_answers, pool->attacher.sock);
	if (!fault)
		fault = uv_poll_start(&warden->attacher_answers, UV_READABLE, on_attacher_answer);
	return fault;
}

/* A daemon that cannot prepare a cell would refuse every call: it says so now. */
int start_prepare_first_cell(struct warden *warden, struct err_note *note)
{
	struct pool *pool = &warden->pool;
	int fault = pool_fill(pool, 0);

	if (fault)
		return err_note_errno(note, err_note(note, fault, "zygote"));
	fault = wait_for(pool->zygote.sock, "no sandbox was prepared", note);
	if (!fault)
		fault = pool_answer(pool, note);
	if (!fault && pool->attaching_count)
		fault = wait_for(
		    pool->attacher.sock, "no sandbox was put into its control group", note);
	if (!fault && pool->attaching_count && pool_attached(pool))
		fault = err_note(note, -EPIPE, "the attacher is gone");
	if (fault)
		return fault;
	fault = watch_pool(warden);
	return fault ? err_note(note, fault, "zygote: %s", uv_strerror(fault)) : 0;
}
