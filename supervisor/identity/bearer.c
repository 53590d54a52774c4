#include "supervisor/identity/bearer.h"

#include <string.h>
#include <strings.h>

#include "supervisor/identity/api_key.h"
#include "supervisor/identity/jws.h"

#define SCHEME     "Bearer"
#define SCHEME_LEN (sizeof(SCHEME) - 1)

/* RFC 6750 section 2.1, RFC 9110 section 11.1: the scheme's case does not count. */
static const char *behind_scheme(const char *authorization)
{
	if (strncasecmp(authorization, SCHEME, SCHEME_LEN) != 0 || authorization[SCHEME_LEN] != ' ')
		return "";
	return authorization + SCHEME_LEN + strspn(authorization + SCHEME_LEN, " ");
}

static enum bearer_kind kind_of(const char *text)
{
	const char *dot = strchr(text, '.');

	if (strncmp(text, API_KEY_PREFIX, sizeof(API_KEY_PREFIX) - 1) == 0)
		return BEARER_API_KEY;
	dot = dot ? strchr(dot + 1, '.') : NULL;
	return dot && !strchr(dot + 1, '.') ? BEARER_JWT : BEARER_OTHER;
}

enum credential_verdict bearer_read(
    struct bearer *ret, const char *authorization, const char *x_api_key)
{
	const char *text = authorization ? behind_scheme(authorization) : x_api_key;
	size_t len;

	*ret = (struct bearer){.kind = BEARER_NONE};
	if (!text)
		return CREDENTIAL_ABSENT;
	if (authorization && x_api_key && strcmp(text, x_api_key) != 0)
		return CREDENTIAL_SEVERAL;
	len = strlen(text);
	if (len > JWS_TEXT_MAX)
		return CREDENTIAL_TOO_LARGE;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x21 || text[i] > 0x7e)
			return CREDENTIAL_FORM;
	}
	if (len == 0)
		return CREDENTIAL_FORM;
	*ret = (struct bearer){.kind = kind_of(text), .text = text, .len = len};
	return CREDENTIAL_OK;
}
