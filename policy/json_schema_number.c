/* Numbers of JSON: a json_int_t or a double, compared and divided without rounding. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/json_schema_value.h"

__extension__ typedef unsigned __int128 wide;

#define DIGITS_MAX 17 /* decimal digits that tell any two doubles apart */

struct json_number json_number_of(const json_t *value)
{
	struct json_number number = {.is_real = json_is_real(value)};

	if (number.is_real)
		number.real = json_real_value(value);
	else
		number.whole = json_integer_value(value);
	return number;
}

/* From here on every double is whole, and every json_int_t is below it in size. */
#define WHOLE_FROM 9223372036854775808.0

bool json_number_is_whole(struct json_number number)
{
	if (!number.is_real || number.real >= WHOLE_FROM || number.real <= -WHOLE_FROM)
		return true;
	return (double)(json_int_t)number.real == number.real;
}

static int compare_mixed(json_int_t whole, double real)
{
	json_int_t below;

	if (real >= WHOLE_FROM)
		return -1;
	if (real < -WHOLE_FROM)
		return 1;
	below = (json_int_t)real; /* towards 0 */
	if (whole != below)
		return whole < below ? -1 : 1;
	return (double)below < real ? -1 : (double)below > real;
}

int json_number_compare(struct json_number a, struct json_number b)
{
	if (a.is_real && b.is_real)
		return a.real < b.real ? -1 : a.real > b.real;
	if (a.is_real)
		return -compare_mixed(b.whole, a.real);
	if (b.is_real)
		return compare_mixed(a.whole, b.real);
	return a.whole < b.whole ? -1 : a.whole > b.whole;
}

/* Size without sign: digits * 10^exponent. */
struct decimal {
	uint64_t digits;
	int exponent;
};

/* The shortest decimal that reads back as the same double. */
static struct decimal decimal_of_real(double real)
{
	struct decimal decimal = {0, 0};
	char text[40], *at = text;
	int fraction = 0;

	if (real < 0)
		real = -real;
	for (int precision = 0; precision < DIGITS_MAX; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, real);
		if (strtod(text, NULL) == real)
			break;
	}
	for (bool past_point = false; *at && *at != 'e'; at++) {
		if (*at >= '0' && *at <= '9') {
			decimal.digits = decimal.digits * 10 + (uint64_t)(*at - '0');
			fraction += past_point;
		} else {
			past_point = true; /* the point of whatever locale */
		}
	}
	decimal.exponent = (*at ? (int)strtol(at + 1, NULL, 10) : 0) - fraction;
	return decimal;
}

static struct decimal decimal_of(struct json_number number)
{
	struct decimal decimal = {0, 0};

	if (number.is_real)
		return decimal_of_real(number.real);
	decimal.digits = number.whole < 0 ? 0 - (uint64_t)number.whole : (uint64_t)number.whole;
	return decimal;
}

bool json_number_is_multiple(struct json_number number, struct json_number step)
{
	struct decimal a = decimal_of(number), b = decimal_of(step);
	wide rest = a.digits, whole_step = b.digits;

	if (a.digits == 0 || b.digits == 0)
		return a.digits == 0;
	if (a.exponent >= b.exponent) {
		rest %= b.digits;
		for (int shift = a.exponent - b.exponent; shift > 0 && rest; shift--)
			rest = rest * 10 % b.digits;
		return rest == 0;
	}
	for (int shift = b.exponent - a.exponent; shift > 0; shift--) {
		if (whole_step > a.digits)
			return false; /* the step is larger than the number */
		whole_step *= 10;
	}
	return rest % whole_step == 0;
}
