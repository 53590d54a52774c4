/*
 * Every message between processes: one table, one encoder, one decoder.
 *
 * Wire form: u32 magic, u16 type, u16 fd count, u64 serial, then the fields of the type in the
 * order of its table in message.c. Requests are even, the answer to request R is R + 1 and echoes
 * its serial, which is never 0; notices (>= 128) have no answer and serial 0. A message is at most
 * MESSAGE_MAX bytes; longer bodies travel as one sealed memfd, which message_decode() maps by
 * itself. Decoding checks lengths, NULs, counts, enum values, the number of descriptors and
 * trailing bytes; a message that does not decode comes from a broken sibling and ends the process
 * that reads it. doc/messages.md tells the story.
 * Floor 2. Strings are never NULL after decoding ("" instead) and never NULL-terminated early.
 */
#ifndef CALLGATE_LINK_MESSAGE_H
#define CALLGATE_LINK_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/evidence/receipt.h"

#define MESSAGE_MAX      (64 * 1024)       /* one datagram */
#define MESSAGE_INLINE   (32 * 1024)       /* a longer body becomes a memfd */
#define MESSAGE_BODY_MAX (4 * 1024 * 1024) /* the largest body */
#define MESSAGE_FDS      8                 /* descriptors besides the body's */
#define MESSAGE_STRV_MAX 16384             /* strings in one list */
#define CALL_ID_MAX      40

enum message_type {
	MESSAGE_NONE = 0,
	/* warden -> auditor, once. fds: journal directory, key directory. */
	MESSAGE_AUDIT_OPEN = 2,
	MESSAGE_AUDIT_OPENED = 3,
	/* engine or warden -> auditor; answered when durable. */
	MESSAGE_RECORD = 4,
	MESSAGE_RECORDED = 5,
	/* warden -> engine, at start and at each reload. fds: frozen policy (sealed memfd). */
	MESSAGE_POLICY = 6,
	MESSAGE_POLICY_TAKEN = 7,
	/* engine -> warden: what would run? */
	MESSAGE_PLAN = 8,
	MESSAGE_PLANNED = 9,
	/* engine -> warden: run exactly this. fds: stdin (sealed memfd) where the plan has one.
	 * LAUNCHED fds: read ends of stdout and stderr; with has_input the write end of stdin;
	 * with has_gate the end of the call's own gate that is for front. */
	MESSAGE_LAUNCH = 10,
	MESSAGE_LAUNCHED = 11,
	/* engine -> warden: reload or shut down. */
	MESSAGE_CONTROL = 12,
	MESSAGE_CONTROLLED = 13,
	/* front -> engine: one request of a client. */
	MESSAGE_REQUEST = 14,
	MESSAGE_REPLY = 15,
	/* warden -> engine and auditor, engine -> front: does your loop turn? Engine answers when
	 * front has. */
	MESSAGE_PING = 16,
	MESSAGE_PONG = 17,
	/* engine -> courier: one request to the outside. */
	MESSAGE_FETCH = 18,
	MESSAGE_FETCHED = 19,
	/* warden -> HTTP front, once at its start and at each reload: how it serves. fds, as sealed
	 * memfds and as has_tls and has_ca say: certificate chain, private key, client CA (PEM). */
	MESSAGE_SITE = 20,
	MESSAGE_SITE_TAKEN = 21,
	/* engine -> warden: take over, throw away, undo or look at what a call left behind. */
	MESSAGE_EFFECTS = 22,
	MESSAGE_EFFECTED = 23,

