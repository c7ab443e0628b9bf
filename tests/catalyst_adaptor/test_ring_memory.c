/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a ring's memory comes from, and that nothing is left of it. */
#define _GNU_SOURCE /* unshare */
#include "cmocka_headers.h"
#include "ring.h"
#include "ring_frames.h"
#include "ring_layout.h"
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VALUES = 25600, NOT_PERMITTED = 77 };

static char folder[256];

static int make_folder(void **state)
{
    (void)state;
    const char *root = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/weightscape-test-XXXXXX", root ? root : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

/* Fails if anything is left in it. */
static int remove_folder(void **state)
{
    (void)state;
    unsetenv("WEIGHTSCAPE_RING_FOLDER");
    return rmdir(folder);
}

static int entries(const char *path)
{
    int count = 0;
    DIR *open = opendir(path);
    assert_non_null(open);
    while (readdir(open))
        count++;
    closedir(open);
    return count - 2;
}

static ws_ring_options options_for(size_t values, size_t most_bytes)
{
    return (ws_ring_options){.frame_bytes = ring_frame_bytes(values), .most_bytes = most_bytes};
}

/* Not asserts: these run in children, too. */
static void expect(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "expected: %s (last message: %s)\n", what, ws_message());
    _exit(1);
}

/* Every slot can be written and read to its last byte. */
static void use(ws_ring *ring, size_t values)
{
    ws_ring_reader *reader;
    expect(ws_ring_attach(ws_ring_descriptor(ring), NULL, 0, NULL, 0, &reader) == WS_OK, "a place");
    for (uint64_t step = 1; step <= 2 * ws_ring_slots(ring); step++) {
        ring_frame_make(ws_ring_begin(ring, NULL, NULL), values, step);
        ws_ring_publish(ring, 0);
        const void *frame = ws_ring_take_newest(reader, step - 1);
        expect(frame && ring_frame_is_whole(frame, values), "the frame");
    }
    ws_ring_detach(reader);
}

static int run_apart(int (*body)(void))
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
        _exit(body());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_msg("ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void test_memory_cannot_be_cut(void **state)
{
    (void)state;
    const ws_ring_options options = options_for(VALUES, 0);
    ws_ring *ring;
    assert_int_equal(ws_ring_create(&options, &ring), WS_OK);
    assert_false(ws_ring_is_file(ring));
    assert_int_not_equal(ftruncate(ws_ring_descriptor(ring), 0), 0);
    use(ring, VALUES);
    ws_ring_free(ring);
}

/* Every page is there before the first frame is written. */
static void test_memory_is_allocated_beforehand(void **state)
{
    (void)state;
    const ws_ring_options options = options_for(VALUES, 0);
    for (int in_folder = 0; in_folder < 2; in_folder++) {
        if (in_folder)
            setenv("WEIGHTSCAPE_RING_FOLDER", folder, 1);
        ws_ring *ring;
        struct stat about;
        assert_int_equal(ws_ring_create(&options, &ring), WS_OK);
        assert_int_equal(ws_ring_is_file(ring), in_folder);
        assert_int_equal(fstat(ws_ring_descriptor(ring), &about), 0);
        assert_true((uint64_t)about.st_blocks * 512 >= (uint64_t)about.st_size);
        ws_ring_free(ring);
    }
    unsetenv("WEIGHTSCAPE_RING_FOLDER");
}

static void test_a_file_without_a_name(void **state)
{
    (void)state;
    const ws_ring_options options = options_for(VALUES, 0);
    setenv("WEIGHTSCAPE_RING_FOLDER", folder, 1);
    ws_ring *ring;
    assert_int_equal(ws_ring_create(&options, &ring), WS_OK);
    assert_true(ws_ring_is_file(ring));
    assert_int_equal(entries(folder), 0);
    use(ring, VALUES);
    ws_ring_free(ring);
    assert_int_equal(entries(folder), 0);
    setenv("WEIGHTSCAPE_RING_FOLDER", "", 1);
    assert_int_equal(ws_ring_create(&options, &ring), WS_OK);
    assert_false(ws_ring_is_file(ring));
    ws_ring_free(ring);
    char missing[300];
    snprintf(missing, sizeof missing, "%s/missing", folder);
    setenv("WEIGHTSCAPE_RING_FOLDER", missing, 1);
    ws_ring *untouched = (ws_ring *)missing;
    assert_int_equal(ws_ring_create(&options, &untouched), WS_IO_FAILED);
    assert_non_null(strstr(ws_message(), missing));
    assert_ptr_equal(untouched, missing);
    unsetenv("WEIGHTSCAPE_RING_FOLDER");
}

static void write_for_ever(void)
{
    const ws_ring_options options = options_for(VALUES, 0);
    ws_ring *ring;
    expect(ws_ring_create(&options, &ring) == WS_OK, "a ring");
    for (;;) {
        ring_frame_make(ws_ring_begin(ring, NULL, NULL), VALUES, 1);
        ws_ring_publish(ring, 0);
    }
}

static void test_a_kill_leaves_no_file(void **state)
{
    (void)state;
    setenv("WEIGHTSCAPE_RING_FOLDER", folder, 1);
    for (int i = 0; i < 20; i++) {
        const pid_t child = fork();
        if (child == 0)
            write_for_ever();
        usleep((useconds_t)(i * 500));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(entries(folder), 0);
    }
    unsetenv("WEIGHTSCAPE_RING_FOLDER");
}

/* The limit is kept without the signal that ends a process. */
static int with_limited_files(void)
{
    const struct rlimit limit = {700000, 700000};
    expect(setrlimit(RLIMIT_FSIZE, &limit) == 0, "a limit");
    ws_ring_options options = options_for(VALUES, 0);
    ws_ring *ring;
    expect(ws_ring_create(&options, &ring) == WS_OK, "a small ring");
    expect(ws_ring_slots(ring) < 8, "fewer slots");
    use(ring, VALUES);
    ws_ring_free(ring);
    options = options_for(10 * VALUES, 0);
    options.folder = folder;
    expect(ws_ring_create(&options, &ring) == WS_IO_FAILED, "no ring");
    expect(strstr(ws_message(), "shared memory") && strstr(ws_message(), folder),
           "both places in the message");
    return 0;
}

static void test_limits_of_file_size(void **state)
{
    (void)state;
    assert_int_equal(run_apart(with_limited_files), 0);
}

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals = signals + 1;
}

