/*
 * What one client may make us hold, in one place; PROTOCOL.md tells clients. Floor 1.
 */
#ifndef CALLGATE_WIRE_LIMITS_H
#define CALLGATE_WIRE_LIMITS_H

/* One message, its newline not counted. */
#define WIRE_MESSAGE_MAX (1024 * 1024)
/* Nesting of arrays and objects; 1 is the message itself. */
#define WIRE_DEPTH_MAX 32
/* Values and keys in one message, so that 1 MiB of "{}," costs megabytes and not gigabytes. */
#define WIRE_ELEMENTS_MAX 16384
/* Bytes of a string id. */
#define WIRE_ID_MAX 128
/* Messages in one batch of MCP 2025-03-26. */
#define WIRE_BATCH_MAX 64
/* Bytes of a progress token that is a string. */
#define WIRE_TOKEN_MAX 128
/* JSON of what a client answers to input_required: inputResponses and requestState. */
#define WIRE_RETRY_MAX (8 * 1024)
/* Bytes of a tool name that is looked up at all. */
#define WIRE_TOOL_MAX 128
/* The JSON of one result or error object; below MESSAGE_BODY_MAX of link/message.h. */
#define WIRE_RESULT_MAX (3 * 1024 * 1024)

/* A command tool's arguments. The argv travels in one datagram of link/message.h (64 KiB), each
 * string with a length and a NUL. */
#define WIRE_COMMAND_MAX    (32 * 1024) /* bytes of `command` */
#define WIRE_ARGV_MAX       4096        /* strings of `argv` */
#define WIRE_ARGV_BYTES_MAX (48 * 1024) /* sum of lengths + WIRE_ARGV_EACH per string */
#define WIRE_ARGV_EACH      5
#define WIRE_CWD_MAX        1024

#endif
