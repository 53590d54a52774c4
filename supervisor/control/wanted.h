/*
 * What a new key or token shall be good for, as its options say: lists that grant what stands in
 * them, and nothing where they are empty. Floor 4: jansson.
 */
#ifndef CALLGATE_CONTROL_WANTED_H
#define CALLGATE_CONTROL_WANTED_H

#include <jansson.h>
#include <stdint.h>

/* Takes every --role, --tool, --agent, --namespace and --permission out of argv. An object with the
 * five lists, the empty ones too, owned by the caller; NULL after complaining. */
json_t *wanted_take(int *argc, char **argv);
/* "30d", "1h" to seconds. 0, or COMMAND_USAGE after complaining of the option. */
int wanted_seconds(const char *option, const char *text, uint64_t *ret_s);
/* A thing made once: its secret alone on standard output, or the whole answer as JSON. member:
 * where the secret is. An exit status. */
int wanted_print_secret(int as_json, const json_t *answer, const char *member);

#endif
