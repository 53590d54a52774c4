/*
 * A pack: how one program reads its arguments, and rules on what it then does. A tool names packs
 * (`packs: [git, find]`); their words join those of its lists, and the strictest wins.
 *
 * A pack is immutable plain data, made by policy/pack_keys.h from YAML. Reading and judging are
 * pure.
 * A reading borrows the argv and the pack; nothing is copied. What a pack does not understand it
 * says, and that is a rule of its own (`unknown_option`, by default ask). Floor 1: base.
 */
#ifndef CALLGATE_POLICY_PACK_H
#define CALLGATE_POLICY_PACK_H

#include "policy/policy.h"

struct buf;

/* ---- the data: structs of texts, words, places, numbers and arrays with a count -------------- */

enum pack_value {
	PACK_VALUE_NONE = 0,
	PACK_VALUE_WORD,     /* "="  attached, or the next word */
	PACK_VALUE_ATTACHED, /* "=!" attached only, and it must be there */
	PACK_VALUE_OPTIONAL, /* "=?" attached, or none */
	PACK_VALUE_NUMBER,  /* "=#" attached, or the next word if it starts with a digit, or none */
	PACK_VALUE_BOOLEAN, /* "=b" attached, or the next word if it is true or false, or none */
	PACK_VALUE_TWO,     /* "=2" the next two words */
	PACK_VALUE_LINE,    /* "=;" the words up to one that is ; */
	PACK_VALUE_LINES,   /* "=+" the same, or up to a + after {} */
};

struct pack_option {
	const char *name; /* canonical: the first of its names */
	struct policy_pos pos;
	struct policy_words names; /* "-f", "--force", "-NUM" (digits), "-newer??" (a glob) */
	enum pack_value value;
};

/* Options of a subcommand, or a set that tables share. */
struct pack_table {
	struct policy_words names;
	struct policy_pos pos;
	struct policy_words use; /* sets */
	const struct pack_option *options;
	uint32_t option_count;
};

struct pack_match {
	const char *option;
	struct policy_pos pos;
	struct policy_words globs;
};

/* All conditions that are given must hold; in each list one suffices. Where it matters which of two
 * readings the program takes, the rule hears the stricter one: an option that is negated as well
 * (--x --no-x) counts as given for a rule that asks or denies and not for one that allows, and the
 * other way round in `missing`; and a rule that allows by its first operand wants it right behind
 * the subcommand, since behind an option or -- it may be a plain operand. In globs only * and ? are
 * special: a pair of brackets is refused, so that nobody takes it for a set. */
struct pack_rule {
	const char *id;
	struct policy_pos pos;
	struct policy_words subcommands;
	struct policy_words options;         /* one was given */
	struct policy_words missing;         /* none was given */
	const struct pack_match *values;     /* one was given with a value of that form */
	const struct pack_match *values_not; /* one was given with a value of no such form */
	uint32_t value_count, value_not_count;
	struct policy_words operands;     /* globs: one operand matches */
	struct policy_words operands_not; /* globs: one operand matches none */
	struct policy_words first;        /* globs: of the first operand; needs one */
	struct policy_words first_not;    /* globs: the first operand matches none; needs one */
	struct policy_words assignments;  /* globs: one NAME=VALUE matches */
	struct policy_words assignments_not;
	struct policy_words programs; /* globs: of an inner command line's first word */
	/* Options: the value of one, {} where it has none, stands in such a first word. */
	struct policy_words program_holds;
	bool no_operand;
	uint64_t least_operands, most_operands; /* most 0: any number */
	enum decision decision;
	const char *reason;
};

enum pack_form {
	PACK_FORM_NONE = 0,
	PACK_FORM_WORDS,   /* an argv */
	PACK_FORM_SHELL,   /* one text, which the program gives to sh -c */
	PACK_FORM_PROGRAM, /* one word, a program */
	PACK_FORM_JOINED,  /* the words from there on, joined by blanks, go to sh -c: ssh */
};

