/* SPDX-License-Identifier: BSD-3-Clause */
/* As much of cmocka as the tests of layers use, for a processor that is emulated, for which there is no
 * cmocka: the first assertion that does not hold ends the program. */
#ifndef CMOCKA_HEADERS_H
#define CMOCKA_HEADERS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define fail_msg(...)                                                                                        \
    do {                                                                                                     \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                      \
        fprintf(stderr, __VA_ARGS__);                                                                        \
        fputc('\n', stderr);                                                                                 \
        exit(1);                                                                                             \
    } while (0)
#define assert_true(condition)                                                                               \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_msg("%s", #condition);                                                                      \
    } while (0)
#define assert_false(condition)         assert_true(!(condition))
#define assert_non_null(pointer)        assert_true((pointer) != NULL)
#define assert_null(pointer)            assert_true((pointer) == NULL)
#define assert_int_equal(a, b)          assert_true((a) == (b))
#define assert_int_not_equal(a, b)      assert_true((a) != (b))
#define assert_ptr_equal(a, b)          assert_true((const void *)(a) == (const void *)(b))
#define assert_string_equal(a, b)       assert_true(!strcmp(a, b))
#define assert_memory_equal(a, b, size) assert_true(!memcmp(a, b, size))
#define print_message(...)              printf(__VA_ARGS__)

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};
#define cmocka_unit_test(test)                                                                               \
    {                                                                                                        \
#test, test                                                                                          \
    }

static inline int run_tests(const struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *state = NULL;
        tests[i].run(&state);
        printf("%s: passed\n", tests[i].name);
    }
    return 0;
}
#define cmocka_run_group_tests(tests, set_up, tear_down) run_tests(tests, sizeof tests / sizeof tests[0])

#endif
