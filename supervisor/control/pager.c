#include "supervisor/control/pager.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "supervisor/base/str.h"

#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT    24
#define ROWS_KEPT       2 /* for the question, and a line of the screen before */
#define SCREENS_AT_ONCE 2
#define WIDE_FROM       0x1100 /* from here on a letter may take two columns */

int pager_ask(int tty, const char *question, char *out, size_t max)
{
	ssize_t got;

	(void)tcflush(tty, TCIFLUSH);
	dprintf(tty, "%s ", question);
	do {
		got = read(tty, out, max - 1);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return -ENODATA;
	out[got] = 0;
	out[strcspn(out, "\n")] = 0;
	return 0;
}

size_t pager_screen(const char *text, unsigned columns, unsigned rows)
{
	unsigned row = 0, column = 0;
	size_t at = 0, len = strlen(text);

	while (at < len) {
		uint32_t code = 0;
		size_t step = str_utf8_next((const uint8_t *)text + at, len - at, &code);
		unsigned width = code >= WIDE_FROM ? 2 : 1;

		if (text[at] != '\n' && column + width > columns) {
			column = 0;
			row++;
		}
		if (row >= rows)
			break;
		column += width;
		if (text[at] == '\n') {
			column = 0;
			row++;
		}
		at += step ? step : 1;
	}
	return at;
}

static int put(int tty, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t put = write(tty, text, len);

		if (put < 0 && errno != EINTR)
			return -errno;
		if (put > 0) {
			text += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

/* A terminal that does not tell its size, or one that nobody could read on, has the usual one. */
static void size_of(int tty, unsigned *ret_columns, unsigned *ret_rows)
{
	struct winsize size = {.ws_row = 0};

	(void)ioctl(tty, TIOCGWINSZ, &size);
	*ret_columns = size.ws_col >= 20 ? size.ws_col : COLUMNS_DEFAULT;
	*ret_rows = (size.ws_row >= 6 ? size.ws_row : ROWS_DEFAULT) - ROWS_KEPT;
}

int pager_show(int tty, const char *text)
{
	size_t len = strlen(text), at = 0;
	char question[96], typed[64];
	unsigned columns, rows, screens;
	int fault = put(tty, "\n", 1);

	size_of(tty, &columns, &rows);
	screens = pager_screen(text, columns, SCREENS_AT_ONCE * rows) < len ? 1 : SCREENS_AT_ONCE;
	while (!fault && at < len) {
		size_t screen = pager_screen(text + at, columns, screens * rows);

		fault = put(tty, text + at, screen);
		at += screen;
		if (fault || at >= len)
			continue;
		if (text[at - 1] != '\n')
			fault = put(tty, "\n", 1);
		(void)snprintf(question, sizeof(question),
		    "-- %zu%% of it seen [Enter = more, q = leave it waiting]", at * 100 / len);
		if (!fault)
			fault = pager_ask(tty, question, typed, sizeof(typed));
		if (!fault && typed[0])
			return PAGER_LEFT;
	}
	return fault;
}
