/* SPDX-License-Identifier: BSD-3-Clause */
/* What a fallible function of cnn_core returns: 0 or a negative code from one list, and a message. */
#ifndef CNN_STATUS_H
#define CNN_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* One row yields the code, its number and its text. */
#define CNN_STATUS_LIST(X)                                                                                   \
    X(CNN_OK, 0, "success")                                                                                  \
    X(CNN_BAD_ARGUMENT, -1, "an argument or a specification is out of its limits")                           \
    X(CNN_BAD_FILE, -2, "a file does not hold what it should")                                               \
    X(CNN_IO_FAILED, -3, "the system refused to read or write")                                              \
    X(CNN_NO_MEMORY, -4, "memory is exhausted")                                                              \
    X(CNN_NOT_FINITE, -5, "a value of the training is not finite")                                           \
    X(CNN_RANKS_FAILED, -6, "the ranks of a training have lost each other")

typedef enum cnn_status {
#define CNN_STATUS_ROW(code, number, text) code = number,
    CNN_STATUS_LIST(CNN_STATUS_ROW)
#undef CNN_STATUS_ROW
} cnn_status;

/* The text of a code, "unknown status" for any other number. Static; any thread. */
const char *cnn_status_text(int status);

/* The message of this thread's last failure, one line without a newline; it names the thing, the value and
 * the limit. Valid until the thread's next failure; "" if there was none. */
const char *cnn_message(void);

/* Sets this thread's message from a printf format and returns `status`, so that a function can end with
 * `return cnn_fail(CNN_BAD_FILE, "%s: ...", path)`. */
int cnn_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Control characters of a text become '?', so that it is one line, whatever a name in a file holds. */
void cnn_one_line(char *text);

#ifdef __cplusplus
}
#endif
#endif
