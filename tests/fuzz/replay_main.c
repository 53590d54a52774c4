/*
 * Replays corpus files through a harness without libFuzzer, so that every build, with any
 * compiler and sanitizer, keeps what the fuzzer once found. Exit 0 when all files went through.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define INPUT_MAX (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	int cleanup_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char cleanup_free *text = NULL;
	uint8_t cleanup_free *exact = NULL;
	size_t len = 0;
	int r = fd < 0 ? -1 : fd_read_all(fd, INPUT_MAX, &text, &len);

	if (r < 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return 1;
	}
	/* A copy of exactly this size, so that a sanitizer sees a read of one byte beyond. */
	exact = malloc(len ? len : 1);
	if (!exact)
		return 1;
	memcpy(exact, text, len);
	(void)LLVMFuzzerTestOneInput(exact, len); /* 0 by contract; a failure aborts */
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	printf("%d inputs replayed\n", argc - 1);
	return failed;
}
