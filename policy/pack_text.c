#include "policy/pack_text.h"

#include <string.h>

#include "policy/pack.h"

const char *pack_text(const char *name, size_t *ret_len)
{
	for (size_t i = 0; pack_texts[i].name; i++) {
		if (strcmp(pack_texts[i].name, name))
			continue;
		*ret_len = strlen(pack_texts[i].text);
		return pack_texts[i].text;
	}
	return NULL;
}

const char *const *pack_names(void)
{
	return pack_text_names;
}
