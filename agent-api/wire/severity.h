/*
 * How severe a log message is: the eight levels of RFC 5424 as MCP names them, the least severe
 * first. Pure; floor 1: base.
 */
#ifndef CALLGATE_WIRE_SEVERITY_H
#define CALLGATE_WIRE_SEVERITY_H

#define SEVERITY_NAMES                                                                             \
	"debug, info, notice, warning, error, critical, alert or emergency" /* for sentences */

/* As a wish: that and whatever is more severe. */
enum severity {
	SEVERITY_NONE = 0, /* no message has it; as a wish: no messages */
	SEVERITY_DEBUG,
	SEVERITY_INFO,
	SEVERITY_NOTICE,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
	SEVERITY_CRITICAL,
	SEVERITY_ALERT,
	SEVERITY_EMERGENCY,
	SEVERITY_COUNT,
};

/* name: may be NULL. SEVERITY_NONE: it is none of the eight. */
enum severity severity_from_name(const char *name);
/* "" for SEVERITY_NONE. */
const char *severity_name(enum severity severity);

#endif
