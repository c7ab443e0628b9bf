/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "script.h"
#include "weightscape/insitu.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/weightscape-script-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return chdir("/") || system(command);
}

static void touch(const char *name)
{
    const int fd = open(name, O_WRONLY | O_CREAT, 0666);
    assert_true(fd >= 0);
    close(fd);
}

static void test_arguments(void **state)
{
    (void)state;
    touch("a,b c.py");
    ws_script script;
    assert_int_equal(
        ws_script_parse("a,b c.py,layer=conv1,size=1024x768,title=one, two,x-y=", ".", NULL, 0, &script), 0);
    assert_string_equal(script.path, "a,b c.py");
    assert_int_equal(script.argument_count, 4);
    assert_string_equal(script.arguments[0], "--layer=conv1");
    assert_string_equal(script.arguments[1], "--size=1024x768");
    assert_string_equal(script.arguments[2], "--title=one, two");
    assert_string_equal(script.arguments[3], "--x-y=");
    ws_script_clear(&script);
}

static void test_folders_differ(void **state)
{
    (void)state;
    touch("weights.py");
    ws_script scripts[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(ws_script_parse("weights.py", ".", scripts, i, &scripts[i]), 0);
    assert_non_null(strstr(scripts[0].folder, "/weights.cdb"));
    assert_non_null(strstr(scripts[1].folder, "/weights-2.cdb"));
    assert_non_null(strstr(scripts[2].folder, "/weights-3.cdb"));
    for (int i = 0; i < 3; i++)
        ws_script_clear(&scripts[i]);
}

static void test_missing_script_is_named(void **state)
{
    (void)state;
    ws_script script;
    assert_int_equal(ws_script_parse("nothing.py,every=5", ".", NULL, 0, &script), WS_BAD_SCRIPT);
    assert_non_null(strstr(ws_message(), "nothing.py: No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_arguments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folders_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_script_is_named, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
