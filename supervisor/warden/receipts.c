#include "supervisor/warden/receipts.h"

#include <errno.h>
#include <string.h>

static uint64_t *word_of(struct receipts *receipts, uint64_t n)
{
	return &receipts->taken[n % RECEIPTS_WINDOW / 64];
}

static uint64_t bit_of(uint64_t n)
{
	return UINT64_C(1) << (n % 64);
}

/* Makes n the newest position; those that enter the window with it are not taken. */
static void slide(struct receipts *receipts, uint64_t n)
{
	if (n - receipts->next >= RECEIPTS_WINDOW)
		memset(receipts->taken, 0, sizeof(receipts->taken));
	else
		for (uint64_t i = receipts->next; i <= n; i++)
			*word_of(receipts, i) &= ~bit_of(i);
	receipts->next = n + 1;
}

int receipts_take(struct receipts *receipts, uint64_t n)
{
	if (n == UINT64_MAX) /* next could not count it */
		return -ESTALE;
	if (n >= receipts->next)
		slide(receipts, n);
	else if (receipts->next - n > RECEIPTS_WINDOW)
		return -ESTALE;
	else if (*word_of(receipts, n) & bit_of(n))
		return -EALREADY;
	*word_of(receipts, n) |= bit_of(n);
	return 0;
}
