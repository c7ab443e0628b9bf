/* SPDX-License-Identifier: BSD-3-Clause */
/* What was recorded is read again, while and after it is written. */
#include "cmocka_headers.h"
#include "sample.h"
#include "scratch.h"
#include "weightscape/insitu.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

ssize_t __real_pread(int descriptor, void *to, size_t count, off_t offset);
ssize_t __wrap_pread(int descriptor, void *to, size_t count, off_t offset);

static int reads;

/* Linked in the place of pread. */
ssize_t __wrap_pread(int descriptor, void *to, size_t count, off_t offset)
{
    reads++;
    return __real_pread(descriptor, to, count, offset);
}

static ws_recorder *record(const char *path)
{
    const ws_recorder_options options = {path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, 0};
    ws_recorder *recorder = NULL;
    assert_int_equal(ws_recorder_open(&options, &recorder), WS_OK);
    return recorder;
}

static ws_recording *look(const char *path)
{
    ws_recording *recording = NULL;
    assert_int_equal(ws_recording_open(path, &recording), WS_OK);
    return recording;
}

static void set_base(ws_recorder *recorder, uint64_t which)
{
    void *base = sample_base(which);
    assert_int_equal(ws_recorder_base(recorder, base), WS_OK);
    free(base);
}

/* Steps 10, 20, ... with the rows between them. */
static const char *make(const char *name, uint64_t frames)
{
    const char *path = scratch_path(name);
    ws_recorder *recorder = record(path);
    set_base(recorder, 1);
    for (uint64_t n = 0; n < frames; n++)
        assert_int_equal(sample_add(recorder, 10 * n, 10 * n + 10), WS_OK);
    assert_int_equal(ws_recorder_count(recorder), frames);
    assert_int_equal(ws_recorder_sync(recorder), WS_OK);
    ws_recorder_close(recorder);
    return path;
}

static void test_frames_and_rows_come_back(void **state)
{
    (void)state;
    ws_recording *recording = look(make("round", 200));
    assert_int_equal(ws_recording_count(recording), 200);
    assert_int_equal(ws_recording_claimed(recording), 200);
    assert_string_equal(ws_recording_head(recording), SAMPLE_HEAD);
    assert_int_equal(ws_recording_row_bytes(recording), SAMPLE_ROW_BYTES);
    for (uint64_t i = 0, n = 0; i < 200; i++, n = (n + 77) % 200) {
        assert_int_equal(sample_compare(recording, n, 10 * n, 10 * n + 10), 1);
        assert_int_equal(sample_compare_base(recording, n, 1), 1);
        uint64_t step;
        assert_int_equal(ws_recording_step(recording, n, &step), WS_OK);
        assert_int_equal(step, 10 * n + 10);
    }
    ws_recording_close(recording);
}

/* Every bit pattern of an exponent, both signs, in arrays of lengths that no vector divides. */
static void test_every_kind_of_float_keeps_its_bits(void **state)
{
    (void)state;
    void *frame = sample_frame(3);
    const ws_frame_array *array = ws_frame_find(frame, "conv2/gradient");
    uint32_t *bits = (uint32_t *)((char *)frame + array->offset);
    const char *path = scratch_path("bits");
    ws_recorder *recorder = record(path);
    for (uint32_t part = 0; part < 8; part++) {
        for (uint32_t i = 0; i < array->bytes / 4; i++)
            bits[i] = ((part * 72 + i) % 512) << 23 | (i * 2654435761u & 0x7fffff);
        ((ws_frame_header *)frame)->step = part;
        assert_int_equal(ws_recorder_add(recorder, frame, NULL, 0), WS_OK);
    }
    ws_recorder_close(recorder);
    ws_recording *recording = look(path);
    ws_frame found = {NULL, 0};
    for (uint32_t part = 0; part < 8; part++) {
        for (uint32_t i = 0; i < array->bytes / 4; i++)
            bits[i] = ((part * 72 + i) % 512) << 23 | (i * 2654435761u & 0x7fffff);
        ((ws_frame_header *)frame)->step = part;
        assert_int_equal(ws_recording_read(recording, part, &found), WS_OK);
        assert_true(sample_is_same(found.memory, frame));
    }
    ws_frame_free(&found);
    ws_recording_close(recording);
    free(frame);
}

