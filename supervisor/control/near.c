#include "supervisor/control/near.h"

#include <stdio.h>
#include <string.h>

#define PREFIX_MIN 3 /* what fewer bytes begin is a guess */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many letters to put in, leave out, change or swap with their neighbour. Both are shorter
 * than NEAR_WORD_MAX. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NEAR_WORD_MAX];

	for (size_t k = 0; k <= b_len; k++)
		rows[0][k] = (unsigned)k;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t k = 1; k <= b_len; k++) {
			now[k] = last[k - 1] + (a[i - 1] != b[k - 1]);
			now[k] = least(now[k], least(last[k], now[k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				now[k] = least(now[k], before[k - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *near_word(char out[NEAR_WORD_MAX], const char *list, const char *given)
{
	size_t given_len = strcspn(given, "=");
	unsigned best = given_len > 4 ? 3 : given_len > 2 ? 2 : 1; /* not so far */

	out[0] = '\0';
	while (given_len < NEAR_WORD_MAX && *list) {
		size_t whole = strcspn(list, " "), len = strcspn(list, "= ");
		unsigned far = best;

		if (len > 0 && len < NEAR_WORD_MAX)
			far = distance(given, given_len, list, len);
		if (far > 1 && given_len >= PREFIX_MIN && given_len < len &&
		    memcmp(given, list, given_len) == 0)
			far = 1;
		if (far < best) {
			best = far;
			(void)snprintf(out, NEAR_WORD_MAX, "%.*s", (int)len, list);
		}
		list += whole;
		list += strspn(list, " ");
	}
	return out;
}