/* Timers of the host do not keep an allocation from succeeding. */
static int with_many_signals(void)
{
    const struct itimerval often = {{0, 200}, {0, 200}};
    signal(SIGALRM, count_signal);
    expect(setitimer(ITIMER_REAL, &often, NULL) == 0, "a timer");
    const ws_ring_options options = options_for(10 * VALUES, (size_t)128 << 20);
    for (int i = 0; i < 5; i++) {
        ws_ring *ring;
        expect(ws_ring_create(&options, &ring) == WS_OK && !ws_ring_is_file(ring), "a ring");
        expect(ws_ring_slots(ring) == 64, "all slots");
        ws_ring_free(ring);
    }
    expect(signals > 0, "signals");
    return 0;
}

static void test_signals_do_no_harm(void **state)
{
    (void)state;
    assert_int_equal(run_apart(with_many_signals), 0);
}

static uint64_t free_blocks(void)
{
    struct statvfs about;
    expect(statvfs(folder, &about) == 0, "a file system");
    return about.f_bfree;
}

/* One MiB, which 8 frames of 100 KiB fit into, and 16 do not. */
static int with_little_space(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=1m") != 0)
        return NOT_PERMITTED;
    setenv("WEIGHTSCAPE_RING_FOLDER", folder, 1);
    const uint64_t before = free_blocks();
    ws_ring_options options = options_for(VALUES, 0);
    ws_ring *ring, *second = NULL;
    expect(ws_ring_create(&options, &ring) == WS_OK, "a ring");
    expect(ws_ring_slots(ring) == 8 && ws_ring_is_file(ring), "8 slots in a file");
    expect(ws_ring_create(&options, &second) == WS_IO_FAILED && !second, "no second ring");
    expect(strstr(ws_message(), folder) != NULL, "the folder in the message");
    expect(entries(folder) == 0, "no file");
    use(ring, VALUES);
    ws_ring_free(ring);
    expect(free_blocks() == before, "the space back");
    options = options_for(6 * VALUES, 0);
    expect(ws_ring_create(&options, &ring) == WS_IO_FAILED, "no ring of large frames");
    expect(free_blocks() == before, "the space back");
    return 0;
}

static void test_little_space(void **state)
{
    (void)state;
    const int result = run_apart(with_little_space);
    if (result == NOT_PERMITTED)
        skip();
    assert_int_equal(result, 0);
}

/* A child that the host starts inherits neither the memory nor the sign of life. */
static void test_nothing_is_inherited(void **state)
{
    (void)state;
    const ws_ring_options options = options_for(16, 0);
    ws_ring *ring;
    ws_ring_reader *reader;
    assert_int_equal(ws_ring_create(&options, &ring), WS_OK);
    assert_int_equal(ws_ring_attach(ws_ring_descriptor(ring), NULL, 0, NULL, 0, &reader), WS_OK);
    FILE *list = popen("ls -l /proc/self/fd", "r");
    assert_non_null(list);
    char line[512];
    int lines = 0;
    for (; fgets(line, sizeof line, list); lines++)
        assert_null(strstr(line, "weightscape-ring"));
    assert_true(lines > 2);
    pclose(list);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_cannot_be_cut),  cmocka_unit_test(test_memory_is_allocated_beforehand),
        cmocka_unit_test(test_a_file_without_a_name), cmocka_unit_test(test_a_kill_leaves_no_file),
        cmocka_unit_test(test_limits_of_file_size),   cmocka_unit_test(test_signals_do_no_harm),
        cmocka_unit_test(test_little_space),          cmocka_unit_test(test_nothing_is_inherited),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
