/*
 * A set of opened files by what they are (device and inode), not by what they are called: hard
 * links and symbolic links of one file are one member. Floor 1: libc only, never blocks.
 */
#ifndef CALLGATE_SANDBOX_INODES_H
#define CALLGATE_SANDBOX_INODES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct inode_key {
	uint64_t dev;
	uint64_t ino; /* 0: empty slot */
};

/* A zeroed struct is an empty set. */
struct inodes {
	struct inode_key *slots; /* owned; power of two of them */
	uint32_t cap;
	uint32_t count;
};

/* 0 (now a member), -ENOMEM, or -EINVAL for inode 0. */
int inodes_add(struct inodes *set, uint64_t dev, uint64_t ino);
bool inodes_has(const struct inodes *set, uint64_t dev, uint64_t ino);
void inodes_fini(struct inodes *set);

static inline int inodes_add_stat(struct inodes *set, const struct stat *st)
{
	return inodes_add(set, st->st_dev, st->st_ino);
}

static inline bool inodes_has_stat(const struct inodes *set, const struct stat *st)
{
	return inodes_has(set, st->st_dev, st->st_ino);
}

#endif
