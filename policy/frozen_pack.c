#include "policy/frozen.h"

#include "policy/order.h"
#include "policy/pack.h"

static const struct field option_fields[] = {
    F(STR, pack_option, name),
    F(POS, pack_option, pos),
    F_WORDS(pack_option, names, NONE),
    F_U32(pack_option, value, PACK_VALUE_NONE, PACK_VALUE_LINES),
};
static SHAPE(option_shape, pack_option, option_fields);

static const struct field table_fields[] = {
    F_WORDS(pack_table, names, NONE),
    F(POS, pack_table, pos),
    F_WORDS(pack_table, use, NONE),
    F_ARRAY(ARRAY, pack_table, options, option_count, option_shape),
};
static SHAPE(table_shape, pack_table, table_fields);

static const struct field match_fields[] = {
    F(STR, pack_match, option),
    F(POS, pack_match, pos),
    F_WORDS(pack_match, globs, NONE),
};
static SHAPE(match_shape, pack_match, match_fields);

static const struct field pack_rule_fields[] = {
    F(STR, pack_rule, id),
    F(POS, pack_rule, pos),
    F_WORDS(pack_rule, subcommands, NONE),
    F_WORDS(pack_rule, options, NONE),
    F_WORDS(pack_rule, missing, NONE),
    F_ARRAY(ARRAY, pack_rule, values, value_count, match_shape),
    F_ARRAY(ARRAY, pack_rule, values_not, value_not_count, match_shape),
    F_WORDS(pack_rule, operands, NONE),
    F_WORDS(pack_rule, operands_not, NONE),
    F_WORDS(pack_rule, first, NONE),
    F_WORDS(pack_rule, first_not, NONE),
    F_WORDS(pack_rule, assignments, NONE),
    F_WORDS(pack_rule, assignments_not, NONE),
    F_WORDS(pack_rule, programs, NONE),
    F_WORDS(pack_rule, program_holds, NONE),
    F(BOOL, pack_rule, no_operand),
    F_U64(pack_rule, least_operands, 0, UINT32_MAX),
    F_U64(pack_rule, most_operands, 0, UINT32_MAX),
    F_U32(pack_rule, decision, DECISION_ALLOW, DECISION_DENY),
    F(STR, pack_rule, reason),
};
static SHAPE(pack_rule_shape, pack_rule, pack_rule_fields);

static const struct field run_fields[] = {
    F(POS, pack_run, pos),
    F_WORDS(pack_run, subcommands, NONE),
    F_WORDS(pack_run, options, NONE),
    F_U64(pack_run, operand, 0, UINT32_MAX),
    F_U32(pack_run, form, PACK_FORM_WORDS, PACK_FORM_JOINED),
    F(BOOL, pack_run, appended),
    F(BOOL, pack_run, filled),
    F(BOOL, pack_run, remote),
};
static SHAPE(run_shape, pack_run, run_fields);

/* Its tests are of the pack's author; they ran before. */
static const struct field pack_fields[] = {
    F(NAME, policy_pack, name),
    F(STR, policy_pack, file),
    F(STR, policy_pack, version),
    F(STR, policy_pack, description),
    F_WORDS(policy_pack, programs, NONE),
    F(POS, policy_pack, unknown_pos),
    F_U32(policy_pack, unknown_option, DECISION_ALLOW, DECISION_DENY),
    F(POS, policy_pack, otherwise_pos),
    F_U32(policy_pack, otherwise, DECISION_ALLOW, DECISION_DENY),
    F(BOOL, policy_pack, abbreviate),
    F(BOOL, policy_pack, negate),
    F(BOOL, policy_pack, whole),
    F(BOOL, policy_pack, single),
    F(BOOL, policy_pack, old_style),
    F(BOOL, policy_pack, fold_values),
    F(BOOL, policy_pack, fold_options),
    F_U32(policy_pack, permute, PACK_PERMUTE_ALL, PACK_PERMUTE_ONCE),
    F_U32(policy_pack, subcommand_style, PACK_SUBCOMMANDS_NONE, PACK_SUBCOMMANDS_ANYWHERE),
    F_U32(policy_pack, assignments, PACK_ASSIGNMENTS_NONE, PACK_ASSIGNMENTS_ANYWHERE),
    F_U32(policy_pack, scan, PACK_SCAN_NONE, PACK_SCAN_SED),
    F_RECORD(policy_pack, main, table_shape),
    F_ARRAY(ARRAY, policy_pack, sets, set_count, table_shape),
    F_ARRAY(ARRAY, policy_pack, subcommands, subcommand_count, table_shape),
    F_ARRAY(ARRAY, policy_pack, rules, rule_count, pack_rule_shape),
    F_ARRAY(ARRAY, policy_pack, runs, run_count, run_shape),
};
SHAPE(pack_shape, policy_pack, pack_fields);
