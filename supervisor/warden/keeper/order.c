#include "supervisor/warden/keeper/order.h"

#include <errno.h>
#include <stdlib.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

int order_paths(const struct strv *paths)
{
	struct buf cleanup_with(buf_fini) out;

	buf_init(&out, JOB_LIST_MAX);
	buf_put_u32(&out, paths->count);
	for (uint32_t i = 0; i < paths->count; i++)
		buf_put_str(&out, paths->items[i]);
	return out.fault ? out.fault : fd_sealed("callgate-paths", out.data, out.len);
}

static int read_paths(int fd, struct strv *ret)
{
	struct reader in;
	const void *bytes;
	size_t len;
	uint32_t count;
	int fault = fd_map_sealed(fd, JOB_LIST_MAX, &bytes, &len);

	if (fault)
		return fault;
	reader_init(&in, bytes, len);
	count = reader_u32(&in);
	if (in.fault || count > EFFECTS_MAX)
		return -EBADMSG;
	ret->items = calloc(count + 1, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (ret->count = 0; ret->count < count; ret->count++)
		ret->items[ret->count] = reader_str(&in);
	return reader_end(&in);
}

static int read_list(int fd, struct effects *ret)
{
	const void *bytes;
	size_t len;
	int fault = fd_map_sealed(fd, JOB_LIST_MAX, &bytes, &len);

	if (!fault) {
		fault = effects_decode(ret, bytes, len);
		fd_unmap(bytes, len);
	}
	return fault;
}

int order_read(struct order *ret, const struct keeper_ask *ask, const int *fds, size_t fd_count)
{
	int fault = 0;

	*ret = (struct order){.commit = {.call = ask->call,
				  .shown = &ask->effects,
				  .list = &ret->list,
				  .paths = &ret->paths,
				  .written = ask->written}};
	if (ask->op == KEEPER_COMMIT)
		fault = read_list(fds[0], &ret->list);
	if (!fault && ask->op != KEEPER_RECOVER)
		fault = read_paths(fds[fd_count - 1], &ret->paths);
	return fault;
}
