/* SPDX-License-Identifier: BSD-3-Clause */
/* Recordings are continued, and survive kills and full disks. */
#define _GNU_SOURCE /* unshare */
#include "cmocka_headers.h"
#include "sample.h"
#include "scratch.h"
#include "weightscape/insitu.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

ssize_t __real_pwrite(int descriptor, const void *from, size_t count, off_t offset);
ssize_t __wrap_pwrite(int descriptor, const void *from, size_t count, off_t offset);

/* How many writes still work, and what the next one does: writes so many bytes of a thousand, then fails so.
 */
static int writes_left = -1, thousandths, failure;

/* Linked in the place of pwrite. */
ssize_t __wrap_pwrite(int descriptor, const void *from, size_t count, off_t offset)
{
    if (writes_left < 0)
        return __real_pwrite(descriptor, from, count, offset);
    if (writes_left > 0) {
        writes_left--;
        return __real_pwrite(descriptor, from, count, offset);
    }
    const size_t part = count * (size_t)thousandths / 1000;
    thousandths = 0;
    if (part > 0)
        return __real_pwrite(descriptor, from, part, offset);
    errno = failure;
    return -1;
}

static int open_after(const char *path, uint64_t first_step, ws_recorder **out)
{
    const ws_recorder_options options = {path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, first_step};
    return ws_recorder_open(&options, out);
}

static int set_base(ws_recorder *recorder, uint64_t which)
{
    void *base = sample_base(which);
    const int status = ws_recorder_base(recorder, base);
    free(base);
    return status;
}

static off_t size_of(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 ? found.st_size : -1;
}

/* A run from step `after` to step `last`, a frame every tenth step. */
static void run(const char *path, uint64_t after, uint64_t last, uint64_t base)
{
    ws_recorder *recorder = NULL;
    assert_int_equal(open_after(path, after, &recorder), WS_OK);
    assert_int_equal(size_of(path), ws_recorder_bytes(recorder)); /* nothing is left of what was cut off */
    assert_int_equal(set_base(recorder, base), WS_OK);
    for (uint64_t step = after + 10; step <= last; step += 10)
        assert_int_equal(sample_add(recorder, step - 10, step), WS_OK);
    ws_recorder_close(recorder);
}

/* The recording has the frames of steps first, first + 10, ... last. */
static void assert_readable(const char *path, uint64_t first, uint64_t last)
{
    ws_recording *recording = NULL;
    assert_int_equal(ws_recording_open(path, &recording), WS_OK);
    assert_int_equal(ws_recording_count(recording), last < first ? 0 : (last - first) / 10 + 1);
    for (uint64_t n = 0; n < ws_recording_count(recording); n++)
        assert_int_equal(sample_compare(recording, n, first + 10 * n - 10, first + 10 * n), 1);
    ws_recording_close(recording);
}

/* And it is not said to have any other. */
static void assert_frames(const char *path, uint64_t first, uint64_t last)
{
    ws_recording *recording = NULL;
    assert_readable(path, first, last);
    assert_int_equal(ws_recording_open(path, &recording), WS_OK);
    assert_int_equal(ws_recording_claimed(recording), ws_recording_count(recording));
    ws_recording_close(recording);
}

static void assert_bases(const char *path, uint64_t from, uint64_t to, uint64_t which)
{
    ws_recording *recording = NULL;
    assert_int_equal(ws_recording_open(path, &recording), WS_OK);
    for (uint64_t n = from; n < to; n++)
        assert_int_equal(sample_compare_base(recording, n, which), 1);
    ws_recording_close(recording);
}

/* As scratch_path, but valid until the next call of this. */
static const char *path_of(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s", scratch_path(name));
    return path;
}

static const char *aside_of(const char *name, const char *ending)
{
    char aside[128];
    snprintf(aside, sizeof aside, "%s%s", name, ending);
    return scratch_path(aside);
}

static void test_a_run_is_continued(void **state)
{
    (void)state;
    const char *path = path_of("continued");
    run(path, 0, 700, 1); /* more than one block */
    const off_t before = size_of(path);
    run(path, 700, 700, 1);
    assert_int_equal(size_of(path), before); /* its base is the one that is there */
    run(path, 700, 1500, 1);
    run(path, 1500, 2100, 2);
    assert_frames(path, 10, 2100);
    assert_bases(path, 0, 150, 1);
    assert_bases(path, 150, 210, 2);
    assert_int_equal(size_of(aside_of("continued", ".after-700")), -1);
}

