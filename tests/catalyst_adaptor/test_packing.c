/* SPDX-License-Identifier: BSD-3-Clause */
/* Packing loses nothing, makes smaller what it should, and what was not packed is refused. */
#include "cmocka_headers.h"
#include "packing.h"
#include "sample.h"
#include "weightscape/insitu.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FLOATS = 5000 };

static ws_packer *packer;
static char room[1 << 16];

static int set_up(void **state)
{
    (void)state;
    return ws_packer_create(&packer);
}

static int tear_down(void **state)
{
    (void)state;
    ws_packer_free(packer);
    return 0;
}

/* One array of floats that look like weights: small ones are more frequent, and no two are alike. */
static void *make_weights(void)
{
    const size_t begin = 320, bytes = begin + FLOATS * sizeof(float);
    ws_frame_header *frame = aligned_alloc(WS_FRAME_ALIGNMENT, (bytes + 63) / 64 * 64);
    memset(frame, 0, (bytes + 63) / 64 * 64);
    *frame = (ws_frame_header){.magic = WS_FRAME_MAGIC,
                               .version = WS_FRAME_VERSION,
                               .array_count = 1,
                               .bytes = (bytes + 63) / 64 * 64};
    *(ws_frame_array *)(frame + 1) = (ws_frame_array){.name = "conv1/weight",
                                                      .type = WS_FLOAT32,
                                                      .rank = 1,
                                                      .shape = {FLOATS, 1, 1, 1},
                                                      .offset = begin,
                                                      .bytes = FLOATS * sizeof(float)};
    uint64_t random = 1;
    for (int i = 0; i < FLOATS; i++) {
        double sum = 0;
        for (int k = 0; k < 4; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            sum += (double)(random >> 11) / 9007199254740992.0 - 0.5;
        }
        ((float *)((char *)frame + begin))[i] = (float)(sum / 10);
    }
    assert_int_equal(ws_frame_check(frame, frame->bytes), WS_OK);
    return frame;
}

static size_t pack(const void *frame)
{
    size_t stored = 0;
    assert_in_range(ws_packed_most(ws_frame_head(frame)->bytes), 1, sizeof room);
    assert_int_equal(ws_pack_frame(packer, frame, room, sizeof room, &stored), WS_OK);
    return stored;
}

static void test_frames_come_back(void **state)
{
    (void)state;
    void *frames[] = {make_weights(), sample_frame(7), sample_base(3)};
    ws_frame found = {NULL, 0};
    for (int i = 0; i < 3; i++) {
        const size_t stored = pack(frames[i]);
        assert_int_equal(ws_unpack_frame(packer, room, stored, ws_frame_head(frames[i])->bytes, &found),
                         WS_OK);
        assert_true(sample_is_same(found.memory, frames[i]));
        free(frames[i]);
    }
    ws_frame_free(&found);
}

/* Mantissas are noise; the bytes of signs and exponents need less than half of their room: an eighth of all
 * is gained. */
static void test_noise_with_a_scale_becomes_smaller(void **state)
{
    (void)state;
    void *frame = make_weights();
    const double ratio = (double)pack(frame) / (double)ws_frame_head(frame)->bytes;
    assert_true(ratio < 0.875);
    free(frame);
}

/* Nothing can be gained here, and no more than the room is lost. */
static void test_room_is_enough_for_noise(void **state)
{
    (void)state;
    ws_frame_header *frame = make_weights();
    uint8_t *values = (uint8_t *)frame + 320;
    uint32_t random = 1;
    for (size_t i = 0; i < FLOATS * sizeof(float); i++) {
        random = random * 1664525u + 1013904223u;
        values[i] = (uint8_t)(random >> 24);
    }
    size_t stored = 0;
    const size_t most = ws_packed_most(frame->bytes);
    assert_int_equal(ws_pack_frame(packer, frame, room, most, &stored), WS_OK);
    assert_in_range(stored, 1, most);
    free(frame);
}

static void test_too_little_room_is_told(void **state)
{
    (void)state;
    void *frame = make_weights();
    size_t stored = 77;
    assert_int_equal(ws_pack_frame(packer, frame, room, 1000, &stored), WS_NO_MEMORY);
    assert_int_equal(stored, 77);
    assert_true(pack(frame) > 1000); /* the packer is as good as before */
    free(frame);
}

static void test_rows_of_any_width_come_back(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 3, 4, 8, 40, 704};
    static char rows[704 * 60];
    for (size_t i = 0; i < sizeof rows; i++)
        rows[i] = (char)(i * i >> 7);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (size_t count = 1; count < 60; count += 29) {
            size_t stored;
            const void *found;
            assert_int_equal(ws_pack_rows(packer, rows, widths[w], count, room, sizeof room, &stored), WS_OK);
            assert_int_equal(ws_unpack_rows(packer, room, stored, widths[w], count, &found), WS_OK);
            assert_memory_equal(found, rows, widths[w] * count);
        }
}

static void refuse(size_t stored, size_t bytes, const char *words)
{
    ws_frame frame = {NULL, 0};
    assert_int_equal(ws_unpack_frame(packer, room, stored, bytes, &frame), WS_BAD_FILE);
    assert_null(frame.memory);
    if (!strstr(ws_message(), words))
        fail_msg("\"%s\" has no \"%s\"", ws_message(), words);
}

static void test_what_was_not_packed_is_refused(void **state)
{
    (void)state;
    void *frame = sample_frame(1);
    const size_t bytes = ws_frame_head(frame)->bytes, stored = pack(frame);
    refuse(stored, bytes + 64, "its record says");
    refuse(stored, (size_t)1 << 40, "its record says");
    refuse(stored - 1, bytes, "cannot be unpacked");
    refuse(0, bytes, "not those of a zstd frame");
    memset(room + stored, 0, 10);
    refuse(stored + 10, bytes, "cannot be unpacked");
    memset(room, 'x', 100);
    refuse(100, bytes, "not those of a zstd frame");
    free(frame);
    char text[640] = "no frame";
    size_t packed;
    assert_int_equal(ws_pack_rows(packer, text, 1, sizeof text, room, sizeof room, &packed), WS_OK);
    refuse(packed, sizeof text, "do not begin with \"WSFRAME\"");
}

/* Without a checksum: whatever comes out is a frame, or an error. The sanitizers watch. */
static void test_no_wrong_byte_does_harm(void **state)
{
    (void)state;
    void *frame = sample_frame(1);
    const size_t bytes = ws_frame_head(frame)->bytes, stored = pack(frame);
    ws_frame found = {NULL, 0};
    int refused = 0;
    for (size_t byte = 0; byte < stored; byte++)
        for (int bit = 0; bit < 8; bit++) {
            room[byte] ^= (char)(1 << bit);
            if (ws_unpack_frame(packer, room, stored, bytes, &found) == WS_OK)
                assert_int_equal(ws_frame_check(found.memory, bytes), WS_OK);
            else
                refused++;
            room[byte] ^= (char)(1 << bit);
        }
    assert_true(refused > 100);
    ws_frame_free(&found);
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_come_back),
        cmocka_unit_test(test_noise_with_a_scale_becomes_smaller),
        cmocka_unit_test(test_room_is_enough_for_noise),
        cmocka_unit_test(test_too_little_room_is_told),
        cmocka_unit_test(test_rows_of_any_width_come_back),
        cmocka_unit_test(test_what_was_not_packed_is_refused),
        cmocka_unit_test(test_no_wrong_byte_does_harm),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