/* Where another command line stands in this one. */
struct pack_run {
	struct policy_pos pos;
	struct policy_words subcommands;
	struct policy_words options; /* their values; else from the operand on. Never joined */
	uint64_t operand;            /* from 1 */
	enum pack_form form;
	bool appended; /* the program adds words at its end */
	bool filled;   /* {} in its words becomes the name of a file */
	bool remote;   /* it runs on another machine */
};

struct pack_test {
	struct policy_pos pos;
	const char *command;      /* a line the lexer calls simple; or */
	struct policy_words argv; /* the words themselves */
	enum decision expect;
	const char *rule;          /* "" = any */
	struct policy_words inner; /* the inner command lines, words joined by one blank */
};

enum pack_permute {
	PACK_PERMUTE_ALL = 0, /* options may follow operands */
	PACK_PERMUTE_NONE,    /* the first operand ends the options */
	PACK_PERMUTE_ONCE,    /* the second does */
};

enum pack_subcommands {
	PACK_SUBCOMMANDS_NONE = 0,
	PACK_SUBCOMMANDS_SPLIT, /* the first operand; after it come the subcommand's own options */
	PACK_SUBCOMMANDS_ANYWHERE, /* the first operand, among options of one table */
};

enum pack_assignments {
	PACK_ASSIGNMENTS_NONE = 0,
	PACK_ASSIGNMENTS_LEADING, /* NAME=VALUE before the first other operand, and a lone - */
	PACK_ASSIGNMENTS_ANYWHERE,
};

enum pack_scan {
	PACK_SCAN_NONE = 0,
	/* sed's script: gives options script:exec, script:write, script:read, script:unknown */
	PACK_SCAN_SED,
};

struct policy_pack {
	const char *name;
	const char *file; /* "packs/git.yaml" */
	const char *version;
	const char *description;
	struct policy_words programs; /* globs of the basename of argv[0] */
	struct policy_pos unknown_pos;
	enum decision unknown_option; /* ask */
	struct policy_pos otherwise_pos;
	enum decision otherwise; /* no rule spoke: ask */
	bool abbreviate;         /* --forc is --force when nothing else starts so */
	bool negate;             /* each --x has a --no-x, each --no-x a --x */
	bool whole;              /* -name is one word, never a cluster */
	bool single;             /* one letter after one dash, no clusters */
	bool old_style;          /* the first word is a cluster without a dash */
	bool fold_values;        /* capitals do not count in values */
	bool fold_options;       /* nor in long options */
	enum pack_permute permute;
	enum pack_subcommands subcommand_style;
	enum pack_assignments assignments;
	enum pack_scan scan;
	struct pack_table main; /* options of the program itself */
	const struct pack_table *sets;
	const struct pack_table *subcommands;
	const struct pack_rule *rules;
	const struct pack_run *runs;
	const struct pack_test *tests; /* not needed after the load */
	uint32_t set_count, subcommand_count, rule_count, run_count, test_count;
};

/* ---- the packs that callgate brings ---------------------------------------------------------- */

/* The YAML of a pack, NULL if there is none of that name. */
const char *pack_text(const char *name, size_t *ret_len);
/* Their names, sorted; NULL ends the list. */
const char *const *pack_names(void);

/* ---- reading an argv ------------------------------------------------------------------------- */

#define PACK_GIVEN_MAX  512
#define PACK_DOUBTS_MAX 16
#define PACK_INNER_MAX  64

struct pack_given {
	const char *name;                 /* canonical */
	const struct policy_words *names; /* all of them; NULL for what a scan gives */
	bool negated;                     /* --no-NAME, or --X where the name is --no-X */
	bool contradicted;                /* the same option stands there the other way, too */
	const char *value;                /* NULL: none; of a line: its first word */
	const char *word;                 /* the word of argv it stands in */
	const char *const *line;          /* PACK_VALUE_LINE and _LINES */
	uint32_t line_count;
};