/* Memory between arrays is nobody's; it must not end up in a file. */
static void test_gaps_become_zeros(void **state)
{
    (void)state;
    ws_frame_header *frame = sample_frame(5);
    const ws_frame_array *array = ws_frame_find(frame, "conv1/weight");
    memset((char *)frame + array->offset + array->bytes, 0x5a, 16);
    ws_recorder *recorder = record(scratch_path("gaps"));
    assert_int_equal(ws_recorder_add(recorder, frame, NULL, 0), WS_OK);
    ws_recorder_close(recorder);
    free(frame);
    ws_recording *recording = look(scratch_path("gaps"));
    ws_frame found = {NULL, 0};
    void *expected = sample_frame(5);
    assert_int_equal(ws_recording_read(recording, 0, &found), WS_OK);
    assert_true(sample_is_same(found.memory, expected));
    free(expected);
    ws_frame_free(&found);
    ws_recording_close(recording);
}

static void test_steps_are_found(void **state)
{
    (void)state;
    ws_recording *recording = look(make("find", 150));
    for (uint64_t step = 0; step < 1520; step++) {
        uint64_t n = 1000, expected = step <= 10 ? 0 : (step + 9) / 10 - 1;
        assert_int_equal(ws_recording_find(recording, step, &n), WS_OK);
        assert_int_equal(n, expected < 150 ? expected : 150);
    }
    uint64_t n;
    assert_int_equal(ws_recording_find(recording, UINT64_MAX, &n), WS_OK);
    assert_int_equal(n, 150);
    ws_recording_close(recording);
}

static void test_there_is_no_frame_beyond_the_last(void **state)
{
    (void)state;
    ws_recording *recording = look(make("beyond", 3));
    ws_frame frame = {NULL, 0};
    uint64_t number = 77;
    assert_int_equal(ws_recording_read(recording, 3, &frame), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "frame 3: there are 3"));
    assert_int_equal(ws_recording_base(recording, UINT64_MAX, &frame), WS_BAD_ARGUMENT);
    assert_int_equal(ws_recording_step(recording, 3, &number), WS_BAD_ARGUMENT);
    assert_int_equal(ws_recording_size(recording, 3, &number, &number), WS_BAD_ARGUMENT);
    assert_true(number == 77 && frame.memory == NULL);
    ws_recording_close(recording);
}

static void test_sizes_are_told(void **state)
{
    (void)state;
    const char *path = make("sizes", 5);
    ws_recording *recording = look(path);
    void *frame = sample_frame(10);
    for (uint64_t n = 0; n < 5; n++) {
        uint64_t stored = 0, raw = 0;
        assert_int_equal(ws_recording_size(recording, n, &stored, &raw), WS_OK);
        assert_int_equal(raw, ws_frame_head(frame)->bytes);
        assert_in_range(stored, 1, raw / 2); /* the sample is not noise */
    }
    free(frame);
    ws_recording_close(recording);
}

static int stop_at_third(void *context, const void *row)
{
    (void)row;
    return ++*(int *)context == 3 ? -42 : 1;
}

static void test_whoever_takes_rows_may_stop(void **state)
{
    (void)state;
    ws_recording *recording = look(make("stop", 2));
    int taken = 0;
    assert_int_equal(ws_recording_rows(recording, 1, stop_at_third, &taken), -42);
    assert_int_equal(taken, 3);
    ws_recording_close(recording);
}

static void test_many_rows_between_two_frames(void **state)
{
    (void)state;
    ws_recorder *recorder = record(scratch_path("rows"));
    assert_int_equal(sample_add(recorder, 0, 5000), WS_OK);
    assert_int_equal(sample_add(recorder, 5001, 5001), WS_OK);
    assert_int_equal(sample_add(recorder, 5001, 5002), WS_OK);
    ws_recorder_close(recorder);
    ws_recording *recording = look(scratch_path("rows"));
    assert_int_equal(sample_compare(recording, 0, 0, 5000), 1);
    assert_int_equal(sample_compare(recording, 1, 5001, 5001), 1);
    assert_int_equal(sample_compare(recording, 2, 5001, 5002), 1);
    ws_recording_close(recording);
}

