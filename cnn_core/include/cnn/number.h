/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers from and to text, always with a dot, whatever locale the host has set. */
#ifndef CNN_NUMBER_H
#define CNN_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Parses the whole of `text` as a finite decimal number in [low, high]. CNN_BAD_ARGUMENT with a message that
 * begins with `name` and tells the text and the limits, for: empty, trailing characters ("1e-2x", "0,01"),
 * nan, inf, out of range. On error *out is untouched. */
int cnn_parse_real(const char *name, const char *text, double low, double high, double *out);

/* The same for a whole number; "1e3" and "1.0" are refused. */
int cnn_parse_whole(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *out);

#define CNN_NUMBER_SIZE 32
/* Writes the shortest text that reads back to the same float64, with a dot; "nan", "inf", "-inf". Returns
 * buffer. */
const char *cnn_format_real(double value, char buffer[CNN_NUMBER_SIZE]);

#endif