	/* warden -> engine: the tree is dead, with proof. */
	MESSAGE_EXITED = 128,
	/* engine -> warden: end this call's tree. */
	MESSAGE_KILL = 130,
	/* front -> engine. */
	MESSAGE_PEER = 132,
	MESSAGE_PEER_GONE = 134,
	MESSAGE_CANCEL = 136,
	/* engine -> front: a JSON-RPC notification for a connection (body: the whole object). */
	MESSAGE_NOTIFY = 138,
	/* warden -> engine and front: take no new calls, finish, exit. */
	MESSAGE_DRAIN = 140,
	/* engine -> front: the gate of a running call (sandbox.callgate): a connected stream
	 * socket on which each byte brings along the end of one new connection. fds: it; none
	 * when the call is over and the gate with it. */
	MESSAGE_GATE = 142,
	/* front -> engine: a client's answer to a request that a NOTIFY brought it. */
	MESSAGE_RESPONSE = 144,
	/* warden -> engine and auditor, engine -> front: how to log from now on. */
	MESSAGE_LOGGER = 146,
	/* warden -> engine: the HTTP front or courier was started (fds: the end of its link) or is
	 * gone (none). Whatever it was asked and has not answered is lost. */
	MESSAGE_SIBLING = 148,
	/* HTTP front -> engine: one HTTP request and what it shows; a peer until PEER_GONE. */
	MESSAGE_VISITOR = 150,
	/* HTTP front -> engine, once a minute and before each METRICS request: what was answered
	 * without it. */
	MESSAGE_COUNTS = 152,
	/* warden -> courier, first of all and at each reload: where it may go. fds: CA certificates
	 * (PEM, sealed memfd) beside the system's, as has_ca says. */
	MESSAGE_OUTGOING = 154,
	/* engine -> courier: nobody waits for the FETCH named any more; it is dropped, and
	 * not answered unless its answer is on the way. */
	MESSAGE_FORGET = 156,
};

/* Peers of the HTTP front have this bit in their number, those of the Unix front never. */
#define PEER_IS_HTTP (1ull << 63)

/* A list of strings; after decoding the array is owned by the message, the strings point into
 * it, and a NULL stands behind the last. */
struct strv {
	const char **items;
	uint32_t count;
};

struct bytes {
	const void *data; /* borrowed when encoding; owned by the message when decoded */
	size_t len;
};

/* Zero means refused, here as everywhere. */
enum answer_status {
	ANSWER_NONE = 0,
	ANSWER_OK = 1,
	ANSWER_REFUSED = 2,     /* understood and not allowed; note says why */
	ANSWER_UNAVAILABLE = 3, /* a missing wall, a full disk, a dead sibling; note says why */
	ANSWER_VOID = 4,        /* LAUNCH only: the plan is no longer what was decided */
};