static void test_later_frames_are_kept_aside(void **state)
{
    (void)state;
    const char *path = path_of("kept");
    run(path, 0, 1000, 1);
    run(path, 1000, 2000, 2);
    run(path, 500, 900, 3);
    assert_frames(path, 10, 900);
    assert_bases(path, 0, 50, 1);
    assert_bases(path, 50, 90, 3);
    const char *aside = aside_of("kept", ".after-500");
    assert_frames(aside, 510, 2000);
    assert_bases(aside, 0, 50, 1);
    assert_bases(aside, 50, 150, 2);
    run(path, 500, 500, 3);
    assert_frames(path, 10, 500);
    assert_frames(aside_of("kept", ".after-500-2"), 510, 900);
    assert_frames(aside_of("kept", ".after-500"), 510, 2000);
    run(path, 0, 50, 4);
    assert_frames(path, 10, 50);
    assert_frames(aside_of("kept", ".after-0"), 10, 500);
}

/* A step between two frames: the rows of the later frame go with it, all of them. */
static void test_a_run_continues_between_two_frames(void **state)
{
    (void)state;
    const char *path = path_of("between");
    run(path, 0, 100, 1);
    ws_recorder *recorder = NULL;
    assert_int_equal(open_after(path, 57, &recorder), WS_OK);
    assert_int_equal(ws_recorder_count(recorder), 5);
    assert_int_equal(sample_add(recorder, 57, 60), WS_OK);
    ws_recorder_close(recorder);
    assert_frames(aside_of("between", ".after-57"), 60, 100);
    ws_recording *recording = NULL;
    assert_int_equal(ws_recording_open(path, &recording), WS_OK);
    assert_int_equal(sample_compare(recording, 5, 57, 60), 1);
    ws_recording_close(recording);
}

static void test_steps_rise(void **state)
{
    (void)state;
    const char *path = path_of("steps");
    ws_recorder *recorder = NULL;
    assert_int_equal(open_after(path, 0, &recorder), WS_OK);
    assert_int_equal(sample_add(recorder, 0, 0), WS_OK);
    assert_int_equal(sample_add(recorder, 0, 0), WS_BAD_ARGUMENT);
    assert_int_equal(sample_add(recorder, 5, 5), WS_OK);
    assert_int_equal(sample_add(recorder, 4, 4), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "step 4 after step 5: steps must rise"));
    assert_int_equal(ws_recorder_count(recorder), 2);
    ws_recorder_close(recorder);
    assert_int_equal(open_after(path, 5, &recorder), WS_OK);
    assert_int_equal(sample_add(recorder, 5, 5), WS_BAD_ARGUMENT);
    assert_int_equal(sample_add(recorder, 6, 6), WS_OK);
    ws_recorder_close(recorder);
}

static void test_what_is_no_frame_is_not_written(void **state)
{
    (void)state;
    const char *path = path_of("frameless");
    ws_recorder *recorder = NULL;
    assert_int_equal(open_after(path, 0, &recorder), WS_OK);
    const uint64_t before = ws_recorder_bytes(recorder);
    ws_frame_header *frame = sample_frame(1);
    frame->array_count = 1000;
    assert_int_equal(ws_recorder_add(recorder, frame, NULL, 0), WS_BAD_ARGUMENT);
    assert_int_equal(ws_recorder_base(recorder, frame), WS_BAD_ARGUMENT);
    free(frame);
    assert_int_equal(ws_recorder_bytes(recorder), before);
    assert_int_equal(size_of(path), before);
    assert_int_equal(sample_add(recorder, 1, 1), WS_OK);
    ws_recorder_close(recorder);
}

static void refuse(const ws_recorder_options *options, int status, const char *words)
{
    ws_recorder *recorder = NULL;
    const off_t before = size_of(options->path);
    assert_int_equal(ws_recorder_open(options, &recorder), status);
    assert_null(recorder);
    assert_int_equal(strncmp(ws_message(), options->path, strlen(options->path)), 0);
    if (!strstr(ws_message(), words))
        fail_msg("\"%s\" has no \"%s\"", ws_message(), words);
    assert_int_equal(size_of(options->path), before);
}

static void test_other_recordings_are_left_alone(void **state)
{
    (void)state;
    const char *path = path_of("others");
    run(path, 0, 50, 1);
    refuse(&(ws_recorder_options){path, "{}", SAMPLE_ROW_BYTES, 0}, WS_BAD_FILE, "with other layers");
    refuse(&(ws_recorder_options){path, SAMPLE_HEAD, 48, 0}, WS_BAD_FILE,
           "rows of 40 bytes, this run's have 48");
    refuse(&(ws_recorder_options){path, SAMPLE_HEAD, 1u << 30, 0}, WS_BAD_ARGUMENT, "at most 16777216");
    refuse(&(ws_recorder_options){scratch_path("."), SAMPLE_HEAD, 8, 0}, WS_IO_FAILED, "cannot open");
    refuse(&(ws_recorder_options){scratch_path("no/where"), SAMPLE_HEAD, 8, 0}, WS_IO_FAILED, "cannot open");
    assert_frames(path, 10, 50);
    FILE *file = fopen(path, "wb");
    fputs("step,loss\n1,2\n", file);
    fclose(file);
    refuse(&(ws_recorder_options){path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, 0}, WS_BAD_FILE, "is no recording");
    assert_int_equal(size_of(path), 14);
}

