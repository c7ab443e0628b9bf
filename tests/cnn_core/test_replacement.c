/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/replacement.h"
#include "cnn/status.h"
#include "scratch.h"
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_content(const char *name, const char *text)
{
    const bytes content = scratch_read(name);
    assert_int_equal(content.size, strlen(text));
    assert_memory_equal(content.at, text, content.size);
}

static void put(const char *name, const char *text)
{
    bytes content = {.size = 0};
    bytes_add_text(&content, text);
    scratch_write(name, &content);
}

/* How many files there are in the scratch folder's folder `name`. */
static int files_in(const char *name)
{
    DIR *folder = opendir(scratch_path(name));
    assert_non_null(folder);
    int count = 0;
    for (const struct dirent *file; (file = readdir(folder));)
        count += file->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void test_nobody_sees_a_half(void **state)
{
    (void)state;
    put("file", "old");
    cnn_replacement *file;
    assert_int_equal(cnn_replacement_begin(scratch_path("file"), &file), CNN_OK);
    assert_int_equal(cnn_replacement_write(file, "ne", 2), CNN_OK);
    assert_content("file", "old");
    assert_int_equal(cnn_replacement_write(file, "w!", 2), CNN_OK);
    assert_int_equal(cnn_replacement_write(file, NULL, 0), CNN_OK);
    assert_content("file", "old");
    assert_int_equal(cnn_replacement_commit(file), CNN_OK);
    assert_content("file", "new!");
    assert_int_equal(access(scratch_path("file.tmp"), F_OK), -1);
}

static void test_discard_keeps_the_old_file(void **state)
{
    (void)state;
    put("kept", "old");
    cnn_replacement *file;
    assert_int_equal(cnn_replacement_begin(scratch_path("kept"), &file), CNN_OK);
    assert_int_equal(cnn_replacement_write(file, "new", 3), CNN_OK);
    cnn_replacement_discard(file);
    assert_content("kept", "old");
    assert_int_equal(access(scratch_path("kept.tmp"), F_OK), -1);
    cnn_replacement_discard(NULL);
}

/* A writer that was killed leaves its temporary file; the next writer clears it away. */
static void test_leftover_of_a_killed_writer(void **state)
{
    (void)state;
    assert_int_equal(mkdir(scratch_path("killed"), 0777), 0);
    put("killed/file", "old");
    const pid_t child = fork();
    if (child == 0) {
        cnn_replacement *file;
        if (!cnn_replacement_begin(scratch_path("killed/file"), &file))
            cnn_replacement_write(file, "half of a new fi", 16);
        kill(getpid(), SIGKILL);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    assert_content("killed/file", "old");
    assert_int_equal(files_in("killed"), 2);

    cnn_replacement *file;
    assert_int_equal(cnn_replacement_begin(scratch_path("killed/file"), &file), CNN_OK);
    assert_int_equal(cnn_replacement_write(file, "new", 3), CNN_OK);
    assert_int_equal(cnn_replacement_commit(file), CNN_OK);
    assert_content("killed/file", "new");
    assert_int_equal(files_in("killed"), 1);
}

static void test_no_room(void **state)
{
    (void)state;
    put("full", "old");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, tight;
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    tight.rlim_cur = 100;
    static const char block[400];
    const char *path = scratch_path("full");
    cnn_replacement *file;
    assert_int_equal(cnn_replacement_begin(path, &file), CNN_OK);
    setrlimit(RLIMIT_FSIZE, &tight);
    const int status = cnn_replacement_write(file, block, sizeof block);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_failed(status, CNN_IO_FAILED, path, "cannot be written: File too large");
    cnn_replacement_discard(file);
    assert_content("full", "old");
    assert_int_equal(access(scratch_path("full.tmp"), F_OK), -1);
}

static void assert_refused(const char *path, const char *words)
{
    cnn_replacement *file = NULL;
    assert_failed(cnn_replacement_begin(path, &file), CNN_IO_FAILED, path, words);
    assert_null(file);
}

static void test_places_that_cannot_be_written(void **state)
{
    (void)state;
    assert_refused(scratch_path("no folder/file"), "cannot be written: No such file or directory");
    assert_int_equal(mkdir(scratch_path("folder"), 0777), 0);
    assert_refused(scratch_path("folder"), "it is not a regular file");
    assert_refused("/dev/null", "it is not a regular file");
    char name[300];
    memset(name, 'n', 256);
    name[256] = '\0';
    assert_refused(scratch_path(name), "File name too long");
}

static void test_names(void **state)
{
    (void)state;
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(scratch_path("")), 0);
    static const char *const names[] = {"relative", "./-x", "tëst '\" \n Ω"};
    for (int i = 0; i < 3; i++) {
        cnn_replacement *file;
        assert_int_equal(cnn_replacement_begin(names[i], &file), CNN_OK);
        assert_int_equal(cnn_replacement_write(file, "x", 1), CNN_OK);
        assert_int_equal(cnn_replacement_commit(file), CNN_OK);
        assert_content(names[i], "x");
    }
    assert_int_equal(chdir(here), 0);
}

static void test_permissions_follow_the_mask(void **state)
{
    (void)state;
    const mode_t mask = umask(027);
    cnn_replacement *file;
    assert_int_equal(cnn_replacement_begin(scratch_path("mode"), &file), CNN_OK);
    assert_int_equal(cnn_replacement_commit(file), CNN_OK);
    umask(mask);
    struct stat about;
    assert_int_equal(stat(scratch_path("mode"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
}

static void test_all_at_once(void **state)
{
    (void)state;
    put("all", "old");
    assert_int_equal(cnn_replacement_all(scratch_path("all"), "new", 3), CNN_OK);
    assert_content("all", "new");
    assert_int_equal(cnn_replacement_all(scratch_path("all"), "", 0), CNN_OK);
    assert_content("all", "");
    assert_int_equal(cnn_replacement_all(scratch_path("nowhere/all"), "new", 3), CNN_IO_FAILED);
}

static void test_a_copy_is_what_is_still_to_be_read(void **state)
{
    (void)state;
    put("from", "one two");
    FILE *from = fopen(scratch_path("from"), "r");
    assert_non_null(from);
    assert_int_equal(fseek(from, 4, SEEK_SET), 0);
    assert_int_equal(cnn_replacement_copy(scratch_path("to"), from, "from"), CNN_OK);
    assert_content("to", "two");
    fclose(from);
}

/* Half a file must not take the place of a whole one. */
static void test_a_copy_of_what_cannot_be_read_keeps_the_old_file(void **state)
{
    (void)state;
    put("whole", "old");
    FILE *folder = fopen(scratch_path("."), "r"); /* opens, and cannot be read */
    assert_non_null(folder);
    assert_int_equal(cnn_replacement_copy(scratch_path("whole"), folder, "folder"), CNN_IO_FAILED);
    assert_non_null(strstr(cnn_message(), "folder"));
    assert_content("whole", "old");
    assert_int_equal(access(scratch_path("whole.tmp"), F_OK), -1);
    fclose(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_sees_a_half),
        cmocka_unit_test(test_discard_keeps_the_old_file),
        cmocka_unit_test(test_leftover_of_a_killed_writer),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_places_that_cannot_be_written),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_permissions_follow_the_mask),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_a_copy_is_what_is_still_to_be_read),
        cmocka_unit_test(test_a_copy_of_what_cannot_be_read_keeps_the_old_file),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
