/* SPDX-License-Identifier: BSD-3-Clause */
/* Short texts on the heap: paths, lines. The program ends with a line when there is no memory for one. */
#ifndef APP_TEXT_H
#define APP_TEXT_H

#include <stddef.h>

/* A printf format as a fresh text; the caller frees it. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A copy of `text`; the caller frees it. */
char *text_copy(const char *text);

/* `text` as one word of a shell command: as it is where that is safe, else in single quotes. The caller frees
 * it. */
char *text_shell_word(const char *text);

/* Room for `count` elements of `size` bytes, zeroed; the caller frees it. */
void *memory_of(size_t count, size_t size);

/* Bytes as "12.3 MB". */
enum { TEXT_SIZE_SIZE = 24 };
const char *text_of_size(double bytes, char out[TEXT_SIZE_SIZE]);

/* A share as "1.3 %", with one decimal below a tenth. */
enum { TEXT_SHARE_SIZE = 24 };
const char *text_of_share(double share, char out[TEXT_SHARE_SIZE]);

/* Seconds as "42 s", "3 min 20 s" or "2 h 05 min". */
enum { TEXT_TIME_SIZE = 32 };
const char *text_of_time(double seconds, char out[TEXT_TIME_SIZE]);

#endif