struct message_audit_open {
	uint8_t receipt_key[KEY_LEN];
	const char *origin;  /* name of this gate in checkpoints, used at genesis */
	const char *journal; /* path, for notes only */
};
struct message_audit_opened {
	uint16_t status;
	uint64_t size; /* lines in the journal */
	struct digest root;
	uint64_t recovered_bytes; /* torn tail set aside */
	const char *vkey;
	const char *note;
};
struct message_record {
	uint16_t record;    /* enum record_type */
	const char *call;   /* call id, or "" */
	struct digest plan; /* zero where the record has none */
	uint8_t allow;      /* CALL_ and EFFECTS_DECISION only: 1 asks for a receipt with a MAC */
	struct bytes body;  /* encoded fields (evidence/record.h) */
};
struct message_recorded {
	uint16_t status;
	struct receipt receipt;
	const char *note;
};
struct message_policy {
	struct digest version; /* SHA-256 of the frozen policy */
	const char *path;      /* as given, for notes and records */
	const char *state;     /* state directory, for status */
	uint32_t owner_uid;    /* uid of the daemon, seen from outside */
	struct strv approvers; /* lines of STATE/approvers/ID.pub as read (evidence/approval.h) */
	uint64_t audit_size;   /* the sealed tree so far, so that status can tell it at once */
	struct digest audit_root;
	struct strv static_keys; /* "NAME=<64 hex>": SHA-256 of each of server.auth.api_keys */
	const char *service_key; /* the same 64 hex of the service key; "" = none */
	struct strv secrets;     /* "NAME=VALUE" of the variables that channels name */
};
struct message_policy_taken {
	uint16_t status;
	const char *note;
};
enum stdin_kind {
	STDIN_NONE = 0, /* empty */
	STDIN_SEALED,   /* a sealed memfd with a digest that is part of the plan */
	STDIN_STREAM,   /* what the client writes while the tool runs; the plan says so */
};
/* Everything a plan is made from; LAUNCH carries it again, so the warden keeps nothing. */
struct plan_input {
	const char *call; /* id */
	const char *tool;
	const char *agent;     /* "" = none */
	const char *space;     /* namespace */
	const char *principal; /* "uid:1000" */
	const char *cwd;       /* relative to the tool's working directory; "" = it */
	struct strv argv;
	struct strv paths;          /* arguments of format workspace-path: must resolve below cwd */
	uint8_t stdin_kind;         /* enum stdin_kind */
	struct digest stdin_digest; /* of a sealed one; else zero */
	struct digest policy;       /* version the decision was made under */
};
struct message_plan {
	struct plan_input input;
};
struct message_planned {
	uint16_t status;
	struct digest plan;
	const char *text;    /* the plan for people: lines, already escaped */
	const char *note;    /* why not */
	const char *program; /* resolved absolute path of what would run */
};
struct message_launch {
	struct plan_input input;
	struct digest plan; /* what was decided */
	struct receipt receipt;
};
struct message_launched {
	uint16_t status;
	uint8_t has_input; /* these two agree with the number of descriptors */
	uint8_t has_gate;
	const char *note;
};
enum control_op {
	CONTROL_NONE = 0,
	CONTROL_RELOAD = 1,
	CONTROL_SHUTDOWN = 2,
	CONTROL_CONFIG_READ = 3,  /* the policy file's text, but for its server: block */
	CONTROL_CONFIG_CHECK = 4, /* body: a policy; checked and compared, nothing is written */
	CONTROL_CONFIG_WRITE = 5, /* the same, then written over the file and loaded */
};
struct message_control {
	uint16_t op;
	const char *by;       /* principal */
	const char *expected; /* CONFIG_WRITE: the version it was made from, 64 hex; "" = any */
	struct bytes body;    /* CONFIG_CHECK and _WRITE; else empty */
};
struct message_controlled {
	uint16_t status;
	struct digest version;
	const char *note;
	struct bytes body; /* CONFIG_*: JSON object; else empty */
};
enum request_method {
	REQUEST_NONE = 0,
	REQUEST_TOOLS_LIST,
	REQUEST_TOOLS_CALL,
	REQUEST_AGENTS_LIST,
	REQUEST_STATUS,
	REQUEST_EXPLAIN,
	REQUEST_APPROVALS_LIST,
	REQUEST_APPROVALS_WATCH,
	REQUEST_APPROVALS_DECIDE,
	REQUEST_RELOAD,
	REQUEST_SHUTDOWN,
	REQUEST_SUBSCRIBE, /* subscriptions/listen, and what stands for it in legacy */
	REQUEST_GRANTS_LIST,
	REQUEST_GRANTS_REVOKE,
	REQUEST_STREAM_WRITE, /* callgate/stdin: body {request: serial, data, end} */
	REQUEST_STREAM_READ,  /* callgate/output: body {request: serial} */
	REQUEST_WHOAMI,
	REQUEST_APPROVALS_GET, /* body {id} */
	REQUEST_CALLBACK,      /* a signed answer of a channel: body {channel, headers, text} */
	REQUEST_METRICS,       /* body {format: "openmetrics" or "prometheus"} */
	REQUEST_KEYS_CREATE,
	REQUEST_KEYS_LIST,
	REQUEST_KEYS_ROTATE, /* body {id} */
	REQUEST_KEYS_REVOKE, /* body {id} */
	REQUEST_TOKENS_ISSUE,
	REQUEST_TOKENS_KEYS, /* our jwks.json */
	REQUEST_CONFIG_READ,
	REQUEST_CONFIG_WRITE, /* body {config, check?, version?} */
	REQUEST_PROGRESS,  /* of a running call, through its gate: {progress, total?, message?} */
	REQUEST_ELICIT,    /* the same: {message, requestedSchema, name?}, for the caller's user */
	REQUEST_LOG,       /* the same: {level, data}, for the caller's client */
	REQUEST_SET_LEVEL, /* logging/setLevel of the legacy era: body {level} */
	REQUEST_EFFECTS_LIST,
	REQUEST_EFFECTS_GET,     /* body {call} */
	REQUEST_EFFECTS_LOOK,    /* body {call, path} */
	REQUEST_EFFECTS_COMMIT,  /* body {call, digest, paths?, reason?, approver?} */
	REQUEST_EFFECTS_DISCARD, /* body {call} */
	REQUEST_EFFECTS_UNDO,    /* body {call, digest, reason?, approver?} */
	REQUEST_METHOD_COUNT,
};
/* What a client asked for beside the call itself, as bits. */
enum request_option {
	REQUEST_STREAM_INPUT = 1,  /* standard input comes by STREAM_WRITE */
	REQUEST_STREAM_OUTPUT = 2, /* output is fetched by STREAM_READ while the tool runs */
	REQUEST_CAN_ELICIT = 4,    /* the client can show its user a form */
	REQUEST_CAN_HEAR = 8,      /* what is told while the call runs reaches the client */
	REQUEST_OPTIONS_ALL = 15,
};
enum request_era {
	ERA_LEGACY = 0, /* initialize, up to 2025-11-25 */
	ERA_MODERN = 1, /* 2026-07-28, stateless */
};
#define REQUEST_LOG_MAX 8
struct message_request {
	uint64_t peer; /* connection */
	uint16_t method;
	uint16_t era;
	uint16_t log;      /* modern: least severity of log messages it wants, from 1; 0 = none */
	uint32_t options;  /* enum request_option */
	const char *tool;  /* TOOLS_CALL, EXPLAIN */
	const char *agent; /* as claimed; "" = none */
	const char *space;
	const char *progress; /* JSON of _meta.progressToken; "" = none */
	const char *retry;    /* JSON of {inputResponses?, requestState?}; "" = none */
	/* _meta["callgate/credential"] of a Unix socket: stands in place of the kernel's word for
	 * this request; "" = none */
	const char *credential;
	struct bytes body; /* JSON object: arguments of a call, params otherwise */
};
enum reply_kind {
	REPLY_NONE = 0,
	REPLY_RESULT = 1, /* body: the JSON-RPC result object */
	REPLY_ERROR = 2,  /* body: the JSON-RPC error object {code, message, data?} */
	REPLY_SILENT = 3, /* cancelled: nothing is sent to the client */
};
struct message_reply {
	uint16_t kind;
	uint16_t status;  /* of HTTP, where the kind and the error's code do not say it; or 0 */
	uint32_t retry_s; /* with 429 and 503: for Retry-After; 0 = not said */
	const char *challenge; /* with 401 and 403: what stands behind "Bearer"; "" = nothing */
	struct bytes body;
};
enum exit_how {
	EXIT_HOW_NONE = 0,
	EXIT_HOW_EXITED,   /* code = exit status */
	EXIT_HOW_SIGNALED, /* code = signal */
	EXIT_HOW_DEADLINE,
	EXIT_HOW_KILLED, /* by KILL of engine */
	EXIT_HOW_OOM,
	EXIT_HOW_PIDS,
	EXIT_HOW_FAILED, /* the cell broke before or after exec; note says where */
	EXIT_HOW_STUCK,  /* not dead by the kill deadline (D state) */
	EXIT_HOW_CPU,    /* CPU time of one process, or of the tree */
	EXIT_HOW_FILE,   /* killed by the kernel at sandbox.file_size */
	EXIT_HOW_DISK,   /* ended badly, and /tmp was full */
	EXIT_HOW_INODES, /* the same, of files */
	EXIT_HOW_LAST = EXIT_HOW_INODES,
};
/* What became of the overlay a call ran on. */
enum effects_state {
	EFFECTS_NONE = 0, /* the call had none, or nothing of the tool ran */
	EFFECTS_CLEAN,    /* nothing was changed; the overlay is gone */
	EFFECTS_HELD,     /* body lists all of it (link/effects.h); kept until taken or dropped */
	EFFECTS_LOST,     /* could not be read, or is more than may be listed; dropped; note says */
};
struct message_exited {
	const char *call;
	uint16_t how;
	int64_t code;      /* how the program itself ended; 0 with by_signal 0: well, or unseen */
	uint8_t by_signal; /* code is a signal, else an exit status */
	uint8_t proof;     /* enum cell_proof: how we know that the tree is empty */
	struct strv layers;
	uint64_t wall_us;
	uint64_t cpu_us;
	uint64_t memory_peak; /* bytes; 0 unknown */
	const char *note;
	uint16_t effects;  /* enum effects_state */
	struct bytes body; /* HELD: the encoded list; else empty */
};
enum effects_op {
	EFFECTS_OP_NONE = 0,
	EFFECTS_COMMIT,  /* write it into the workspace; needs the receipt of EFFECTS_DECISION */
	EFFECTS_DISCARD, /* forget it */
	EFFECTS_UNDO,    /* write back what COMMIT replaced; needs a receipt as COMMIT does */
	EFFECTS_LOOK,    /* answer the contents of paths[0], before and after */
};
struct message_effects {
	uint16_t op;
	const char *call;       /* whose overlay */
	const char *by;         /* principal, for the record */
	struct digest effects;  /* effects_digest() of the list that was shown */
	struct receipt receipt; /* COMMIT and UNDO; else zero */
	struct strv paths;      /* as listed; COMMIT: none = all of them; UNDO: none */
	uint32_t written;       /* UNDO: how many paths are written: all of them, or nothing */
};
/* Nothing is written where one of the paths cannot be: all or, after a crash, what the record
 * says. */
