/* SPDX-License-Identifier: BSD-3-Clause */
/* The picture that shows runs against one another. */
#ifndef APP_COMPARISON_H
#define APP_COMPARISON_H

typedef struct comparison {
    char *const *runs;  /* folders; ends with NULL */
    const char *output; /* a PNG file */
    const char *by;     /* the option whose values colour the runs; NULL: the first that differs */
    const char *layer;  /* whose norms and walks; NULL: the first convolution */
    const char *size;   /* "1600x1000"; NULL: the script's own */
} comparison;

/* Draws it, with ParaView in a process of its own. Errors: CNN_BAD_ARGUMENT (what was asked for is not in the
 * runs), CNN_IO_FAILED (the script is not there, ParaView is not, the file cannot be written). */
int comparison_draw(const comparison *wanted);

#endif