static void test_a_recording_without_rows(void **state)
{
    (void)state;
    const ws_recorder_options options = {scratch_path("rowless"), SAMPLE_HEAD, 0, 0};
    ws_recorder *recorder = NULL;
    assert_int_equal(ws_recorder_open(&options, &recorder), WS_OK);
    assert_int_equal(sample_add(recorder, 4, 7), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "3 rows: this recording keeps none"));
    assert_int_equal(sample_add(recorder, 7, 7), WS_OK);
    ws_recorder_close(recorder);
    ws_recording *recording = look(options.path);
    assert_string_equal(ws_recording_head(recording), "");
    assert_int_equal(ws_recording_row_bytes(recording), 0);
    assert_int_equal(sample_compare(recording, 0, 7, 7), 1);
    ws_recording_close(recording);
}

static void test_each_base_is_stored_once(void **state)
{
    (void)state;
    static const uint64_t bases[] = {3, 3, 3, 8, 8, 3};
    const char *path = scratch_path("bases");
    ws_recorder *recorder = record(path);
    assert_int_equal(sample_add(recorder, 1, 1), WS_OK);
    for (uint64_t i = 0; i < 6; i++) {
        const uint64_t before = ws_recorder_bytes(recorder);
        set_base(recorder, bases[i]);
        const int is_new = i == 0 || bases[i] != bases[i - 1];
        assert_int_equal(ws_recorder_bytes(recorder) > before, is_new);
        assert_int_equal(sample_add(recorder, i + 2, i + 2), WS_OK);
    }
    ws_recorder_close(recorder);
    ws_recording *recording = look(path);
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(sample_compare_base(recording, i + 1, bases[i]), 1);
    assert_int_equal(sample_compare_base(recording, 0, 3), WS_BAD_FILE);
    assert_non_null(strstr(ws_message(), "frame 0 (step 1) has no base"));
    ws_recording_close(recording);
}

static int reads_of_frame(ws_recording *recording, uint64_t n)
{
    ws_frame frame = {NULL, 0};
    reads = 0;
    assert_int_equal(ws_recording_read(recording, n, &frame), WS_OK);
    assert_int_equal(ws_frame_head(frame.memory)->step, 10 * n + 10);
    ws_frame_free(&frame);
    return reads;
}

static int reads_to_open(const char *path)
{
    reads = 0;
    ws_recording_close(look(path));
    return reads;
}

/* Ten thousand frames are in eight blocks of the index, whose borders are among those read here. */
static void test_any_frame_of_many_costs_the_same(void **state)
{
    (void)state;
    static const uint64_t frames[] = {0, 1, 63, 64, 191, 192, 4031, 4032, 8127, 8128, 9999};
    const char *few = make("few", 1), *many = make("many", 10000);
    const int opening = reads_to_open(few);
    assert_in_range(opening, 3, 6);
    assert_int_equal(reads_to_open(many), opening);
    ws_recording *recording = look(many);
    assert_int_equal(ws_recording_count(recording), 10000);
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        assert_int_equal(reads_of_frame(recording, frames[i]), 3);
    reads = 0;
    uint64_t n;
    assert_int_equal(ws_recording_find(recording, 43210, &n), WS_OK);
    assert_int_equal(n, 4320);
    assert_in_range(reads, 1, 14);
    reads = 0;
    assert_int_equal(ws_recording_refresh(recording), 10000);
    assert_int_equal(reads, 1);
    for (n = 0; n < 10000; n += 37)
        assert_int_equal(sample_compare(recording, n, 10 * n, 10 * n + 10), 1);
    ws_recording_close(recording);
}