struct message_effected {
	uint16_t status; /* OK; REFUSED: it changed underneath, or nothing like that is held; VOID:
			    * not what the digest or the receipt says; UNAVAILABLE */
	const char *note;
	struct bytes body; /* COMMIT, UNDO: the encoded list of what was written, or of what stood
			    * in the way; LOOK: two u32 lengths, then before and after, each cut at
			    * EFFECTS_LOOK_MAX */
};
struct message_kill {
	const char *call;
	const char *cause; /* "cancelled", "client gone", ... */
};
struct message_peer {
	uint64_t peer;
	uint32_t uid;
	uint32_t gid;
	uint32_t pid;
	struct strv groups; /* unused yet: supplementary groups as decimal text */
	const char *call;   /* the running call whose gate it came through; "" = the socket */
};
struct message_peer_gone {
	uint64_t peer;
};
struct message_cancel {
	uint64_t peer;
	uint64_t request; /* serial of the REQUEST */
};
struct message_notify {
	uint64_t peer;
	struct bytes body;
};
struct message_gate {
	const char *call;
};
struct message_response {
	uint64_t peer;
	const char *id; /* the request's, as text */
	uint16_t kind;  /* REPLY_RESULT or REPLY_ERROR */
	struct bytes body;
};
struct message_drain {
	const char *cause;
};
enum sibling_kind {
	SIBLING_NONE = 0,
	SIBLING_HTTP = 1,
	SIBLING_COURIER = 2,
};
struct message_sibling {
	uint16_t sibling;
};
/* Nothing of it is believed for where it stands: engine verifies what is shown. Header values are
 * without surrounding blanks; "" = there is no such header. */
