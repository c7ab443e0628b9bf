/* SPDX-License-Identifier: BSD-3-Clause */
/* No damage makes a reader crash or gives it wrong data, and recordings of the museum stay readable. */
#include "cmocka_headers.h"
#include "recording_file.h"
#include "sample.h"
#include "scratch.h"
#include "weightscape/insitu.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 3 };

static char path[4096];
static bytes whole;

static const char *museum(const char *name)
{
    static char file[4096];
    snprintf(file, sizeof file, "%s/%s.wsrec", MUSEUM, name);
    return file;
}

static void load(const char *from, bytes *out)
{
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    out->size = fread(out->at, 1, sizeof out->at, file);
    fclose(file);
    assert_in_range(out->size, 1000, sizeof out->at - 1);
}

/* The recording of this version that the files of the museum once were made of. */
static int set_up(void **state)
{
    if (scratch_make(state))
        return -1;
    snprintf(path, sizeof path, "%s", scratch_path("recording"));
    const ws_recorder_options options = {path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, 0};
    ws_recorder *recorder = NULL;
    void *bases[] = {sample_base(1), sample_base(2)};
    const int failed = ws_recorder_open(&options, &recorder) || ws_recorder_base(recorder, bases[0]) ||
                       sample_add(recorder, 0, 10) || sample_add(recorder, 10, 20) ||
                       ws_recorder_base(recorder, bases[1]) || sample_add(recorder, 20, 30);
    ws_recorder_close(recorder);
    free(bases[0]);
    free(bases[1]);
    if (!failed)
        load(path, &whole);
    return failed;
}

static void put(const bytes *content)
{
    /* Some file systems wait for the disk when a file's content is replaced. */
    unlink(path);
    scratch_write("recording", content);
}

static ws_recording *look(const char *file)
{
    ws_recording *recording = NULL;
    assert_int_equal(ws_recording_open(file, &recording), WS_OK);
    return recording;
}

static int compare(ws_recording *recording, uint64_t n)
{
    return sample_compare(recording, n, 10 * n, 10 * n + 10);
}

static int compare_base(ws_recording *recording, uint64_t n)
{
    return sample_compare_base(recording, n, n < 2 ? 1 : 2);
}

static void assert_message(const char *words)
{
    if (!strstr(ws_message(), words))
        fail_msg("\"%s\" has no \"%s\"", ws_message(), words);
}

/* The number after `words` in the message, -1 if they are not there. */
static long long told(const char *words)
{
    const char *found = strstr(ws_message(), words);
    return found ? atoll(found + strlen(words)) : -1;
}

static ws_recording_entry entry_of(int n)
{
    ws_recording_header head;
    ws_recording_entry entry;
    memcpy(&head, whole.at, sizeof head);
    memcpy(&entry, whole.at + head.blocks[0].value + (size_t)n * sizeof entry, sizeof entry);
    return entry;
}

static void test_a_file_cut_anywhere_in_its_last_frame(void **state)
{
    (void)state;
    const size_t begin = entry_of(2).offset;
    assert_in_range(whole.size - begin, 200, 2000);
    for (size_t size = begin; size < whole.size; size++) {
        put(&whole);
        assert_int_equal(truncate(path, (off_t)size), 0);
        ws_recording *recording = look(path);
        assert_int_equal(ws_recording_count(recording), 2);
        assert_int_equal(ws_recording_claimed(recording), 3);
        assert_int_equal(compare(recording, 0), 1);
        assert_int_equal(compare(recording, 1), 1);
        assert_int_equal(compare(recording, 2), WS_BAD_FILE);
        assert_message("frame 2 (step 30) is damaged at byte ");
        assert_message("the file ends before it does");
        ws_recording_close(recording);
    }
}

static void test_a_cut_file_is_continued(void **state)
{
    (void)state;
    const ws_recorder_options options = {path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, 30};
    const size_t begin = entry_of(2).offset;
    for (size_t size = begin; size <= whole.size; size++) {
        put(&whole);
        assert_int_equal(truncate(path, (off_t)size), 0);
        ws_recorder *recorder = NULL;
        assert_int_equal(ws_recorder_open(&options, &recorder), WS_OK);
        const uint64_t kept = size < whole.size ? 2 : 3;
        assert_int_equal(ws_recorder_count(recorder), kept);
        assert_int_equal(sample_add(recorder, 10 * kept, 10 * kept + 10), WS_OK);
        ws_recorder_close(recorder);
        ws_recording *recording = look(path);
        assert_int_equal(ws_recording_count(recording), kept + 1);
        assert_int_equal(ws_recording_claimed(recording), kept + 1);
        for (uint64_t n = 0; n <= kept; n++)
            assert_int_equal(compare(recording, n), 1);
        ws_recording_close(recording);
    }
}