static void test_there_is_one_writer(void **state)
{
    (void)state;
    const char *path = path_of("locked");
    ws_recorder *first = NULL;
    assert_int_equal(open_after(path, 0, &first), WS_OK);
    assert_int_equal(sample_add(first, 0, 10), WS_OK);
    refuse(&(ws_recorder_options){path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, 0}, WS_IO_FAILED, "another recorder");
    assert_int_equal(sample_add(first, 10, 20), WS_OK);
    ws_recorder_close(first);
    run(path, 20, 30, 1);
    assert_frames(path, 10, 30);
}

/* The frames after step *last, until one fails. */
static int add_six(ws_recorder *recorder, uint64_t *last)
{
    int status = WS_OK;
    for (int i = 0; i < 6 && status == WS_OK; i++) {
        status = set_base(recorder, (*last + 10) / 30);
        if (status == WS_OK)
            status = sample_add(recorder, *last, *last + 10);
        if (status == WS_OK)
            *last += 10;
    }
    return status;
}

static void assert_given_up(const char *path, ws_recorder *recorder, int status, int reason)
{
    char message[1024];
    snprintf(message, sizeof message, "%s", ws_message());
    assert_int_equal(status, WS_IO_FAILED);
    assert_non_null(strstr(message, strerror(reason)));
    assert_int_equal(sample_add(recorder, 1000, 1001), WS_IO_FAILED);
    assert_string_equal(ws_message(), message);
    assert_int_equal(set_base(recorder, 99), WS_IO_FAILED);
    assert_int_equal(ws_recorder_sync(recorder), WS_IO_FAILED);
    assert_int_equal(size_of(path), ws_recorder_bytes(recorder));
}

/* Each write of a session fails in turn, at once or after a part of its bytes. */
static void test_any_write_may_fail(void **state)
{
    (void)state;
    static const int parts[] = {0, 1, 500, 999}, reasons[] = {ENOSPC, EIO};
    const char *path = path_of("failing");
    int failed_sessions = 0;
    for (int left = 0; left < 24; left++)
        for (int i = 0; i < 8; i++) {
            unlink(path);
            run(path, 0, 600, 1);
            ws_recorder *recorder = NULL;
            assert_int_equal(open_after(path, 600, &recorder), WS_OK);
            writes_left = left, thousandths = parts[i % 4], failure = reasons[i / 4];
            uint64_t last = 600;
            const int status = add_six(recorder, &last);
            writes_left = -1;
            failed_sessions += status != WS_OK;
            if (status)
                assert_given_up(path, recorder, status, reasons[i / 4]);
            ws_recorder_close(recorder);
            assert_readable(path, 10, last);
            run(path, last, last + 30, 5);
            assert_frames(path, 10, last + 30);
        }
    /* Three for each of six frames, one for each of three bases, one for the block that frame 64 begins. */
    assert_int_equal(failed_sessions, 22 * 8);
}

/* Adds frames until there is no room. Returns the last step, 0 if that is not what happened. */
static uint64_t fill(const char *path)
{
    ws_recorder *recorder = NULL;
    if (open_after(path, 0, &recorder) != WS_OK)
        return 0;
    uint64_t step = 0;
    int status = WS_OK;
    while (status == WS_OK && step < 100000) {
        status = sample_add(recorder, step, step + 10);
        step += 10;
    }
    const int again = sample_add(recorder, step, step + 10);
    ws_recorder_close(recorder);
    return status == WS_IO_FAILED && again == WS_IO_FAILED ? step - 10 : 0;
}

static int is_readable(const char *path, uint64_t last)
{
    ws_recording *recording = NULL;
    int same = ws_recording_open(path, &recording) == WS_OK && ws_recording_count(recording) == last / 10;
    for (uint64_t n = 0; same && n < last / 10; n++)
        same = sample_compare(recording, n, 10 * n, 10 * n + 10) == 1;
    ws_recording_close(recording);
    return same;
}

static void test_a_file_that_may_not_grow(void **state)
{
    (void)state;
    const char *path = path_of("limited");
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    const uint64_t last = fill(path);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(last > 100);
    assert_true(is_readable(path, last));
    run(path, last, last + 100, 1);
    assert_frames(path, 10, last + 100);
}

enum { DONE, NO_MOUNTS, WRONG };

