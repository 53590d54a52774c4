#include "supervisor/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_SECOND 1000000ULL
#define DAY_SECONDS   86400ULL

static uint64_t clock_us(clockid_t id)
{
	struct timespec now;

	/* Neither clock can fail on Linux with a valid pointer. */
	(void)clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * US_PER_SECOND + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

uint64_t clock_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

/* The calendar is worked out here because gmtime_r(3) may open /etc/localtime on first use, which
 * a confined role cannot. Years are counted from March, so that the leap day is a year's last. */
struct date {
	uint64_t year;
	unsigned month, day; /* from 1 */
};

#define DAYS_TO_1970  719468ULL /* from 0000-03-01 to 1970-01-01 */
#define DAYS_PER_ERA  146097ULL /* 400 years */
#define YEARS_PER_ERA 400ULL

static uint64_t days_before_march_month(unsigned month_from_march)
{
	return (153 * month_from_march + 2) / 5;
}

static struct date date_of_days(uint64_t days_since_1970)
{
	uint64_t days = days_since_1970 + DAYS_TO_1970;
	uint64_t era = days / DAYS_PER_ERA, in_era = days % DAYS_PER_ERA;
	uint64_t year_of_era =
	    (in_era - in_era / 1460 + in_era / 36524 - in_era / (DAYS_PER_ERA - 1)) / 365;
	uint64_t in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned from_march = (unsigned)((5 * in_year + 2) / 153);
	struct date date = {
	    .year = era * YEARS_PER_ERA + year_of_era + (from_march >= 10),
	    .month = from_march < 10 ? from_march + 3 : from_march - 9,
	    .day = (unsigned)(in_year - days_before_march_month(from_march)) + 1,
	};

	return date;
}

/* date is at least 1970-01-01. */
static uint64_t days_of_date(const struct date *date)
{
	uint64_t year = date->year - (date->month <= 2);
	uint64_t of_era = year % YEARS_PER_ERA;
	unsigned from_march = date->month > 2 ? date->month - 3 : date->month + 9;
	uint64_t in_year = days_before_march_month(from_march) + date->day - 1;

	return year / YEARS_PER_ERA * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 +
	       in_year - DAYS_TO_1970;
}

char *clock_stamp(char out[CLOCK_STAMP_MAX], uint64_t wall_us)
{
	uint64_t seconds = wall_us / US_PER_SECOND, in_day = seconds % DAY_SECONDS;
	struct date date = date_of_days(seconds / DAY_SECONDS);

	snprintf(out, CLOCK_STAMP_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned)date.year,
	    date.month % 100, date.day % 100, (unsigned)(in_day / 3600),
	    (unsigned)(in_day / 60 % 60), (unsigned)(in_day % 60),
	    (unsigned)(wall_us % US_PER_SECOND));
	return out;
}

/* `count` digits at *text, which moves behind them; -1 where there are fewer. */
static int take_digits(const char **text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

/* Six numbers with their separators: year, month, day, hour, minute, second. */
static int take_fields(const char **text, int fields[6])
{
	static const char separators[] = "--T::";

	for (int i = 0; i < 6; i++) {
		fields[i] = take_digits(text, i == 0 ? 4 : 2);
		if (fields[i] < 0 || (i < 5 && *(*text)++ != separators[i]))
			return -EINVAL;
	}
	return 0;
}

/* Optional "." and one to six digits, in microseconds; -1 where malformed. */
static int take_fraction(const char **text)
{
	int value = 0, digits = 0;

	if (**text != '.')
		return 0;
	for ((*text)++; digits < 6; digits++) {
		int digit = take_digits(text, 1);

		if (digit < 0)
			break;
		value = value * 10 + digit;
	}
	if (digits == 0)
		return -1;
	for (; digits < 6; digits++)
		value *= 10;
	return value;
}

int clock_unstamp(const char *text, uint64_t *ret_wall_us)
{
	int fields[6], fraction;
	struct date date, same;
	uint64_t days;

	if (take_fields(&text, fields) < 0)
		return -EINVAL;
	fraction = take_fraction(&text);
	if (fraction < 0 || strcmp(text, "Z") != 0)
		return -EINVAL;
	if (fields[0] < 1970 || fields[1] < 1 || fields[1] > 12 || fields[2] < 1 ||
	    fields[2] > 31 || fields[3] > 23 || fields[4] > 59 || fields[5] > 59)
		return -EINVAL;
	date = (struct date){(uint64_t)fields[0], (unsigned)fields[1], (unsigned)fields[2]};
	days = days_of_date(&date);
	same = date_of_days(days);
	if (same.month != date.month) /* the 31st of a month of 30 */
		return -EINVAL;
	*ret_wall_us = (days * DAY_SECONDS + (uint64_t)fields[3] * 3600 + (uint64_t)fields[4] * 60 +
			   (uint64_t)fields[5]) *
			   US_PER_SECOND +
		       (uint64_t)fraction;
	return 0;
}
