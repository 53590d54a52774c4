/*
 * Failed sign-ins by address: a few are free, then each costs a pause, twice as long as the one
 * before. Every minute without a failure forgives one. A success forgives none, since whoever has
 * one good key could otherwise guess at others between its uses.
 *
 * During a pause nothing from that address is verified, good or bad: those who share it wait, too.
 * Floor 2; pure.
 */
#ifndef CALLGATE_IDENTITY_ATTEMPTS_H
#define CALLGATE_IDENTITY_ATTEMPTS_H

#include "supervisor/identity/ledger.h"

#define ATTEMPTS_FREE     5
#define ATTEMPTS_COUNTED  32  /* failures remembered at most */
#define ATTEMPTS_PAUSE_S  300 /* the longest pause */
#define ATTEMPTS_CROWD_S  5   /* the longest of those who found no place */
#define ATTEMPTS_FORGET_S 60  /* for one failure */

/* The ledger is for this alone; name: ledger_address(). true: a credential may be verified now.
 * false: *ret_retry_s, 1 or more. */
bool attempts_may(struct ledger *ledger, const char *name, uint64_t now_us, uint32_t *ret_retry_s);
void attempts_failed(struct ledger *ledger, const char *name, uint64_t now_us);

#endif
