#include "policy/pack_option.h"

#include <string.h>
#include <strings.h>

#include "supervisor/base/str.h"

struct search {
	const struct policy_pack *pack;
	const char *word;
	size_t len;
	const struct pack_option *exact, *partial;
	bool exact_negated, partial_negated;
	bool several;
};

static bool is_digits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return len > 0;
}

/* The word, as far as it goes, is how the name begins. */
static bool begins(const struct search *search, const char *name)
{
	if (search->pack->fold_options && !strncmp(name, "--", 2))
		return !strncasecmp(name, search->word, search->len);
	return !strncmp(name, search->word, search->len);
}

static bool is_exact(const struct search *search, const char *name)
{
	char word[64];

	if (!strcmp(name, "-NUM"))
		return search->word[0] == '-' && is_digits(search->word + 1, search->len - 1);
	if (!strchr(name, '?'))
		return strlen(name) == search->len && begins(search, name);
	if (search->len >= sizeof(word))
		return false;
	memcpy(word, search->word, search->len);
	word[search->len] = '\0';
	return str_glob(name, word);
}

/* Exact wins over any beginning; beginnings of one and the same option are no ambiguity. */
static void offer(
    struct search *search, const struct pack_option *option, const char *name, bool negated)
{
	if (search->exact && !search->exact_negated)
		return;
	if (is_exact(search, name)) {
		search->exact = option;
		search->exact_negated = negated;
		return;
	}
	if (!search->pack->abbreviate || search->len < 3 || strncmp(name, "--", 2) ||
	    !begins(search, name))
		return;
	if (search->partial && (search->partial != option || search->partial_negated != negated))
		search->several = true;
	search->partial = option;
	search->partial_negated = negated;
}

static void offer_negation(
    struct search *search, const struct pack_option *option, const char *name)
{
	char other[80] = "--";
	size_t len = strlen(name);

	if (strncmp(name, "--", 2) || len > 64)
		return;
	/* Most words begin neither way, and this is asked for each option of a table. */
	if (strncmp(name, "--no-", 5) &&
	    strncasecmp(search->word, "--no-", search->len < 5 ? search->len : 5))
		return;
	if (!strncmp(name, "--no-", 5)) {
		memcpy(other + 2, name + 5, len - 4);
	} else {
		memcpy(other, "--no-", 5);
		memcpy(other + 5, name + 2, len - 1);
	}
	offer(search, option, other, true);
}

static void search_options(struct search *search, const struct pack_table *table)
{
	for (uint32_t i = 0; i < table->option_count; i++) {
		const struct pack_option *option = &table->options[i];

		for (uint32_t j = 0; j < option->names.count; j++) {
			offer(search, option, option->names.items[j].text, false);
			if (search->pack->negate)
				offer_negation(search, option, option->names.items[j].text);
		}
	}
}

static const struct pack_table *find_table(
    const struct pack_table *tables, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t j = 0; j < tables[i].names.count; j++) {
			if (!strcmp(tables[i].names.items[j].text, name))
				return &tables[i];
		}
	}
	return NULL;
}

enum pack_found pack_option_find(const struct policy_pack *pack, const struct pack_table *table,
    const char *word, size_t len, const struct pack_option **ret_option, bool *ret_negated)
{
	struct search search = {.pack = pack, .word = word, .len = len};

	search_options(&search, table);
	for (uint32_t i = 0; i < table->use.count; i++) {
		const struct pack_table *set =
		    find_table(pack->sets, pack->set_count, table->use.items[i].text);

		if (set)
			search_options(&search, set);
	}
	*ret_option = search.exact ? search.exact : search.partial;
	*ret_negated = search.exact ? search.exact_negated : search.partial_negated;
	if (search.exact)
		return PACK_FOUND_ONE;
	if (search.several)
		return PACK_FOUND_SEVERAL;
	return search.partial ? PACK_FOUND_ONE : PACK_FOUND_NONE;
}

const struct pack_table *pack_subcommand(const struct policy_pack *pack, const char *name)
{
	return find_table(pack->subcommands, pack->subcommand_count, name);
}

/* --no-x of --x, --x of --no-x. */
static bool is_negation(const char *own, const char *name)
{
	if (strncmp(own, "--", 2) || strncmp(name, "--", 2))
		return false;
	if (!strncmp(own, "--no-", 5) && !strcmp(name + 2, own + 5))
		return true;
	return !strncmp(name, "--no-", 5) && !strcmp(name + 5, own + 2);
}

bool pack_given_is(const struct pack_given *given, const char *name)
{
	if (!given->names)
		return !strcmp(given->name, name);
	for (uint32_t i = 0; i < given->names->count; i++) {
		const char *own = given->names->items[i].text;

		if (given->negated ? is_negation(own, name) : !strcmp(own, name))
			return true;
	}
	return false;
}
