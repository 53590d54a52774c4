#include "supervisor/warden/hashes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/base/clock.h"

int hashes_stamp(int fd, struct program_stamp *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (struct program_stamp){
	    .dev = st.st_dev,
	    .ino = st.st_ino,
	    .size = (uint64_t)st.st_size,
	    .mtime_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec,
	    .ctime_ns = st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec,
	};
	return 0;
}

static const struct hash_entry *find(const struct hashes *hashes, const struct program_stamp *stamp)
{
	for (uint32_t i = 0; i < hashes->count; i++)
		if (!memcmp(&hashes->entries[i].stamp, stamp, sizeof(*stamp)))
			return &hashes->entries[i];
	return NULL;
}

static void remember(
    struct hashes *hashes, const struct program_stamp *stamp, const struct digest *digest)
{
	int64_t now = (int64_t)clock_wall_us() * 1000;
	struct hash_entry *entry;

	if (stamp->ctime_ns > now - HASHES_FRESH_NS || stamp->mtime_ns > now - HASHES_FRESH_NS)
		return;
	if (hashes->count < HASHES_MAX)
		entry = &hashes->entries[hashes->count++];
	else
		entry = &hashes->entries[hashes->next++ % HASHES_MAX];
	entry->stamp = *stamp;
	entry->digest = *digest;
}

int hashes_of(struct hashes *hashes, int read_fd, uint64_t max, struct program_stamp *ret_stamp,
    struct digest *ret_digest)
{
	struct program_stamp before, after;
	const struct hash_entry *known;
	struct digest digest;
	uint64_t len;
	int fault = hashes_stamp(read_fd, &before);

	if (fault)
		return fault;
	if (before.size > max)
		return -EFBIG;
	known = find(hashes, &before);
	if (known) {
		*ret_stamp = before;
		*ret_digest = known->digest;
		return 0;
	}
	fault = digest_of_fd(&digest, read_fd, before.size, &len);
	if (fault == -EFBIG)
		return -EAGAIN; /* it grew meanwhile */
	if (!fault)
		fault = hashes_stamp(read_fd, &after);
	if (fault)
		return fault;
	if (len != before.size || memcmp(&before, &after, sizeof(before)))
		return -EAGAIN;
	remember(hashes, &before, &digest);
	*ret_stamp = before;
	*ret_digest = digest;
	return 0;
}
