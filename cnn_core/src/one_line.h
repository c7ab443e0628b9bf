/* SPDX-License-Identifier: BSD-3-Clause */
/* Internal to cnn_core. */
#ifndef CNN_ONE_LINE_H
#define CNN_ONE_LINE_H

/* Control characters become '?': a message is one line, whatever a name in a file holds. */
void cnn_one_line(char *text);

#endif
