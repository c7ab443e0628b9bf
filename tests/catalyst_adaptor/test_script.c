/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "script.h"
#include <string.h>

static const struct {
    const char *text, *path, *folder, *arguments; /* arguments joined by blanks */
} rows[] = {
    {"/a/weights.py", "/a/weights.py", "/out/weights.cdb", ""},
    {"/a/weights.py,layer=conv1,every=50", "/a/weights.py", "/out/weights-2.cdb", "--layer=conv1 --every=50"},
    {"/b/weights.py", "/b/weights.py", "/out/weights-3.cdb", ""},
    {"/a,b/t'st Ω.py,x=", "/a,b/t'st Ω.py", "/out/t'st Ω.cdb", "--x="},
    {"/package,x=1=2", "/package", "/out/package.cdb", "--x=1=2"},
};

static void assert_script(const ws_script *script, int row)
{
    char joined[256] = "";
    for (uint32_t i = 0; i < script->argument_count; i++) {
        strcat(joined, i ? " " : "");
        strcat(joined, script->arguments[i]);
    }
    assert_string_equal(script->path, rows[row].path);
    assert_string_equal(script->folder, rows[row].folder);
    assert_string_equal(joined, rows[row].arguments);
}

static void test_texts_become_path_folder_arguments(void **state)
{
    (void)state;
    enum { COUNT = sizeof rows / sizeof *rows };
    const char *texts[COUNT];
    for (int i = 0; i < COUNT; i++)
        texts[i] = rows[i].text;
    ws_scripts scripts;
    assert_int_equal(ws_scripts_parse(texts, COUNT, "/out", &scripts), WS_OK);
    for (int i = 0; i < COUNT; i++)
        assert_script(&scripts.at[i], i);
    ws_scripts_free(&scripts);
}

static void test_relative_names_become_absolute(void **state)
{
    (void)state;
    const char *text = "weights.py";
    ws_scripts scripts;
    assert_int_equal(ws_scripts_parse(&text, 1, "images", &scripts), WS_OK);
    assert_int_equal(scripts.at[0].path[0], '/');
    assert_int_equal(scripts.at[0].folder[0], '/');
    assert_non_null(strstr(scripts.at[0].folder, "/images/weights.cdb"));
    ws_scripts_free(&scripts);
}

static void test_bad_texts_are_named(void **state)
{
    (void)state;
    static const char *const bad[] = {"a.py,layer", "a.py,=3", "a.py,1x=3", "a.py,",
                                      "a.py,a b=3", ",x=1",    ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ws_scripts scripts;
        assert_int_equal(ws_scripts_parse(&bad[i], 1, "/out", &scripts), WS_BAD_ARGUMENT);
        assert_non_null(strstr(ws_message(), bad[i]));
        ws_scripts_free(&scripts);
    }
}

static void test_a_missing_script_is_named(void **state)
{
    (void)state;
    const char *text = "/nonexistent/x.py";
    ws_scripts scripts;
    assert_int_equal(ws_scripts_parse(&text, 1, "/out", &scripts), WS_OK);
    assert_int_equal(ws_script_is_readable(&scripts.at[0]), WS_BAD_SCRIPT);
    assert_non_null(strstr(ws_message(), "/nonexistent/x.py"));
    ws_scripts_free(&scripts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_become_path_folder_arguments),
        cmocka_unit_test(test_relative_names_become_absolute),
        cmocka_unit_test(test_bad_texts_are_named),
        cmocka_unit_test(test_a_missing_script_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