struct message_visitor {
	uint64_t peer; /* with PEER_IS_HTTP; never used again */
	uint8_t https; /* the client speaks TLS, with us or with a trusted proxy */
	uint8_t local; /* came by a Unix socket: these three are the kernel's word */
	uint32_t uid, gid, pid;
	const char *address;       /* of the client behind trusted proxies; "" = Unix socket */
	const char *authorization; /* header */
	const char *api_key;       /* header X-API-Key */
	const char *subject;       /* of the verified client certificate; "" = none */
	struct digest certificate; /* SHA-256 of it */
	struct strv sans;          /* "URI:spiffe://corp/ci", "DNS:ci.corp", "EMAIL:a@b" */
	const char *method, *path; /* of the request, for records; path without its query */
	const char *request_id;    /* made by front; never "" */
	const char *revision;      /* of MCP, where the request says it; else "" */
	uint8_t excluded;          /* its path is one of auth.excluded_paths */
};
/* Since the last one. */
struct message_counts {
	uint64_t health;   /* answers to /health */
	uint64_t refused;  /* connections and requests refused before they meant anything */
	uint64_t answered; /* all others answered by front alone */
	uint64_t connections, idle, streams; /* now */
};
enum fetch_method {
	FETCH_NONE = 0,
	FETCH_GET,
	FETCH_POST,
};
struct message_fetch {
	uint16_t method;
	const char *url;
	struct strv headers; /* "Name: value" */
	uint32_t timeout_ms; /* for all of it */
	uint32_t answer_max; /* bytes of body; a longer answer is a failure */
	struct bytes body;
};
struct message_fetched {
	uint16_t status;  /* ANSWER_OK: there is an answer, whatever it says */
	uint16_t http;    /* its status; 0 without one */
	uint32_t retry_s; /* its Retry-After; 0 = not said */
	const char *note; /* why not, without secrets of the URL */
	struct bytes body;
};
struct message_forget {
	uint64_t fetch; /* its serial */
};
struct message_outgoing {
	uint8_t has_ca;
	struct strv networks; /* private ones that may be reached, as CIDR */
};
/* Lists of the policy as they stand there. */
struct message_site {
	uint8_t has_tls, has_ca, require_client_cert;
	uint8_t metrics, studio, auth, require_auth;
	uint64_t body_max;
	uint64_t cors_max_age;       /* seconds */
	const char *url;             /* public address, without a slash at its end; "" = not said */
	const char *issuer;          /* of tokens, for RFC 9728; "" = none */
	const char *listen;          /* address, or path of a Unix socket */
	struct strv hosts;           /* names it answers to beside addresses and localhost */
	struct strv trusted_proxies; /* networks, and "unix" */
	struct strv ip_allowlist;    /* server's; empty: any */
	struct strv auth_ip_allowlist; /* auth's; both must hold */
	struct strv excluded_paths;
	struct strv cors_origins, cors_methods, cors_headers;
};
struct message_site_taken {
	uint16_t status;
	const char *note;
};
struct message_logger {
	uint16_t level;  /* enum log_level */
	uint16_t format; /* enum log_format */
};

