/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "endpoint.h"
#include <string.h>

static void reads(const char *text, const char *host, uint16_t port)
{
    ws_endpoint found;
    assert_int_equal(ws_endpoint_parse(text, &found), WS_OK);
    assert_string_equal(found.host, host);
    assert_int_equal(found.port, port);
}

static void refuses(const char *text)
{
    ws_endpoint found = {"untouched", 7};
    assert_int_equal(ws_endpoint_parse(text, &found), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "is not HOST:PORT with a port from 1 to 65535"));
    assert_string_equal(found.host, "untouched");
    assert_int_equal(found.port, 7);
}

static void names_and_addresses_are_read(void **state)
{
    (void)state;
    reads("localhost:22222", "localhost", 22222);
    reads("127.0.0.1:1", "127.0.0.1", 1);
    reads("node-7.cluster_a.org:65535", "node-7.cluster_a.org", 65535);
    reads("[::1]:22222", "::1", 22222);
    reads("[fe80::1%0]:22222", "fe80::1%0", 22222);
}

static void all_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      ":",
                                      "localhost",
                                      "localhost:",
                                      "localhost:0",
                                      "localhost:65536",
                                      ":22222",
                                      "localhost:x",
                                      "localhost:-1",
                                      "localhost:+1",
                                      "localhost: 1",
                                      "localhost:1 ",
                                      "a b:1",
                                      "a\nb:1",
                                      "::1:22222",
                                      "[]:1",
                                      "[::1]22222",
                                      "[::1:22222",
                                      "::1]:2",
                                      "http://a:1",
                                      "a/b:1",
                                      "localhost:1e3",
                                      "localhost:18446744073709551617",
                                      "localhost:000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(bad[i]);
    char longest[WS_HOST_SIZE + 8];
    memset(longest, 'a', sizeof longest);
    strcpy(longest + WS_HOST_SIZE - 1, ":1");
    ws_endpoint found;
    assert_int_equal(ws_endpoint_parse(longest, &found), WS_OK);
    assert_int_equal(strlen(found.host), WS_HOST_SIZE - 1);
    memset(longest, 'a', sizeof longest);
    strcpy(longest + WS_HOST_SIZE, ":1");
    refuses(longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_addresses_are_read),
        cmocka_unit_test(all_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
