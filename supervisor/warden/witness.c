#include "supervisor/warden/witness.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

enum exit_how witness_event(const struct cell_event *event)
{
	if (event->reached == CELL_REACHED_MEMORY)
		return EXIT_HOW_OOM;
	if (event->reached == CELL_REACHED_CPU)
		return EXIT_HOW_CPU;
	return event->signaled ? EXIT_HOW_SIGNALED : EXIT_HOW_EXITED;
}

/* Of a process that the kernel killed, or that left nothing free. */
static enum exit_how limit_of(enum exit_how how, int64_t code, enum cell_reached reached)
{
	if (how == EXIT_HOW_SIGNALED && code == SIGXCPU)
		return EXIT_HOW_CPU;
	if (how == EXIT_HOW_SIGNALED && code == SIGXFSZ)
		return EXIT_HOW_FILE;
	if (reached == CELL_REACHED_DISK)
		return EXIT_HOW_DISK;
	return reached == CELL_REACHED_INODES ? EXIT_HOW_INODES : how;
}

enum exit_how witness_how(
    enum exit_how how, int64_t code, enum cell_reached reached, const struct cgroup_usage *usage)
{
	switch (how) {
	case EXIT_HOW_EXITED:
		if (code == 0)
			return how; /* it coped */
		break;
	case EXIT_HOW_NONE:
	case EXIT_HOW_SIGNALED: break;
	case EXIT_HOW_DEADLINE:
	case EXIT_HOW_KILLED:
	case EXIT_HOW_OOM:
	case EXIT_HOW_PIDS:
	case EXIT_HOW_FAILED:
	case EXIT_HOW_STUCK:
	case EXIT_HOW_CPU:
	case EXIT_HOW_FILE:
	case EXIT_HOW_DISK:
	case EXIT_HOW_INODES: return how;
	}
	if (usage->oom_kills)
		return EXIT_HOW_OOM;
	if (usage->pids_refused)
		return EXIT_HOW_PIDS;
	return how == EXIT_HOW_NONE ? EXIT_HOW_FAILED : limit_of(how, code, reached);
}

void witness_remark(
    struct err_note *note, enum exit_how how, int64_t code, const struct cgroup_usage *usage)
{
	const unsigned long long kills = usage->oom_kills, refused = usage->pids_refused;

	if (note->text[0])
		return;
	if (how == EXIT_HOW_NONE)
		(void)err_note(note, 0, "the sandbox's init was killed; memory kills %llu", kills);
	else
		(void)err_note(note, 0, "memory kills %llu, processes refused %llu; %s %lld", kills,
		    refused, how == EXIT_HOW_SIGNALED ? "signal" : "exit status", (long long)code);
}

uint64_t witness_children_cpu_us(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_CHILDREN, &usage) < 0)
		return 0;
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void witness_split(char *text, const char **items, uint32_t max, struct strv *ret)
{
	struct strv list = {.items = items};
	char *word;

	while (text && list.count < max && (word = strsep(&text, " ")))
		if (word[0])
			items[list.count++] = word;
	*ret = list;
}
