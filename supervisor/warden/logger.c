#include "supervisor/warden/logger.h"

#include <string.h>

#include "supervisor/warden/warden.h"

enum log_level logger_level(const struct policy *policy)
{
	if (!strcmp(policy->log_level, "error"))
		return LOG_LEVEL_ERROR;
	if (!strcmp(policy->log_level, "warn"))
		return LOG_LEVEL_WARN;
	return strcmp(policy->log_level, "debug") ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

enum log_format logger_format(const struct policy *policy)
{
	return strcmp(policy->log_format, "json") ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;
}

void logger_change(struct warden *warden, const struct policy *policy)
{
	struct message message;
	int fault;

	log_set(logger_level(policy), logger_format(policy));
	message_init(&message, MESSAGE_LOGGER);
	message.u.logger.level = (uint16_t)logger_level(policy);
	message.u.logger.format = (uint16_t)logger_format(policy);
	fault = link_send(&warden->engine, &message);
	if (fault)
		stop_lost(warden, "callgate-engine", fault);
	fault = link_send(&warden->auditor, &message);
	if (fault)
		stop_lost(warden, "callgate-auditor", fault);
	siblings_tell_logger(warden, &message);
}
