/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/status.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_texts(void **state)
{
    (void)state;
    assert_string_equal(cnn_status_text(CNN_OK), "success");
    assert_string_equal(cnn_status_text(CNN_NO_MEMORY), "memory is exhausted");
    assert_string_equal(cnn_status_text(-99), "unknown status");
    assert_string_equal(cnn_status_text(1), "unknown status");
}

static void test_message_is_formatted(void **state)
{
    (void)state;
    assert_int_equal(cnn_fail(CNN_BAD_FILE, "%s: %d is above %d", "x.bin", 7, 5), CNN_BAD_FILE);
    assert_string_equal(cnn_message(), "x.bin: 7 is above 5");
}

static void test_message_is_one_line(void **state)
{
    (void)state;
    cnn_fail(CNN_BAD_FILE, "%s: gone", "a\nb\tc\033[1m\x7f Ω");
    assert_string_equal(cnn_message(), "a?b?c?[1m? Ω: gone");
}

static void test_message_may_quote_the_last_one(void **state)
{
    (void)state;
    cnn_fail(CNN_BAD_ARGUMENT, "step: bad");
    cnn_fail(CNN_BAD_FILE, "file: %s", cnn_message());
    assert_string_equal(cnn_message(), "file: step: bad");
}

/* The end, which says what is wrong, must not be lost behind the longest of paths. */
static void test_long_paths_leave_room(void **state)
{
    (void)state;
    char path[4096];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    cnn_fail(CNN_BAD_FILE, "%s: differs from %s: reason", path, path);
    assert_non_null(strstr(cnn_message(), ": reason"));

    char *huge = malloc(100000);
    memset(huge, 'h', 99999);
    huge[99999] = '\0';
    cnn_fail(CNN_BAD_FILE, "%s", huge);
    free(huge);
    assert_in_range(strlen(cnn_message()), 8192, 99998);
}

static void *fail_elsewhere(void *context)
{
    const char *first = cnn_message();
    *(int *)context = first[0] == '\0';
    cnn_fail(CNN_IO_FAILED, "of the other thread");
    return NULL;
}

static void test_message_belongs_to_the_thread(void **state)
{
    (void)state;
    cnn_fail(CNN_BAD_FILE, "of this thread");
    pthread_t thread;
    int was_empty = 0;
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &was_empty), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(was_empty);
    assert_string_equal(cnn_message(), "of this thread");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_message_is_formatted),
        cmocka_unit_test(test_message_is_one_line),
        cmocka_unit_test(test_message_may_quote_the_last_one),
        cmocka_unit_test(test_long_paths_leave_room),
        cmocka_unit_test(test_message_belongs_to_the_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
