/*
 * The static helper of the battery: all verbs of the escape tests' probe, and further ones that
 * take arguments. Exit 0: the wall held, 1: it did not, 2: no such verb; what a verb of its own
 * says stands beside it.
 */
int escape_main(int argc, char **argv);
#define main escape_main
#include "../escape/probe.c"
#undef main

/* as_name NAME FILE ARGS...: the file and what it calls itself are not the same. */
static int as_name(char **argv)
{
	char *file = argv[3];

	argv[3] = argv[2];
	execv(file, argv + 3);
	fprintf(stderr, "errno %d: %s\n", errno, strerror(errno));
	return 126;
}

/* make_file [ANYTHING] FILE: opens it for writing, creating it; errno on stderr. */
static int make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0) {
		fprintf(stderr, "errno %d: %s\n", errno, strerror(errno));
		return HELD;
	}
	close(fd);
	return BREACHED;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "as_name") == 0)
		return as_name(argv);
	if (argc >= 3 && strcmp(argv[1], "make_file") == 0)
		return make_file(argv[argc - 1]);
	return escape_main(argc, argv);
}
