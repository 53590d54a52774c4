#include "sandbox/functions/request.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define READ_STEP (64 * 1024)
#define EXACT_MAX 9007199254740992.0 /* 2^53: above, a real is no certain integer */

static int read_input(int fd, struct buf *input)
{
	char *cleanup_free step = malloc(READ_STEP);

	if (!step)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, step, READ_STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if (buf_put(input, step, (size_t)n) < 0)
			return input->fault;
	}
}

int request_read(int fd, json_t **ret, struct err_note *note)
{
	struct buf cleanup_with(buf_fini) input;
	json_error_t error;
	json_t *value;
	int r;

	buf_init(&input, REQUEST_INPUT_MAX);
	r = read_input(fd, &input);
	if (r == -ENOBUFS)
		return err_note(
		    note, -EINVAL, "arguments: longer than %d bytes", REQUEST_INPUT_MAX);
	if (r < 0) {
		(void)err_note(note, r, "arguments: cannot be read");
		return err_note_errno(note, r);
	}
	value = json_loadb((const char *)input.data, input.len, JSON_REJECT_DUPLICATES, &error);
	if (!value)
		return err_note(note, -EINVAL, "arguments: not valid JSON: %s at byte %d",
		    error.text, error.position);
	if (!json_is_object(value)) {
		json_decref(value);
		return err_note(note, -EINVAL, "arguments: not an object");
	}
	*ret = value;
	return 0;
}

int request_answer(int fd, enum request_status status, struct buf *out, const struct err_note *note)
{
	if (out->fault) {
		buf_reset(out);
		status = REQUEST_FAILED;
		(void)buf_text(out, "the answer could not be built: out of memory");
	} else if (out->len == 0) {
		(void)buf_text(out, note->text);
	}
	if (out->len == 0 || out->data[out->len - 1] != '\n')
		(void)buf_put(out, "\n", 1);
	if (fd_write_all(fd, out->data, out->len) < 0 && status == REQUEST_DONE)
		status = REQUEST_FAILED;
	return (int)status;
}

enum request_status request_status_of(int fault)
{
	return fault == -EINVAL ? REQUEST_INVALID : REQUEST_FAILED;
}

bool request_has_room(const struct buf *out, size_t more)
{
	size_t most = out->limit > REQUEST_WORDS_MAX ? out->limit - REQUEST_WORDS_MAX : 0;

	return !out->fault && out->len <= most && more <= most - out->len;
}

int request_text(const json_t *object, const char *name, const char **ret, struct err_note *note)
{
	const json_t *value = json_object_get(object, name);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return err_note(note, -EINVAL, "%s: must be text", name);
	*ret = json_string_value(value);
	return 0;
}

int request_flag(const json_t *object, const char *name, bool *ret, struct err_note *note)
{
	const json_t *value = json_object_get(object, name);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return err_note(note, -EINVAL, "%s: must be true or false", name);
	*ret = json_is_true(value);
	return 0;
}

int request_integer(const json_t *value, const char *name, const int64_t bounds[2], int64_t *ret,
    struct err_note *note)
{
	int64_t number = 0;
	bool whole = json_is_integer(value);

	if (whole) {
		number = json_integer_value(value);
	} else if (json_is_real(value)) {
		double real = json_real_value(value);

		whole = real >= -EXACT_MAX && real <= EXACT_MAX && real == (double)(int64_t)real;
		number = whole ? (int64_t)real : 0;
	}
	if (!whole)
		return err_note(note, -EINVAL, "%s: must be a whole number", name);
	if (number < bounds[0] || number > bounds[1])
		return err_note(note, -EINVAL, "%s: must be from %lld to %lld", name,
		    (long long)bounds[0], (long long)bounds[1]);
	*ret = number;
	return 0;
}

int request_number(const json_t *object, const char *name, const int64_t bounds[2], int64_t *ret,
    struct err_note *note)
{
	const json_t *value = json_object_get(object, name);

	return value ? request_integer(value, name, bounds, ret, note) : 0;
}

int request_known(const json_t *object, const char *const *names, struct err_note *note)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		const char *const *name = names;

		while (*name && strcmp(*name, key) != 0)
			name++;
		if (!*name)
			return err_note(note, -EINVAL, "%s: unknown argument", key);
	}
	return 0;
}