struct pack_operand {
	const char *word;
	uint32_t at; /* index in argv */
};

enum pack_doubt_kind {
	PACK_DOUBT_NONE = 0,
	PACK_DOUBT_UNKNOWN_OPTION,
	PACK_DOUBT_AMBIGUOUS_OPTION,
	PACK_DOUBT_MISSING_VALUE,
	PACK_DOUBT_VALUE_LIKE_OPTION, /* --message --force: a slip, or a wrong idea of it */
	PACK_DOUBT_UNKNOWN_SUBCOMMAND,
	PACK_DOUBT_OPEN_ENDED, /* words will be added that are not known */
	PACK_DOUBT_TOO_MUCH,   /* denied */
};

struct pack_doubt {
	enum pack_doubt_kind kind;
	const char *word;
};

/* Another command line within the one that was read. */
struct pack_inner {
	enum pack_form form;     /* JOINED is handed back as SHELL */
	const char *const *argv; /* WORDS, PROGRAM */
	uint32_t argc;
	const char *text; /* SHELL */
	bool appended;    /* read it, then call pack_reading_open() */
	bool filled;      /* read it, then call pack_reading_fill() */
	bool remote;
};

struct pack_reading {
	const char *program;    /* argv[0] */
	const char *subcommand; /* NULL: none given */
	uint32_t subcommand_at; /* index in argv; 0: none given */
	uint32_t dashes_at;     /* of the first --; 0: none */
	struct pack_given *given;
	struct pack_operand *operands; /* without the subcommand */
	struct pack_operand *assignments;
	struct pack_inner *inner;
	struct pack_doubt doubts[PACK_DOUBTS_MAX];
	uint32_t given_count, operand_count, assignment_count, inner_count, doubt_count;
	void *storage;
};

/* True when argv0, or what follows its last slash, is a name of the pack's program. */
bool pack_applies(const struct policy_pack *pack, const char *argv0);
/* 0; -EINVAL for argc 0; -ENOMEM. *ret needs pack_reading_fini() after 0 only. */
int pack_read(const struct policy_pack *pack, const char *const *argv, uint32_t argc,
    struct pack_reading *ret);
/* Words that nobody knows yet will follow: the reading is doubted. */
void pack_reading_open(struct pack_reading *reading);
/* {} will become the name of a file: in a value, an assignment or a script it could then mean
 * anything, and the reading is doubted. As an operand it is a file's name. */
void pack_reading_fill(const struct policy_pack *pack, struct pack_reading *reading);
/* Accepts a zeroed reading and leaves one. */
void pack_reading_fini(struct pack_reading *reading);

/* ---- judging --------------------------------------------------------------------------------- */

struct pack_verdict {
	enum decision decision;
	const char *id; /* of the rule, or "unknown_option", "otherwise", ... */
	const char *reason;
	struct policy_pos pos; /* in pack->file */
	const char *subject;   /* the word it is about */
};

/* Can a verdict of this pack have that id: one of its rules, or what speaks where none does? */
bool pack_has_rule(const struct policy_pack *pack, const char *id);
/* Every rule that speaks, one after the other: *step starts at 0. False at the end, *ret then
 * untouched. It speaks once at least, and says nothing about inner command lines. */
bool pack_judge(const struct policy_pack *pack, const struct pack_reading *reading, uint32_t *step,
    struct pack_verdict *ret);
/* The strictest of them, the first among equals. */
void pack_decide(
    const struct policy_pack *pack, const struct pack_reading *reading, struct pack_verdict *ret);

/* Runs the pack's own tests. One line per failure, "packs/git.yaml:12:3: ...". 0, -EINVAL when
 * one fails, -ENOMEM. */
int pack_test(const struct policy_pack *pack, struct buf *failures);

#endif