static void test_a_file_cut_anywhere(void **state)
{
    (void)state;
    for (size_t size = 0; size < entry_of(2).offset; size += 7) {
        put(&whole);
        assert_int_equal(truncate(path, (off_t)size), 0);
        ws_recording *recording = NULL;
        const int status = ws_recording_open(path, &recording);
        if (size < sizeof(ws_recording_header) + strlen(SAMPLE_HEAD)) {
            assert_int_equal(status, WS_BAD_FILE);
            continue;
        }
        assert_int_equal(status, WS_OK);
        assert_in_range(ws_recording_count(recording), 0, 2);
        for (uint64_t n = 0; n < FRAMES; n++)
            assert_int_equal(compare(recording, n), n < ws_recording_count(recording) ? 1 : WS_BAD_FILE);
        ws_recording_close(recording);
    }
}

/* What one read made of a damaged file: whether it failed, and then whether it named a place near the damage.
 */
static void judge(int result, size_t byte, int *failures)
{
    if (result == 1)
        return;
    if (result != WS_BAD_FILE)
        fail_msg("byte %zu: result %d", byte, result);
    const long long place = told("damaged at byte ");
    if (place < 0 || (size_t)place > byte || byte - (size_t)place > 900)
        fail_msg("byte %zu is wrong, but: %s", byte, ws_message());
    ++*failures;
}

/* How many reads fail of a file with one wrong byte; what does not fail is right. */
static int failures_of(size_t byte)
{
    ws_recording *recording = NULL;
    if (ws_recording_open(path, &recording) != WS_OK) {
        if (!strstr(ws_message(), "is no recording") && !strstr(ws_message(), "of version") &&
            !strstr(ws_message(), "byte order") && told("damaged at byte ") < 0)
            fail_msg("byte %zu is wrong, but: %s", byte, ws_message());
        return 1;
    }
    int failures = 0;
    assert_string_equal(ws_recording_head(recording), SAMPLE_HEAD);
    assert_int_equal(ws_recording_claimed(recording), FRAMES);
    for (uint64_t n = 0; n < FRAMES; n++) {
        uint64_t step;
        judge(compare(recording, n), byte, &failures);
        judge(compare_base(recording, n), byte, &failures);
        const int status = ws_recording_step(recording, n, &step);
        judge(status ? status : step == 10 * n + 10, byte, &failures);
    }
    if (ws_recording_count(recording) != FRAMES)
        assert_true(failures > 0);
    ws_recording_close(recording);
    return failures;
}

/* Bytes that nobody reads: those of index entries and blocks that are not needed yet; and of words, which are
 * there twice, one byte is not missed. */
static int is_spare(size_t byte)
{
    ws_recording_header head;
    memcpy(&head, whole.at, sizeof head);
    const size_t used = head.blocks[0].value + FRAMES * sizeof(ws_recording_entry);
    const size_t end = head.blocks[0].value + ws_recording_entries(0) * sizeof(ws_recording_entry);
    return (byte >= offsetof(ws_recording_header, count) && byte < sizeof head) ||
           (byte >= used && byte < end);
}

static void test_every_byte_flipped(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    put(&whole);
    const int descriptor = open(path, O_WRONLY);
    for (size_t byte = 0; byte < whole.size; byte++) {
        const uint8_t wrong = whole.at[byte] ^ flips[byte % 3];
        assert_int_equal(pwrite(descriptor, &wrong, 1, (off_t)byte), 1);
        const int failures = failures_of(byte);
        if ((failures == 0) != is_spare(byte))
            fail_msg("byte %zu is wrong, and %d reads fail", byte, failures);
        assert_int_equal(pwrite(descriptor, &whole.at[byte], 1, (off_t)byte), 1);
    }
    close(descriptor);
}

static void seal_record(bytes *content, size_t at, ws_recording_record *record)
{
    record->check = ws_recording_check(record, WS_RECORDING_RECORD_CHECKED);
    memcpy(content->at + at, record, sizeof *record);
}