static void pause_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* A child of the test: nothing of cmocka may run in it. */
static void write_slowly(const char *path, uint64_t frames)
{
    const ws_recorder_options options = {path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, 0};
    ws_recorder *recorder;
    if (ws_recorder_open(&options, &recorder) != WS_OK)
        _exit(1);
    for (uint64_t n = 0; n < frames; n++) {
        void *base = sample_base(n / 50);
        if (ws_recorder_base(recorder, base) != WS_OK || sample_add(recorder, 10 * n, 10 * n + 10) != WS_OK)
            _exit(2);
        free(base);
        pause_a_moment();
    }
    ws_recorder_close(recorder);
    _exit(0);
}

static void test_growth_is_seen_by_another_process(void **state)
{
    (void)state;
    const uint64_t frames = 400;
    const char *path = scratch_path("growing");
    ws_recorder_close(record(path));
    ws_recording *recording = look(path);
    assert_int_equal(ws_recording_count(recording), 0);
    const pid_t writer = fork();
    if (writer == 0)
        write_slowly(path, frames);
    uint64_t seen = 0;
    int looks = 0, ended = 0;
    while (seen < frames && !ended) {
        int status;
        ended = waitpid(writer, &status, WNOHANG) == writer; /* before the last look */
        const uint64_t count = ws_recording_refresh(recording);
        assert_true(count >= seen && count <= frames);
        assert_int_equal(ws_recording_claimed(recording), count);
        looks += count > seen;
        for (; seen < count; seen++) {
            assert_int_equal(sample_compare(recording, seen, 10 * seen, 10 * seen + 10), 1);
            assert_int_equal(sample_compare_base(recording, seen, seen / 50), 1);
        }
    }
    if (!ended)
        waitpid(writer, NULL, 0);
    assert_int_equal(seen, frames);
    assert_true(looks > 10); /* it did grow meanwhile */
    ws_recording_close(recording);
}

static void refuse(const char *path, int status, const char *words)
{
    ws_recording *recording = NULL;
    assert_int_equal(ws_recording_open(path, &recording), status);
    assert_null(recording);
    assert_int_equal(strncmp(ws_message(), path, strlen(path)), 0);
    if (!strstr(ws_message(), words))
        fail_msg("\"%s\" has no \"%s\"", ws_message(), words);
}

static void write_bytes(const char *path, const void *from, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(from, 1, count, file), count);
    fclose(file);
}

static void test_other_files_are_refused(void **state)
{
    (void)state;
    const char *path = scratch_path("other");
    refuse(path, WS_IO_FAILED, "cannot open");
    write_bytes(path, "", 0);
    refuse(path, WS_BAD_FILE, "it is empty");
    write_bytes(path, "step,loss\n1,2\n", 14);
    refuse(path, WS_BAD_FILE, "is no recording");
    write_bytes(path, "WSR", 3);
    refuse(path, WS_BAD_FILE, "is no recording");
    write_bytes(path, "WSREC\r\n\x1a", 8);
    refuse(path, WS_BAD_FILE, "is cut off: it has 8 bytes");
    write_bytes(path, "WSREC\n\x1a and then as a text, whose ends of line were changed", 50);
    refuse(path, WS_BAD_FILE, "is no recording");
    refuse(scratch_path("."), WS_BAD_FILE, "not a regular file");
    refuse("/dev/null", WS_BAD_FILE, "not a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_and_rows_come_back),
        cmocka_unit_test(test_every_kind_of_float_keeps_its_bits),
        cmocka_unit_test(test_gaps_become_zeros),
        cmocka_unit_test(test_steps_are_found),
        cmocka_unit_test(test_there_is_no_frame_beyond_the_last),
        cmocka_unit_test(test_sizes_are_told),
        cmocka_unit_test(test_whoever_takes_rows_may_stop),
        cmocka_unit_test(test_many_rows_between_two_frames),
        cmocka_unit_test(test_a_recording_without_rows),
        cmocka_unit_test(test_each_base_is_stored_once),
        cmocka_unit_test(test_any_frame_of_many_costs_the_same),
        cmocka_unit_test(test_growth_is_seen_by_another_process),
        cmocka_unit_test(test_other_files_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
