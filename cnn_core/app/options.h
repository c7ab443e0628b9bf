/* SPDX-License-Identifier: BSD-3-Clause */
/* Options as a table, and the values that a call, a run's record and the table's defaults give them. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

struct app_command;

typedef enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_WHOLE,  /* in least..most */
    OPTION_REAL,   /* in low..high */
    OPTION_CHOICE, /* one of the words of `argument`, which are separated by `|` */
} option_kind;

/* What `train --resume` makes of an option that the run has recorded. */
typedef enum option_rule {
    OPTION_OF_CALL, /* not recorded: it concerns this call only */
    OPTION_OF_RUN,  /* the record's value holds unless the call gives another one */
    OPTION_FIXED,   /* a call that gives another value contradicts the run */
} option_rule;

/* What an argument names, for shells that complete it. */
typedef enum option_names { OPTION_NAMES_NOTHING, OPTION_NAMES_FILE, OPTION_NAMES_FOLDER } option_names;

typedef struct app_option {
    const char *name;
    char letter; /* of the short form, 0 without one */
    option_kind kind;
    option_rule rule;
    int repeatable;
    const char *argument; /* its name in the help; NULL for flags */
    option_names names;
    const char *fallback; /* the value without the option; NULL: none */
    const char *implied;  /* the value of the option without its argument; NULL: it must have one */
    uint64_t least, most;
    double low, high;
    const char *help;
} app_option;

typedef struct option_values option_values;

/* What options_parse found besides options to run with. */
enum { OPTIONS_GOOD, OPTIONS_HELPED, OPTIONS_BAD };

/* 1 if the option is a flag that a run records, so that its resume may want to be without it: --no-NAME. */
int option_can_be_undone(const app_option *option);

/* Parses what follows the command's name. OPTIONS_BAD after one line that names the option, its value and the
 * limit, OPTIONS_HELPED after printing the help; *out is set for OPTIONS_GOOD only and freed with
 * options_free. */
int options_parse(const struct app_command *command, int argc, char **argv, option_values **out);
void options_free(option_values *values);

/* True if the call itself gave the option. */
int option_given(const option_values *values, const char *name);

/* From here on no option counts as given by the call: all of them are what the run has. */
void options_forget_call(option_values *values);

/* The last value given, else the fallback; NULL if there is none. Borrowed. */
const char *option_text(const option_values *values, const char *name);

/* The value of a whole or real number with a fallback or given; checked when it was parsed. */
uint64_t option_whole(const option_values *values, const char *name);
double option_real(const option_values *values, const char *name);

/* Values of a repeatable option. */
size_t option_count(const option_values *values, const char *name);
const char *option_at(const option_values *values, const char *name, size_t index);

/* Replaces all values of an option by one, or by none for NULL; the call is not taken to have given it.
 * Returns 0, or a status of cnn_core if `text` is out of the option's limits. */
int option_set(option_values *values, const char *name, const char *text);
/* Adds or replaces a value of a repeatable option. Return as option_set. */
int option_add(option_values *values, const char *name, const char *text);
int option_replace(option_values *values, const char *name, size_t index, const char *text);

/* The table and the operands. */
const app_option *option_table(const option_values *values);
size_t operand_count(const option_values *values);
const char *operand_at(const option_values *values, size_t index);

/* Checks a text against an option's kind and limits. */
int option_check(const app_option *option, const char *text);

#endif
