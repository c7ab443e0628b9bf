/* SPDX-License-Identifier: BSD-3-Clause */
/* A network as people give it: the line itself, or the file that holds it. */
#ifndef APP_NET_TEXT_H
#define APP_NET_TEXT_H

/* The text of the regular file `given` if there is one, else a copy of `given`. Returns 0 or a status of
 * cnn_core; the caller frees *out. */
int net_text_read(const char *given, char **out);

#endif
