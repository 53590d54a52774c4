/*
 * The thinking part of a call: who asks, what is asked, may it be; and the sentences that say
 * so. No I/O but the sealing of stdin. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_JUDGE_H
#define CALLGATE_ENGINE_JUDGE_H

#include "policy/decide.h"
#include "supervisor/engine/calls/call.h"

/* Takes the policy in force. IDENTIFIED, DENIED, BUSY (limits, draining). */
enum call_event judge_identity(struct call *call);
/* Reachable, arguments, decision. PERMITTED, DENIED, BUSY (bytes of the account), FAULT. */
enum call_event judge_tool(struct call *call);
/* What the policy is asked of a call whose arguments were taken; borrows all from the call. */
struct question judge_question(const struct call *call);
/* Is there a grant for exactly this plan? Then call->grant and ->answer say which. */
bool judge_grant(struct call *call);
/* How the tree ended: the limit that was reached, with its value, else the note of the warden. */
void judge_say_end(struct call *call, const char *note);
/* The limit of the tool that it ended at: memory pids cpu time file_size disk inodes output; or
 * "". */
const char *judge_limit(const struct call *call);
/* Gives a call that ends without a sentence the one that its outcome deserves. */
void judge_explain(struct call *call);

#define JUDGE_SENTENCE_MAX (200 + PRINCIPAL_MAX)

/* Why this caller's identity has no rights, as a sentence: a literal, or written to out. */
const char *judge_identity_sentence(
    char out[JUDGE_SENTENCE_MAX], enum identity_result result, const struct caller *caller);

/* Sets the sentence; the format's strings must be escaped already. */
void judge_say(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "allow", "ask" or "deny", as it stands, and "policy" or "approval": who said it. */
const char *judge_decision(const struct call *call);
const char *judge_by(const struct call *call);

#endif
