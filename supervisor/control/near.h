/*
 * What somebody may have meant who typed a word that is not there. Pure; floor 4.
 */
#ifndef CALLGATE_CONTROL_NEAR_H
#define CALLGATE_CONTROL_NEAR_H

#define NEAR_WORD_MAX 48 /* bytes with the NUL; longer words are never proposed */

/* The word of a list that is nearest to given, or that given begins; "" where none is near. The
 * list is by blanks, and of "--option=KIND" only what stands before the sign counts. Returns out.
 */
const char *near_word(char out[NEAR_WORD_MAX], const char *list, const char *given);

#endif
