/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program says to people. Results and progress go to standard output, all else to standard error,
 * each message in one line that begins with the command. */
#ifndef APP_TELL_H
#define APP_TELL_H

/* Messages from here on begin with "weightscape COMMAND: ", or with "weightscape: " for NULL. */
void tell_as(const char *command);

/* One line on standard error; control characters in it become `?`. */
void tell_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for what is worth knowing and no failure. */
void tell_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* tell_warning as a callback that takes a whole line. */
void tell_note(void *context, const char *line);

/* Shows `line` on standard output where the last such line was, if that is a terminal, until something else
 * is told. */
void tell_live(const char *line);

/* A line of its own on standard output. */
void tell_line(const char *line);

/* From here on nothing is told, since another process of the same job speaks; the first error is kept. And
 * back again. */
void tell_silently(void);
void tell_aloud(void);

/* The first error that was not told, without the command's name; "": there was none. */
const char *tell_first_error(void);

/* From here on standard output is taken for a file: launchers give their children a terminal that nobody
 * looks at. */
void tell_plainly(void);

/* True if standard output is a terminal that somebody looks at. */
int tell_is_live(void);

#endif