/* A child of the test: a file system of its own, of few pages. */
static int fill_a_disk(const char *folder)
{
    char path[4200];
    if (mkdir(folder, 0700) != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", folder, "tmpfs", 0, "size=128k") != 0)
        return NO_MOUNTS;
    snprintf(path, sizeof path, "%s/recording", folder);
    const uint64_t last = fill(path);
    return last > 0 && is_readable(path, last) ? DONE : WRONG;
}

static void test_a_full_disk(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(fill_a_disk(scratch_path("disk")));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_MOUNTS)
        skip(); /* only root may; the limit of a file's size was tried above */
    assert_int_equal(WEXITSTATUS(status), DONE);
}

/* A child of the test, until it is killed. */
static void write_on(const char *path, uint64_t after)
{
    ws_recorder *recorder;
    if (open_after(path, after, &recorder) != WS_OK)
        _exit(1);
    for (uint64_t step = after + 10;; step += 10)
        if (set_base(recorder, step / 100) != WS_OK || sample_add(recorder, step - 10, step) != WS_OK)
            _exit(2);
}

static uint64_t frames_of(const char *path)
{
    ws_recording *recording = NULL;
    if (ws_recording_open(path, &recording) != WS_OK)
        return 0; /* killed before there was a head */
    const uint64_t count = ws_recording_count(recording);
    assert_int_equal(ws_recording_claimed(recording), count);
    for (uint64_t n = 0; n < count; n++) {
        assert_int_equal(sample_compare(recording, n, 10 * n, 10 * n + 10), 1);
        assert_int_equal(sample_compare_base(recording, n, (10 * n + 10) / 100), 1);
    }
    ws_recording_close(recording);
    return count;
}

/* Now and then from an earlier step: then a kill may come while later frames are kept aside. */
static void test_kills_leave_whole_frames(void **state)
{
    (void)state;
    const char *path = path_of("killed");
    uint32_t random = 12345;
    uint64_t frames = 0, most = 0;
    for (int i = 0; i < 50; i++) {
        random = random * 1664525u + 1013904223u;
        const uint64_t after = i % 5 == 4 ? 10 * (frames / 2) : 10 * frames;
        const pid_t child = fork();
        if (child == 0)
            write_on(path, after);
        nanosleep(&(struct timespec){.tv_nsec = (random >> 8) % (i < 10 ? 1000000 : 8000000)}, NULL);
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        frames = frames_of(path);
        assert_true(frames >= after / 10);
        most = frames > most ? frames : most;
    }
    assert_true(most > 20);
    run(path, 10 * frames, 10 * frames + 100, frames / 10 + 1);
    ws_recording *recording = NULL;
    assert_int_equal(ws_recording_open(path, &recording), WS_OK);
    assert_int_equal(ws_recording_count(recording), frames + 10);
    ws_recording_close(recording);
}

static void test_what_a_kill_leaves_of_a_head_is_begun_anew(void **state)
{
    (void)state;
    static const char zeros[2000];
    const char *path = path_of("blank");
    for (size_t count = 0; count < 890; count += 89) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(zeros, 1, count, file), count);
        fclose(file);
        run(path, 0, 30, 1);
        assert_frames(path, 10, 30);
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(zeros, 1, sizeof zeros, file);
    fclose(file);
    refuse(&(ws_recorder_options){path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, 0}, WS_BAD_FILE, "is no recording");
}

/* A reader that has the file open while its run begins again from an earlier step. */
static void test_a_reader_sees_a_run_begin_again(void **state)
{
    (void)state;
    const char *path = path_of("again");
    run(path, 0, 1000, 1);
    ws_recording *recording = NULL;
    assert_int_equal(ws_recording_open(path, &recording), WS_OK);
    assert_int_equal(ws_recording_count(recording), 100);
    run(path, 400, 600, 2);
    assert_int_equal(ws_recording_refresh(recording), 60);
    for (uint64_t n = 0; n < 60; n++)
        assert_int_equal(sample_compare(recording, n, 10 * n, 10 * n + 10), 1);
    assert_int_equal(sample_compare_base(recording, 50, 2), 1);
    ws_recording_close(recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_is_continued),
        cmocka_unit_test(test_later_frames_are_kept_aside),
        cmocka_unit_test(test_a_run_continues_between_two_frames),
        cmocka_unit_test(test_steps_rise),
        cmocka_unit_test(test_what_is_no_frame_is_not_written),
        cmocka_unit_test(test_other_recordings_are_left_alone),
        cmocka_unit_test(test_there_is_one_writer),
        cmocka_unit_test(test_any_write_may_fail),
        cmocka_unit_test(test_a_file_that_may_not_grow),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_kills_leave_whole_frames),
        cmocka_unit_test(test_what_a_kill_leaves_of_a_head_is_begun_anew),
        cmocka_unit_test(test_a_reader_sees_a_run_begin_again),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
