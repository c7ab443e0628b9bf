/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fuzz targets share. A target is one file with the function below, and calls one reader of the
 * project as its users do. Linked with libFuzzer or AFL++'s driver it is a fuzzer; linked with replay.c it is
 * a test. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Gives these bytes to the reader. Returns 0. What the reader owes (a crash would be too late to notice) is
 * told by fuzz_require. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef __cplusplus
}
#endif

enum { FUZZ_FILES = 4 };

/* A file without a name that holds these bytes: its path, the same one for the same number in
 * 0..FUZZ_FILES-1. It lasts until the next call with that number. */
const char *fuzz_file(int number, const uint8_t *data, size_t size);

/* The bytes as a text on the heap, which ends at the first NUL; the caller frees it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Takes the next `count` bytes off the front, zeros beyond the end. */
void fuzz_take(const uint8_t **data, size_t *size, void *to, size_t count);

/* Aborts after one line on standard error unless `holds`. */
void fuzz_require(int holds, const char *what);

/* Requires that a message is one line that says something and begins with `begin`. */
void fuzz_require_line(const char *message, const char *begin);

/* Gives what the program would print to nobody; the sanitizers' reports stay. */
void fuzz_hush(void);

#endif