/* Files that somebody made on purpose: all checksums are right. */
static void test_lies_with_the_right_checksum(void **state)
{
    (void)state;
    const size_t at = entry_of(1).offset;
    ws_recording_record truth, lie;
    memcpy(&truth, whole.at + at, sizeof truth);
    const struct {
        size_t field;
        uint64_t value;
        const char *words;
    } lies[] = {
        {offsetof(ws_recording_record, frame_bytes), truth.frame_bytes + 64, "bytes packed, its record says"},
        {offsetof(ws_recording_record, frame_bytes), 1u << 31, "bytes packed, its record says 2147483648"},
        {offsetof(ws_recording_record, frame_bytes), (1u << 31) + 1ull, "tells what cannot be"},
        {offsetof(ws_recording_record, frame_bytes), 0, "tells what cannot be"},
        {offsetof(ws_recording_record, frame_stored), (uint64_t)1 << 40, "more than it can hold"},
        {offsetof(ws_recording_record, frame_stored), truth.frame_stored + 8, "its checksum is wrong"},
        {offsetof(ws_recording_record, frame_stored), UINT64_MAX, "more than it can hold"},
        {offsetof(ws_recording_record, rows_stored), UINT64_MAX - 100, "more than it can hold"},
        {offsetof(ws_recording_record, row_count), 11, "bytes packed, its record says 440"},
        {offsetof(ws_recording_record, row_count), UINT64_MAX, "more than it can hold"},
        {offsetof(ws_recording_record, row_count), 0, "more than it can hold"},
        {offsetof(ws_recording_record, base), at, "tells what cannot be"},
        {offsetof(ws_recording_record, base), UINT64_MAX, "tells what cannot be"},
        {offsetof(ws_recording_record, number), 2, "that of another frame"},
        {offsetof(ws_recording_record, step), 21, "that of another frame"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        bytes damaged = whole;
        lie = truth;
        memcpy((char *)&lie + lies[i].field, &lies[i].value, sizeof lies[i].value);
        seal_record(&damaged, at, &lie);
        put(&damaged);
        ws_recording *recording = look(path);
        const int result = compare(recording, 1);
        if (result != WS_BAD_FILE || !strstr(ws_message(), lies[i].words))
            fail_msg("lie %zu: result %d, \"%s\" has no \"%s\"", i, result, ws_message(), lies[i].words);
        assert_message("frame 1 (step");
        assert_int_equal(compare(recording, 0), 1);
        assert_int_equal(compare(recording, 2), 1);
        ws_recording_close(recording);
    }
}

static void test_a_base_that_is_none(void **state)
{
    (void)state;
    const size_t at = entry_of(1).offset;
    ws_recording_record record;
    memcpy(&record, whole.at + at, sizeof record);
    bytes damaged = whole;
    record.base = entry_of(0).offset;
    seal_record(&damaged, at, &record);
    put(&damaged);
    ws_recording *recording = look(path);
    assert_int_equal(compare(recording, 1), 1);
    assert_int_equal(compare_base(recording, 1), WS_BAD_FILE);
    assert_message("the base of frame 1 is damaged at byte ");
    ws_recording_close(recording);
}

static void test_heads_that_lie(void **state)
{
    (void)state;
    const struct {
        size_t field;
        uint64_t value;
        const char *words;
    } lies[] = {
        {offsetof(ws_recording_header, text_bytes), (uint64_t)1 << 40, "at most 16777216 are read"},
        {offsetof(ws_recording_header, text_bytes), 1 << 20, "what tells what a row means is wrong"},
        {offsetof(ws_recording_header, row_bytes), UINT64_MAX, "at most 16777216 are read"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        bytes damaged = whole;
        ws_recording_header head;
        memcpy(damaged.at + lies[i].field, &lies[i].value, sizeof lies[i].value);
        memcpy(&head, damaged.at, sizeof head);
        head.check = ws_recording_check(&head, WS_RECORDING_HEAD_CHECKED);
        memcpy(damaged.at, &head, sizeof head);
        put(&damaged);
        ws_recording *recording = NULL;
        assert_int_equal(ws_recording_open(path, &recording), WS_BAD_FILE);
        assert_message(lies[i].words);
        assert_null(recording);
    }
}

/* A count of frames that are not there: told, but not believed. */
static void test_a_count_that_lies(void **state)
{
    (void)state;
    static const uint64_t counts[] = {4, 64, 65, 100000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        bytes damaged = whole;
        const ws_recording_word word = ws_recording_word_of(counts[i]);
        memcpy(damaged.at + offsetof(ws_recording_header, count), &word, sizeof word);
        put(&damaged);
        ws_recording *recording = look(path);
        assert_int_equal(ws_recording_count(recording), FRAMES);
        assert_int_equal(ws_recording_claimed(recording), counts[i]);
        assert_int_equal(compare(recording, counts[i] - 1), WS_BAD_FILE);
        ws_recording_close(recording);
    }
}

/* A frame that the system lost when it failed: zeros in its place. */
static void test_a_last_frame_of_zeros_is_cut_off(void **state)
{
    (void)state;
    const size_t starts[] = {entry_of(2).offset, entry_of(2).offset + sizeof(ws_recording_record)};
    for (int i = 0; i < 2; i++) {
        bytes damaged = whole;
        memset(damaged.at + starts[i], 0, damaged.size - starts[i]);
        put(&damaged);
        const ws_recorder_options options = {path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, 30};
        ws_recorder *recorder = NULL;
        assert_int_equal(ws_recorder_open(&options, &recorder), WS_OK);
        assert_int_equal(ws_recorder_count(recorder), 2);
        assert_int_equal(sample_add(recorder, 20, 30), WS_OK);
        ws_recorder_close(recorder);
        ws_recording *recording = look(path);
        for (uint64_t n = 0; n < FRAMES; n++)
            assert_int_equal(compare(recording, n), 1);
        ws_recording_close(recording);
    }
}

static void test_the_museum_is_readable(void **state)
{
    (void)state;
    ws_recording *recording = look(museum("three_frames"));
    assert_int_equal(ws_recording_count(recording), FRAMES);
    assert_string_equal(ws_recording_head(recording), SAMPLE_HEAD);
    for (uint64_t n = 0; n < FRAMES; n++) {
        assert_int_equal(compare(recording, n), 1);
        assert_int_equal(compare_base(recording, n), 1);
    }
    ws_recording_close(recording);
}

/* Version 1 is what is written today: but for what zstd makes of it, the file is the same. */
static void test_the_museum_is_of_this_version(void **state)
{
    (void)state;
    bytes old;
    load(museum("three_frames"), &old);
    assert_memory_equal(old.at, whole.at, sizeof(ws_recording_header) + strlen(SAMPLE_HEAD));
}

static void test_damaged_pieces_of_the_museum(void **state)
{
    (void)state;
    /* What is wrong with each frame, and with each base; NULL: nothing. */
    static const struct {
        const char *name;
        uint64_t count;
        const char *frames[FRAMES], *bases[FRAMES];
    } pieces[] = {
        {"cut_in_last_frame",
         2,
         {0, 0, "frame 2 (step 30) is damaged"},
         {0, 0, "the file ends before it does"}},
        {"wrong_byte_in_frame_1", 3, {0, "frame 1 (step 20) is damaged", 0}, {0, 0, 0}},
        {"wrong_byte_in_rows_1", 3, {0, "frame 1 (step 20) is damaged", 0}, {0, 0, 0}},
        {"wrong_byte_in_head_of_frame_2", 2, {0, 0, "the checksum of its head"}, {0, 0, "frame 2 (step 30)"}},
        {"wrong_byte_in_base_2", 3, {0, 0, 0}, {0, 0, "the base of frame 2 is damaged at byte"}},
        {"wrong_byte_in_index_0", 3, {"entry in the index is wrong", 0, 0}, {"frame 0 is damaged", 0, 0}},
        {"wrong_byte_in_count", 3, {0, 0, 0}, {0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        ws_recording *recording = look(museum(pieces[i].name));
        assert_int_equal(ws_recording_count(recording), pieces[i].count);
        assert_int_equal(ws_recording_claimed(recording), FRAMES);
        for (uint64_t n = 0; n < FRAMES; n++) {
            assert_int_equal(compare(recording, n), pieces[i].frames[n] ? WS_BAD_FILE : 1);
            assert_message(pieces[i].frames[n] ? pieces[i].frames[n] : "");
            assert_int_equal(compare_base(recording, n), pieces[i].bases[n] ? WS_BAD_FILE : 1);
            assert_message(pieces[i].bases[n] ? pieces[i].bases[n] : "");
        }
        ws_recording_close(recording);
    }
}

static void test_pieces_of_the_museum_that_are_refused(void **state)
{
    (void)state;
    ws_recording *recording = NULL;
    assert_int_equal(ws_recording_open(museum("of_a_later_version"), &recording), WS_BAD_FILE);
    assert_message("of_a_later_version.wsrec: is a recording of version 17, this program reads 1");
    assert_int_equal(ws_recording_open(museum("wrong_byte_in_text"), &recording), WS_BAD_FILE);
    assert_message("is damaged at byte 864: what tells what a row means is wrong");
    assert_null(recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_cut_anywhere_in_its_last_frame),
        cmocka_unit_test(test_a_cut_file_is_continued),
        cmocka_unit_test(test_a_file_cut_anywhere),
        cmocka_unit_test(test_every_byte_flipped),
        cmocka_unit_test(test_lies_with_the_right_checksum),
        cmocka_unit_test(test_a_base_that_is_none),
        cmocka_unit_test(test_heads_that_lie),
        cmocka_unit_test(test_a_count_that_lies),
        cmocka_unit_test(test_a_last_frame_of_zeros_is_cut_off),
        cmocka_unit_test(test_the_museum_is_readable),
        cmocka_unit_test(test_the_museum_is_of_this_version),
        cmocka_unit_test(test_damaged_pieces_of_the_museum),
        cmocka_unit_test(test_pieces_of_the_museum_that_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