struct message {
	enum message_type type;
	uint64_t serial;
	int fds[MESSAGE_FDS]; /* owned by the message when decoded; -1 where taken or absent */
	uint32_t fd_count;
	union {
		struct message_audit_open audit_open;
		struct message_audit_opened audit_opened;
		struct message_record record;
		struct message_recorded recorded;
		struct message_policy policy;
		struct message_policy_taken policy_taken;
		struct message_plan plan;
		struct message_planned planned;
		struct message_launch launch;
		struct message_launched launched;
		struct message_control control;
		struct message_controlled controlled;
		struct message_request request;
		struct message_reply reply;
		struct message_exited exited;
		struct message_kill kill;
		struct message_peer peer;
		struct message_peer_gone peer_gone;
		struct message_cancel cancel;
		struct message_forget forget;
		struct message_notify notify;
		struct message_drain drain;
		struct message_gate gate;
		struct message_response response;
		struct message_logger logger;
		struct message_sibling sibling;
		struct message_visitor visitor;
		struct message_counts counts;
		struct message_fetch fetch;
		struct message_fetched fetched;
		struct message_outgoing outgoing;
		struct message_site site;
		struct message_site_taken site_taken;
		struct message_effects effects;
		struct message_effected effected;
	} u;
	void *storage; /* private: what decoded pointers point into */
};

/* Zeroes, sets type, all fds -1. */
void message_init(struct message *message, enum message_type type);
/* Closes fds still held, frees storage. Accepts a zeroed or finished message. */
void message_fini(struct message *message);
/* Gives descriptor i to the caller; -1 if there is none. */
int message_take_fd(struct message *message, uint32_t i);

/* Appends the wire form. If a body is longer than MESSAGE_INLINE, *ret_body_fd is a new sealed
 * memfd that must be sent as the last descriptor, else -1. 0; -EMSGSIZE: longer than a datagram, a
 * list or a body may be; -EINVAL: no such type, or a serial, number of descriptors or enum value
 * that message_decode() would refuse; -errno. */
int message_encode(struct buf *out, const struct message *message, int *ret_body_fd);
/* Decodes a datagram; takes ownership of fds (closing them on failure, leaving -1 in the array).
 * bytes may be reused at once. 0, -EBADMSG, -ENOMEM, -errno; then the message is empty. */
int message_decode(
    struct message *message, const void *bytes, size_t len, int *fds, size_t fd_count);

/* "record", for logs; "?" when unknown. */
const char *message_name(enum message_type type);

#endif
