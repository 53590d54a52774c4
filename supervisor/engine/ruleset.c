#include "supervisor/engine/ruleset.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/freeze.h"
#include "supervisor/base/fd.h"

static int thaw_checked(const void *bytes, size_t len, const struct digest *version,
    struct policy **ret, struct err_note *note)
{
	struct digest digest;
	int fault = digest_of(&digest, bytes, len);

	if (fault)
		return err_note(note, fault, "policy: cannot be hashed");
	if (!digest_equal(&digest, version))
		return err_note(note, -EBADMSG, "policy: its bytes are not the announced version");
	fault = policy_thaw(bytes, len, ret);
	if (fault)
		return err_note(note, fault, "policy: the frozen form does not decode");
	return 0;
}

int ruleset_thaw(int fd, const struct digest *version, struct ruleset **ret, struct err_note *note)
{
	struct ruleset *rules;
	const void *bytes;
	size_t len;
	int fault;

	if (fd < 0)
		return err_note(note, -EBADF, "policy: the message carries no descriptor");
	fault = fd_map_sealed(fd, POLICY_FROZEN_MAX, &bytes, &len);
	if (fault)
		return err_note(note, fault, "policy: the descriptor is not a sealed memory file");
	rules = calloc(1, sizeof(*rules));
	fault = rules ? thaw_checked(bytes, len, version, &rules->policy, note)
		      : err_note(note, -ENOMEM, "policy: out of memory");
	fd_unmap(bytes, len);
	if (!fault)
		fault = rulebook_new(rules->policy, &rules->book, note);
	if (fault) {
		if (rules)
			policy_free(rules->policy);
		free(rules);
		return fault;
	}
	rules->version = *version;
	rules->uses = 1;
	*ret = rules;
	return 0;
}

struct ruleset *ruleset_hold(struct ruleset *rules)
{
	rules->uses++;
	return rules;
}

struct ruleset *ruleset_drop(struct ruleset *rules)
{
	if (rules && --rules->uses == 0) {
		rulebook_free(rules->book);
		policy_free(rules->policy);
		free(rules);
	}
	return NULL;
}
