/* SPDX-License-Identifier: BSD-3-Clause */
/* What ring.h promises, in one process. Deaths: test_ring_processes.c; memory: test_ring_memory.c. */
#define _GNU_SOURCE /* memfd_create */
#include "cmocka_headers.h"
#include "ring.h"
#include "ring_frames.h"
#include "ring_layout.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { VALUES = 16, MOST_SPILLS = 64 };

static const uint8_t id[WS_RING_ID_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static _Alignas(WS_FRAME_ALIGNMENT) char base[1024];

/* ---- Helpers. */

static ws_ring_options options_for(uint32_t slots)
{
    ring_frame_make(base, VALUES, 0);
    const uint64_t frame = ring_frame_bytes(VALUES);
    ws_ring_options options = {.frame_bytes = frame,
                               .base = base,
                               .base_bytes = frame,
                               .first_step = 10,
                               .most_bytes = slots * frame};
    memcpy(options.id, id, sizeof id);
    return options;
}

static ws_ring *make_ring(uint32_t slots)
{
    const ws_ring_options options = options_for(slots);
    ws_ring *ring;
    assert_int_equal(ws_ring_create(&options, &ring), WS_OK);
    assert_int_equal(ws_ring_slots(ring), slots);
    return ring;
}

static ws_ring_reader *attach(const ws_ring *ring, int own, const ws_schedule *schedule, int live)
{
    ws_ring_reader *reader;
    assert_int_equal(ws_ring_attach(ws_ring_descriptor(ring), id, own, schedule, live, &reader), WS_OK);
    return reader;
}

static ws_schedule each(uint64_t every)
{
    ws_schedule schedule = {0};
    ws_schedule_add(&schedule, &(ws_rule){.last = UINT64_MAX - 1, .every = every});
    return schedule;
}

/* What `spill` was given. */
typedef struct spills {
    int count, result;
    uint64_t steps[MOST_SPILLS];
    uint32_t readers[MOST_SPILLS];
    const ws_ring_reader *witness; /* told the number at each call */
    uint64_t told[MOST_SPILLS];
} spills;

static int spill(void *context, const void *frame, uint32_t readers)
{
    spills *to = context;
    assert_true(to->count < MOST_SPILLS && ring_frame_is_whole(frame, VALUES));
    to->steps[to->count] = ws_frame_head(frame)->step;
    to->readers[to->count] = readers;
    to->told[to->count] = to->witness ? ws_ring_spilled(to->witness) : 0;
    to->count++;
    return to->result;
}

static void publish(ws_ring *ring, uint64_t step, uint32_t must, spills *to)
{
    ring_frame_make(ws_ring_begin(ring, to ? spill : NULL, to), VALUES, step);
    ws_ring_publish(ring, must);
    ws_ring_tell_step(ring, step);
}

static void assert_next(ws_ring_reader *reader, uint64_t after, uint64_t step)
{
    const void *frame = ws_ring_take_next(reader, after);
    assert_non_null(frame);
    assert_int_equal(ws_frame_head(frame)->step, step);
    assert_true(ring_frame_is_whole(frame, VALUES));
}

static void assert_newest(ws_ring_reader *reader, uint64_t after, uint64_t step)
{
    const void *frame = ws_ring_take_newest(reader, after);
    assert_non_null(frame);
    assert_int_equal(ws_frame_head(frame)->step, step);
    assert_true(ring_frame_is_whole(frame, VALUES));
}

/* The bytes of a ring in a file of their own, without its seals. */
static int copy_of(const ws_ring *ring, size_t bytes)
{
    const ws_ring_memory *memory = ws_ring_memory_of(ring);
    const int copy = memfd_create("copy", MFD_CLOEXEC);
    assert_true(copy >= 0);
    assert_int_equal(pwrite(copy, memory->at, bytes, 0), bytes);
    return copy;
}

static void assert_refused(int descriptor, const uint8_t *asked, const char *words)
{
    ws_ring_reader *untouched = (ws_ring_reader *)base;
    assert_int_equal(ws_ring_attach(descriptor, asked, 0, NULL, 0, &untouched), WS_BAD_FILE);
    assert_ptr_equal(untouched, base);
    assert_null(strchr(ws_message(), '\n'));
    if (!strstr(ws_message(), words))
        fail_msg("message \"%s\" without \"%s\"", ws_message(), words);
}

/* ---- The ring itself. */

static void test_as_many_slots_as_fit(void **state)
{
    (void)state;
    const size_t frame = ring_frame_bytes(VALUES);
    const struct {
        size_t most_bytes;
        uint32_t slots;
    } rows[] = {{1, 3}, {3 * frame, 3}, {4 * frame - 1, 3}, {4 * frame, 4}, {64 * frame, 64}, {0, 64}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ws_ring_options options = options_for(3);
        options.most_bytes = rows[i].most_bytes;
        ws_ring *ring;
        assert_int_equal(ws_ring_create(&options, &ring), WS_OK);
        assert_int_equal(ws_ring_slots(ring), rows[i].slots);
        assert_false(ws_ring_is_file(ring));
        ws_ring_free(ring);
    }
    ws_ring_free(NULL);
}

static void test_impossible_options_are_refused(void **state)
{
    (void)state;
    ws_ring *untouched = (ws_ring *)base;
    ws_ring_options options = options_for(3);
    options.frame_bytes = sizeof(ws_frame_header) - 1;
    assert_int_equal(ws_ring_create(&options, &untouched), WS_BAD_ARGUMENT);
    options.frame_bytes = SIZE_MAX;
    assert_int_equal(ws_ring_create(&options, &untouched), WS_BAD_ARGUMENT);
    options = options_for(3);
    options.base_bytes--;
    assert_int_equal(ws_ring_create(&options, &untouched), WS_BAD_FILE);
    options.base_bytes = SIZE_MAX;
    assert_int_equal(ws_ring_create(&options, &untouched), WS_BAD_ARGUMENT);
    assert_ptr_equal(untouched, base);
}

static void test_a_ring_opens_with_the_base_as_it_is_then(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(4);
    ws_ring_reader *early = attach(ring, 1, NULL, 0);
    assert_false(ws_ring_is_open(early));
    ring_frame_make(base, VALUES, 3); /* its numbers have changed meanwhile */
    ws_ring_open(ring, base);
    ws_ring_reader *late = attach(ring, 0, NULL, 0);
    ws_ring_reader *const readers[] = {early, late};
    for (int i = 0; i < 2; i++) {
        size_t bytes;
        assert_true(ws_ring_is_open(readers[i]));
        const void *found = ws_ring_base(readers[i], &bytes);
        assert_memory_equal(found, base, bytes);
        ws_ring_detach(readers[i]);
    }
    ws_ring_free(ring);
}

static void test_a_reader_finds_what_does_not_change(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(5);
    ws_ring_reader *reader = attach(ring, 0, NULL, 0);
    size_t bytes;
    const void *found = ws_ring_base(reader, &bytes);
    assert_int_equal(bytes, ring_frame_bytes(VALUES));
    assert_memory_equal(found, base, bytes);
    assert_int_equal(ws_ring_first_step(reader), 10);
    assert_int_equal(ws_ring_step(reader), 10);
    assert_int_equal(ws_ring_number(reader), 1);
    ws_ring_tell_step(ring, 17);
    assert_int_equal(ws_ring_step(reader), 17);
    ws_ring_detach(reader);
    ws_ring_detach(NULL);
    reader = attach(ring, 1, NULL, 0);
    assert_int_equal(ws_ring_number(reader), WS_RING_OWN);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

static void test_a_descriptor_for_reading_suffices(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(5);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), ws_ring_descriptor(ring));
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ws_ring_reader *reader;
    assert_int_equal(ws_ring_attach(descriptor, NULL, 0, NULL, 0, &reader), WS_OK);
    close(descriptor);
    publish(ring, 11, 2, NULL);
    assert_next(reader, 0, 11);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

/* ---- What is no ring, or no longer. */

static void test_other_rings_are_refused(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(4);
    const size_t bytes = ws_ring_memory_of(ring)->bytes;
    uint8_t other[WS_RING_ID_SIZE];
    memcpy(other, id, sizeof id);
    other[15]++;
    assert_refused(ws_ring_descriptor(ring), other, "another id");
    int copy = copy_of(ring, bytes);
    ws_ring_reader *reader;
    assert_int_equal(ws_ring_attach(copy, id, 0, NULL, 0, &reader),
                     WS_OK); /* so it is damage that is refused */
    ws_ring_detach(reader);
    assert_int_equal(pwrite(copy, &(uint32_t){WS_RING_VERSION + 6}, 4, offsetof(ws_ring_head, version)), 4);
    assert_refused(copy, id, "version 9, this program reads 3");
    close(copy);
    const size_t cuts[] = {0,         5,        11, 12, sizeof(ws_ring_head) - 1, sizeof(ws_ring_head),
                           bytes / 2, bytes - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        copy = copy_of(ring, cuts[i]);
        assert_refused(copy, id,
                       cuts[i] < 12                     ? "no ring"
                       : cuts[i] < sizeof(ws_ring_head) ? "ends after"
                                                        : "bytes");
        close(copy);
    }
    ws_ring_free(ring);
}

static void test_a_scribbled_head_is_refused(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(4);
    const size_t bytes = ws_ring_memory_of(ring)->bytes;
    const size_t free_choice = offsetof(ws_ring_head, first_step);
    for (size_t at = 0; at < sizeof(ws_ring_head); at += 4) {
        if (at == free_choice || at == free_choice + 4)
            continue;
        for (unsigned round = 0; round < 3; round++) {
            const uint32_t values[] = {0x7fffffff, 0xfffffff0, 5};
            const int copy = copy_of(ring, bytes);
            assert_int_equal(pwrite(copy, &values[round], 4, (off_t)at), 4);
            assert_refused(copy, id, "");
            close(copy);
        }
    }
    const int copy = copy_of(ring, bytes);
    const off_t base_at =
        (off_t)ws_ring_head_for(4, ring_frame_bytes(VALUES), ring_frame_bytes(VALUES)).base_at;
    assert_int_equal(pwrite(copy, "?", 1, base_at), 1);
    assert_refused(copy, id, "frame");
    close(copy);
    ws_ring_free(ring);
}

static void test_other_files_are_refused(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    const int null = open("/dev/null", O_RDWR), self = open("/proc/self/exe", O_RDONLY);
    assert_refused(pipes[0], NULL, "no ring");
    assert_refused(null, NULL, "no ring");
    assert_refused(self, NULL, "no ring");
    assert_refused(-1, NULL, "descriptor -1");
    close(pipes[0]), close(pipes[1]), close(null), close(self);
}

static uint32_t dice(uint32_t sides)
{
    static uint64_t now = 88172645463325252u;
    now ^= now << 13;
    now ^= now >> 7;
    now ^= now << 17;
    return (uint32_t)(now % sides);
}

/* Neither side follows what it finds in damaged memory out of its bounds; sanitizers watch. */
static void test_scribbled_memory_ends_nobody(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        ws_ring *ring = make_ring(5);
        char *at = ws_ring_memory_of(ring)->at;
        const size_t bytes = ws_ring_memory_of(ring)->bytes;
        ws_ring_reader *reader = attach(ring, 0, NULL, 1);
        for (uint64_t step = 11; step < 20; step++) {
            publish(ring, step, 2, NULL);
            const uint32_t count = dice(2000);
            for (uint32_t i = 0; i < count; i++)
                at[sizeof(ws_ring_head) + dice((uint32_t)(bytes - sizeof(ws_ring_head)))] = (char)dice(256);
            const void *frame = ws_ring_take_next(reader, 0);
            assert_true(!frame || ws_frame_check(frame, ws_frame_head(frame)->bytes) == WS_OK);
            frame = ws_ring_take_newest(reader, 0);
            assert_true(!frame || ws_frame_check(frame, ws_frame_head(frame)->bytes) == WS_OK);
            ws_ring_wish wish;
            ws_log_level level;
            char line[WS_RING_LINE];
            for (uint32_t r = 0; r < WS_RING_READERS; r++) {
                ws_ring_wishes(ring, r, &wish);
                assert_true(ws_schedule_is_sound(&wish.schedule));
                for (int i = 0; i < 20; i++)
                    if (ws_ring_hear(ring, r, &level, line))
                        assert_true(level <= WS_LOG_ERROR && strlen(line) < WS_RING_LINE);
            }
            ws_ring_tell(reader, WS_LOG_INFO, "x");
            ws_ring_reap(ring);
        }
        ws_ring_detach(reader);
        ws_ring_free(ring);
    }
}

/* ---- Places. */

static void test_places_are_counted(void **state)
{
    (void)state;
    const struct {
        uint32_t slots, places;
    } rows[] = {{3, 1}, {4, 2}, {8, 6}, {9, 7}, {64, 7}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ws_ring *ring = make_ring(rows[i].slots);
        ws_ring_reader *readers[WS_RING_READERS], *refused = (ws_ring_reader *)base;
        for (uint32_t k = 0; k < rows[i].places; k++) {
            readers[k] = attach(ring, 0, NULL, 0);
            assert_int_equal(ws_ring_number(readers[k]), k + 1);
        }
        char words[64];
        snprintf(words, sizeof words, "all %u places", rows[i].places);
        assert_int_equal(ws_ring_attach(ws_ring_descriptor(ring), id, 0, NULL, 0, &refused), WS_BAD_ARGUMENT);
        assert_non_null(strstr(ws_message(), words));
        ws_ring_reader *own = attach(ring, 1, NULL, 0);
        assert_int_equal(ws_ring_attach(ws_ring_descriptor(ring), id, 1, NULL, 0, &refused), WS_BAD_ARGUMENT);
        assert_non_null(strstr(ws_message(), "1 place"));
        assert_ptr_equal(refused, base);
        ws_ring_detach(readers[0]);
        readers[0] = attach(ring, 0, NULL, 0);
        assert_int_equal(ws_ring_number(readers[0]), 1);
        for (uint32_t k = 0; k < rows[i].places; k++)
            ws_ring_detach(readers[k]);
        ws_ring_detach(own);
        ws_ring_free(ring);
    }
}

/* Every reader holds a frame; the writer goes on for ever, and no held frame changes. */
static void test_held_frames_stay(void **state)
{
    (void)state;
    for (uint32_t slots = 3; slots <= 9; slots++) {
        ws_ring *ring = make_ring(slots);
        const uint32_t places = ws_ring_places(slots);
        ws_ring_reader *readers[WS_RING_READERS];
        const void *held[WS_RING_READERS];
        for (uint32_t i = 0; i < places; i++) {
            readers[i] = attach(ring, i == 0, NULL, 0);
            publish(ring, i + 1, 0, NULL);
            held[i] = ws_ring_take_newest(readers[i], 0);
            assert_int_equal(ws_frame_head(held[i])->step, i + 1);
        }
        for (uint64_t step = 100; step < 400; step++) {
            publish(ring, step, 0, NULL);
            for (uint32_t i = 0; i < places; i++)
                assert_true(ws_frame_head(held[i])->step == i + 1 && ring_frame_is_whole(held[i], VALUES));
        }
        ws_ring_release(readers[places - 1]);
        publish(ring, 400, 0, NULL);
        assert_newest(readers[places - 1], 0, 400);
        for (uint32_t i = 0; i < places; i++)
            ws_ring_detach(readers[i]);
        ws_ring_free(ring);
    }
}

/* ---- Frames. */

static void test_frames_are_taken_in_order(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(8);
    ws_ring_reader *one = attach(ring, 0, NULL, 0), *two = attach(ring, 0, NULL, 0);
    assert_null(ws_ring_take_next(one, 0));
    const uint32_t musts[] = {2, 4, 6, 0, 2, 0};
    for (uint32_t i = 0; i < 6; i++)
        publish(ring, 11 + i, musts[i], NULL);
    assert_next(one, 0, 11);
    assert_next(one, 11, 13);
    assert_next(one, 12, 13);
    ws_ring_done(one, 15); /* does not matter */
    assert_next(one, 13, 15);
    assert_null(ws_ring_take_next(one, 15));
    assert_next(two, 0, 12);
    assert_next(two, 12, 13);
    assert_null(ws_ring_take_next(two, 13));
    assert_newest(two, 0, 16);
    assert_newest(two, 15, 16);
    assert_null(ws_ring_take_newest(two, 16));
    /* A frame that is being written is not there, and nobody's. */
    void *memory = ws_ring_begin(ring, NULL, NULL);
    assert_ptr_equal(ws_ring_begin(ring, NULL, NULL), memory);
    ring_frame_make(memory, VALUES, 17);
    assert_null(ws_ring_take_newest(two, 16));
    ws_ring_publish(ring, 0);
    ws_ring_publish(ring, 0); /* nothing was begun: nothing happens */
    assert_newest(two, 16, 17);
    ws_ring_detach(one);
    ws_ring_detach(two);
    ws_ring_free(ring);
}

static void test_unsound_frames_are_skipped(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(8);
    ws_ring_reader *reader = attach(ring, 0, NULL, 0);
    publish(ring, 11, 2, NULL);
    for (uint64_t step = 12; step < 15; step++) {
        void *memory = ws_ring_begin(ring, NULL, NULL);
        ring_frame_make(memory, VALUES, step);
        ws_frame_header *head = memory;
        if (step == 12)
            head->magic[0] = '?';
        else
            head->bytes = step == 13 ? UINT64_MAX : head->bytes + 64;
        ws_ring_publish(ring, 2);
    }
    assert_next(reader, 0, 11);
    assert_null(ws_ring_take_next(reader, 11));
    assert_newest(reader, 0, 11);
    publish(ring, 15, 2, NULL);
    assert_next(reader, 11, 15);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

static void test_hunger(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(8);
    ws_ring_reader *own = attach(ring, 1, NULL, 1), *other = attach(ring, 0, NULL, 1);
    assert_int_equal(ws_ring_hungry(ring), 0);
    assert_null(ws_ring_take_newest(other, 0));
    assert_int_equal(ws_ring_hungry(ring), 2);
    assert_null(ws_ring_take_newest(own, 0));
    assert_int_equal(ws_ring_hungry(ring), 3);
    publish(ring, 11, 0, NULL);
    assert_int_equal(ws_ring_hungry(ring), 0);
    assert_newest(other, 0, 11);
    assert_int_equal(ws_ring_hungry(ring), 0);
    assert_null(ws_ring_take_newest(other, 11));
    assert_null(ws_ring_take_newest(own, 11));
    ws_ring_detach(own);
    assert_int_equal(ws_ring_hungry(ring), 2);
    ws_ring_wish wish;
    ws_ring_wishes(ring, 1, &wish);
    assert_int_equal(ws_ring_wish_for(other, NULL, 0), 1);
    assert_int_equal(ws_ring_hungry(ring), 0);
    ws_ring_detach(other);
    ws_ring_free(ring);
}

/* ---- What is lost, and what is not. */

static void assert_spilled(const spills *to, int index, uint64_t step, uint32_t readers)
{
    assert_true(index < to->count);
    assert_int_equal(to->steps[index], step);
    assert_int_equal(to->readers[index], readers);
}

static void test_the_oldest_is_spilled_first(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(4);
    ws_ring_reader *one = attach(ring, 0, NULL, 0), *two = attach(ring, 0, NULL, 0);
    spills to = {.witness = one};
    const uint32_t musts[] = {2, 6, 0, 4};
    for (uint32_t i = 0; i < 4; i++)
        publish(ring, 11 + i, musts[i], &to);
    assert_int_equal(to.count, 0);
    publish(ring, 15, 0, &to);
    assert_int_equal(to.count, 1);
    assert_spilled(&to, 0, 11, 2);
    ws_ring_done(one, 12);
    publish(ring, 16, 0, &to);
    assert_spilled(&to, 1, 12, 4); /* reader 1 has seen it */
    publish(ring, 17, 0, &to);
    assert_int_equal(to.count, 2); /* 13 was nobody's */
    to.result = WS_IO_FAILED;
    publish(ring, 18, 0, &to);
    assert_spilled(&to, 2, 14, 4);
    assert_int_equal(to.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(to.told[i], i);
    assert_int_equal(ws_ring_spilled(one), 3);
    assert_int_equal(ws_ring_dropped(ring, 1), 0);
    assert_int_equal(ws_ring_dropped(ring, 2), 1); /* the failed one */
    ws_ring_detach(one);
    ws_ring_detach(two);
    ws_ring_free(ring);
}

/* A reader takes the very frame that the writer is about to overwrite: it keeps it, and the writer takes
 * another. */
typedef struct intruder {
    ws_ring_reader *readers[2];
    const void *held[2];
    int count;
} intruder;

static int take_it(void *context, const void *frame, uint32_t readers)
{
    intruder *to = context;
    assert_int_equal(readers, 2);
    if (to->count < 2) {
        to->held[to->count] = ws_ring_take_next(to->readers[to->count], ws_frame_head(frame)->step - 1);
        assert_non_null(to->held[to->count]);
    }
    to->count++;
    return to->count == 2 ||
           to->count == 3; /* the second one fails, and again before the third is given away */
}

static void test_frames_taken_at_the_last_moment(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(4);
    intruder to = {.readers = {attach(ring, 0, NULL, 0), attach(ring, 1, NULL, 0)}};
    for (uint64_t step = 11; step < 15; step++) {
        ring_frame_make(ws_ring_begin(ring, NULL, NULL), VALUES, step);
        ws_ring_publish(ring, step < 14 ? 3 : 0);
    }
    ws_ring_skip(ring, 20); /* so that only reader 1 has not seen them */
    ring_frame_make(ws_ring_begin(ring, take_it, &to), VALUES, 15);
    ws_ring_publish(ring, 0);
    assert_int_equal(to.count, 4);
    for (uint64_t i = 0; i < 2; i++) {
        assert_int_equal(ws_frame_head(to.held[i])->step, 11 + i);
        assert_true(ring_frame_is_whole(to.held[i], VALUES));
    }
    /* 13 was overwritten, 11 and 12 are in sight again; 12 counts as lost: it may have been passed unseen. */
    assert_int_equal(ws_ring_dropped(ring, 1), 1);
    assert_next(to.readers[0], 10, 11);
    assert_next(to.readers[0], 11, 12);
    assert_null(ws_ring_take_next(to.readers[0], 12));
    assert_newest(to.readers[0], 12, 15);
    ws_ring_release(to.readers[0]);
    ws_ring_release(to.readers[1]);
    spills later = {0};
    publish(ring, 16, 0, &later);
    publish(ring, 17, 0, &later);
    assert_int_equal(later.count, 1); /* 11 is safe */
    assert_spilled(&later, 0, 12, 2);
    assert_int_equal(ws_ring_dropped(ring, 1), 1); /* not twice */
    ws_ring_detach(to.readers[0]);
    ws_ring_detach(to.readers[1]);
    ws_ring_free(ring);
}

/* A reader lets go of a frame that the writer has passed over, and has not done it: it must not come after
 * later ones, which a recording refuses. */
static void test_a_frame_that_was_looked_at_is_spilled_in_its_place(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(4);
    ws_ring_reader *reader = attach(ring, 1, NULL, 0);
    spills to = {.witness = reader};
    for (uint64_t step = 11; step < 15; step++)
        publish(ring, step, 1, &to);
    assert_next(reader, 10, 11);
    publish(ring, 15, 1, &to);
    assert_int_equal(to.count, 2);
    assert_next(reader, 10, 11); /* it is still there */
    ws_ring_release(reader);
    for (uint64_t step = 16; step < 19; step++)
        publish(ring, step, 1, &to);
    assert_int_equal(to.count, 4);
    for (int i = 0; i < 4; i++)
        assert_spilled(&to, i, 11 + (uint64_t)i, 1);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

static void test_without_spill_frames_are_dropped(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(3);
    ws_ring_reader *reader = attach(ring, 0, NULL, 0);
    for (uint64_t step = 11; step < 21; step++)
        publish(ring, step, 3, NULL);
    assert_int_equal(ws_ring_dropped(ring, 1), 7);
    assert_int_equal(ws_ring_dropped(ring, WS_RING_OWN), 7);
    assert_int_equal(ws_ring_spilled(reader), 0);
    ws_ring_detach(reader);
    reader = attach(ring, 0, NULL, 0);
    assert_int_equal(ws_ring_dropped(ring, 1), 0); /* another one */
    assert_int_equal(ws_ring_dropped(ring, WS_RING_OWN), 7);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

/* Whoever looks at a ring can write into it: the writer gives away no size that it has not checked. */
static void test_what_is_no_frame_any_more_is_not_spilled(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(3);
    ws_ring_reader *reader = attach(ring, 0, NULL, 0);
    spills to = {0};
    for (uint64_t step = 11; step < 14; step++)
        publish(ring, step, 2, &to);
    const void *frame = ws_ring_take_next(reader, 10);
    ((ws_frame_header *)frame)->bytes = (uint64_t)1 << 40;
    ws_ring_release(reader);
    publish(ring, 14, 0, &to);
    assert_int_equal(to.count, 0);
    assert_int_equal(ws_ring_dropped(ring, 1), 1);
    publish(ring, 15, 0, &to);
    assert_spilled(&to, 0, 12, 2);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

static void test_a_flush_spills_once(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(5);
    ws_ring_reader *reader = attach(ring, 0, NULL, 0);
    spills to = {0};
    for (uint64_t step = 11; step < 16; step++)
        publish(ring, step, step == 13 ? 0 : 2, &to);
    publish(ring, 16, 2, &to); /* the slots are no longer in the order of the steps */
    assert_spilled(&to, 0, 11, 2);
    ws_ring_done(reader, 12);
    ws_ring_flush(ring, spill, &to);
    assert_int_equal(to.count, 4);
    assert_spilled(&to, 1, 14, 2);
    assert_spilled(&to, 2, 15, 2);
    assert_spilled(&to, 3, 16, 2);
    ws_ring_flush(ring, spill, &to);
    assert_int_equal(to.count, 4);
    assert_int_equal(ws_ring_spilled(reader), 4);
    assert_next(reader, 12, 14);
    assert_next(reader, 14, 15);
    assert_next(reader, 15, 16);
    ws_ring_release(reader);
    for (uint64_t step = 20; step < 30; step++)
        publish(ring, step, 0, &to);
    assert_int_equal(to.count, 4);
    assert_int_equal(ws_ring_dropped(ring, 1), 0);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

/* A flush that fails loses nothing: the frame is still here, and is tried again. */
static void test_a_flush_that_fails(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(3);
    ws_ring_reader *reader = attach(ring, 0, NULL, 0);
    spills to = {.result = WS_IO_FAILED};
    publish(ring, 11, 2, &to);
    ws_ring_flush(ring, spill, &to);
    assert_int_equal(to.count, 1);
    assert_int_equal(ws_ring_dropped(ring, 1), 0);
    to.result = 0;
    for (uint64_t step = 12; step < 15; step++)
        publish(ring, step, 0, &to);
    assert_int_equal(to.count, 2);
    assert_spilled(&to, 1, 11, 2);
    assert_int_equal(ws_ring_dropped(ring, 1), 0);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

static void test_lost_news_are_counted(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(5);
    ws_ring_reader *live = attach(ring, 0, NULL, 1), *quiet = attach(ring, 0, NULL, 0);
    spills to = {0};
    for (uint64_t step = 11; step < 16; step++)
        publish(ring, step, 0, &to);
    assert_int_equal(ws_ring_dropped(ring, 1), 0);
    publish(ring, 17, 0, &to);
    publish(ring, 16, 0, &to);
    assert_int_equal(ws_ring_dropped(ring, 1), 2);
    assert_newest(live, 0, 17);
    ws_ring_release(live);
    ws_ring_done(live, 17);
    for (uint64_t step = 18; step < 23; step++)
        publish(ring, step, 0, &to);
    assert_int_equal(ws_ring_dropped(ring, 1), 2); /* 13 to 17 are behind it */
    ws_ring_reader *late = attach(ring, 0, NULL, 1);
    publish(ring, 23, 0, &to);
    assert_int_equal(ws_ring_dropped(ring, 1), 3);
    assert_int_equal(ws_ring_dropped(ring, 2), 0);
    assert_int_equal(ws_ring_dropped(ring, 3), 0); /* was not there yet */
    assert_int_equal(to.count, 0);
    ws_ring_detach(live);
    ws_ring_detach(quiet);
    ws_ring_detach(late);
    ws_ring_free(ring);
}

/* Step 0 is a step: it is not done until somebody has done it. */
static void test_before_anything_is_done(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(3);
    const ws_schedule all = each(1);
    ws_ring_promise(ring, &all, UINT64_MAX);
    ws_ring_wish wish;
    ws_ring_wishes(ring, WS_RING_OWN, &wish);
    assert_true(wish.done == UINT64_MAX);
    spills to = {0};
    publish(ring, 0, 1, &to);
    ws_ring_flush(ring, spill, &to);
    assert_int_equal(to.count, 1);
    assert_spilled(&to, 0, 0, 1);
    ws_ring_reader *own = attach(ring, 1, NULL, 0);
    assert_true(ws_ring_done_step(own) == UINT64_MAX);
    assert_next(own, UINT64_MAX, 0);
    ws_ring_done(own, 0);
    assert_int_equal(ws_ring_done_step(own), 0);
    assert_null(ws_ring_take_next(own, 0));
    ws_ring_detach(own);
    ws_ring_free(ring);
}

/* What the run's own reader must see is kept although none has ever been attached. */
static void test_promises_need_no_reader(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(3);
    const ws_schedule fifth = each(5);
    ws_ring_promise(ring, &fifth, 12);
    ws_ring_wish wish;
    ws_ring_wishes(ring, WS_RING_OWN, &wish);
    assert_false(wish.attached);
    assert_int_equal(wish.done, 12);
    assert_memory_equal(&wish.schedule, &fifth, sizeof fifth);
    spills to = {0};
    for (uint64_t step = 10; step < 30; step++)
        publish(ring, step, ws_schedule_wants(&wish.schedule, step, NULL) ? 1 : 0, &to);
    assert_int_equal(to.count, 3); /* 10 is done, 15, 20 and 25 */
    assert_spilled(&to, 0, 15, 1);
    assert_spilled(&to, 1, 20, 1);
    assert_spilled(&to, 2, 25, 1);
    publish(ring, 30, 1, &to);
    ws_ring_skip(ring, 30);
    ws_ring_flush(ring, spill, &to);
    assert_int_equal(to.count, 3);
    ws_ring_reader *own = attach(ring, 1, NULL, 0);
    assert_int_equal(ws_ring_done_step(own), 30);
    publish(ring, 35, 1, &to);
    assert_next(own, 30, 35);
    ws_ring_done(own, 20); /* nothing is undone */
    assert_int_equal(ws_ring_done_step(own), 30);
    const ws_schedule third = each(3);
    assert_int_equal(ws_ring_dropped(ring, WS_RING_OWN), 0);
    /* Its own wishes come on top, and go with it. */
    ws_ring_wishes(ring, WS_RING_OWN, &wish);
    assert_int_equal(ws_ring_wish_for(own, &third, 1), 1);
    ws_ring_wishes(ring, WS_RING_OWN, &wish);
    assert_true(wish.attached && wish.live);
    for (uint64_t step = 0; step < 40; step++)
        assert_int_equal(ws_schedule_wants(&wish.schedule, step, NULL), step % 3 == 0 || step % 5 == 0);
    ws_ring_detach(own);
    ws_ring_wishes(ring, WS_RING_OWN, &wish);
    assert_false(wish.attached || wish.live);
    assert_int_equal(wish.done, 30);
    assert_memory_equal(&wish.schedule, &fifth, sizeof fifth);
    ws_ring_free(ring);
}

/* What one reader had to see is nothing to its successor in the same place. */
static void test_successors_inherit_nothing(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(4);
    ws_ring_reader *reader = attach(ring, 0, NULL, 1);
    spills to = {0};
    publish(ring, 11, 2, &to);
    ws_ring_detach(reader);
    publish(ring, 12, 2, &to); /* for one that has gone */
    ws_ring_tell_step(ring, 10);
    reader = attach(ring, 0, NULL, 0);
    assert_int_equal(ws_ring_number(reader), 1);
    assert_int_equal(ws_ring_done_step(reader), 10);
    assert_null(ws_ring_take_next(reader, 0));
    for (uint64_t step = 13; step < 17; step++)
        publish(ring, step, 0, &to);
    assert_int_equal(to.count, 0);
    assert_int_equal(ws_ring_dropped(ring, 1), 0);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

/* ---- What is told. */

static void test_wishes(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(6);
    ws_ring_wish wish;
    ws_ring_tell_step(ring, 40);
    uint32_t changes = ws_ring_changes(ring);
    ws_schedule schedules[2] = {each(3), each(7)};
    ws_ring_reader *reader = attach(ring, 0, &schedules[0], 1);
    assert_int_not_equal(ws_ring_changes(ring), changes);
    changes = ws_ring_changes(ring);
    /* Not seen yet: the ones in force stay whole. */
    assert_int_equal(ws_ring_wish_for(reader, &schedules[1], 0), 0);
    assert_int_equal(ws_ring_changes(ring), changes);
    for (int round = 0; round < 10; round++) {
        ws_ring_wishes(ring, 1, &wish);
        assert_true(wish.attached);
        assert_int_equal(wish.live, round % 2 == 0);
        assert_int_equal(wish.done, 39); /* it came live: the present step is news to it */
        assert_memory_equal(&wish.schedule, &schedules[round % 2], sizeof wish.schedule);
        assert_int_equal(ws_ring_wish_for(reader, &schedules[(round + 1) % 2], round % 2), 1);
        assert_int_not_equal(ws_ring_changes(ring), changes);
        changes = ws_ring_changes(ring);
        assert_int_equal(ws_ring_wish_for(reader, NULL, 0), 0);
    }
    ws_schedule unsound = schedules[0];
    unsound.rules[0].every = 0;
    ws_ring_wishes(ring, 1, &wish);
    assert_int_equal(ws_ring_wish_for(reader, &unsound, 0), 1);
    ws_ring_wishes(ring, 1, &wish);
    assert_true(wish.attached);
    assert_int_equal(wish.schedule.count, 0);
    ws_ring_promise(ring, &unsound, 0);
    ws_ring_wishes(ring, WS_RING_OWN, &wish);
    assert_int_equal(wish.schedule.count, 0);
    changes = ws_ring_changes(ring);
    ws_ring_detach(reader);
    assert_int_not_equal(ws_ring_changes(ring), changes);
    ws_ring_wishes(ring, 1, &wish);
    assert_false(wish.attached || wish.live || wish.schedule.count);
    ws_ring_free(ring);
}

/* Readers that come and go without the writer noticing: the last one's wishes are in force. */
static void test_wishes_of_hasty_readers(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(6);
    ws_ring_wish wish;
    for (uint64_t every = 2; every < 12; every++) {
        const ws_schedule schedule = each(every);
        for (uint64_t i = 0; i < every; i++)
            ws_ring_detach(attach(ring, 0, NULL, 1));
        ws_ring_reader *reader = attach(ring, 0, &schedule, 0);
        ws_ring_wishes(ring, 1, &wish);
        assert_true(wish.attached && !wish.live);
        assert_memory_equal(&wish.schedule, &schedule, sizeof schedule);
        ws_ring_detach(reader);
    }
    ws_ring_free(ring);
}

static void test_progress(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(6);
    ws_ring_progress progress;
    ws_ring_progress_of(ring, 1, &progress);
    assert_int_equal(progress.at, UINT64_MAX);
    ws_ring_reader *reader = attach(ring, 0, NULL, 0);
    ws_ring_at(reader, 12);
    ws_ring_progress_of(ring, 1, &progress);
    const uint64_t beat = progress.beat;
    assert_int_equal(progress.done, 10);
    assert_int_equal(progress.at, 12);
    ws_ring_beat(reader);
    ws_ring_done(reader, 12);
    const ws_ring_counts counts = {3, UINT64_MAX, 5};
    ws_ring_count(reader, &counts);
    ws_ring_progress_of(ring, 1, &progress);
    assert_true(progress.beat > beat);
    assert_int_equal(progress.done, 12);
    assert_int_equal(progress.at, UINT64_MAX);
    assert_memory_equal(&progress.counts, &counts, sizeof counts);
    ws_ring_at(reader, 13);
    ws_ring_detach(reader);
    ws_ring_progress_of(ring, 1, &progress);
    assert_int_equal(progress.at, UINT64_MAX);
    reader = attach(ring, 0, NULL, 0);
    ws_ring_progress_of(ring, 1, &progress);
    assert_int_equal(progress.counts.images_written, 0);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

static void assert_hears(ws_ring *ring, uint32_t reader, ws_log_level level, const char *line)
{
    ws_log_level found;
    char text[WS_RING_LINE];
    assert_int_equal(ws_ring_hear(ring, reader, &found, text), 1);
    assert_int_equal(found, level);
    assert_string_equal(text, line);
}

static void test_lines(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(6);
    ws_ring_reader *reader = attach(ring, 0, NULL, 0), *other = attach(ring, 0, NULL, 0);
    ws_log_level level;
    char line[2 * WS_RING_LINE];
    assert_int_equal(ws_ring_hear(ring, 1, &level, line), 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20; i++) {
            snprintf(line, sizeof line, "line %d of %d", i, round);
            ws_ring_tell(reader, (ws_log_level)(i % 3), line);
        }
        ws_ring_tell(other, WS_LOG_ERROR, "");
        for (int i = 0; i < 16; i++) {
            snprintf(line, sizeof line, "line %d of %d", i, round);
            assert_hears(ring, 1, (ws_log_level)(i % 3), line);
        }
        assert_int_equal(ws_ring_hear(ring, 1, &level, line), 0);
        assert_hears(ring, 2, WS_LOG_ERROR, "");
    }
    ws_ring_tell(reader, WS_LOG_INFO, "bell\a\nand\tdelete\x7f");
    assert_hears(ring, 1, WS_LOG_INFO, "bell??and?delete?");
    for (size_t cut = WS_RING_LINE - 4; cut < WS_RING_LINE + 4; cut++) {
        memset(line, 'a', sizeof line);
        memcpy(line + cut - 3, "\xe2\x82\xac", 4); /* a sign of three bytes ends at `cut` */
        ws_ring_tell(reader, WS_LOG_INFO, line);
        line[cut < WS_RING_LINE ? cut : cut - 3 < WS_RING_LINE - 1 ? cut - 3 : WS_RING_LINE - 1] = '\0';
        assert_hears(ring, 1, WS_LOG_INFO, line);
    }
    /* What a reader has told is heard when it has gone. */
    ws_ring_tell(reader, WS_LOG_ERROR, "farewell");
    ws_ring_detach(reader);
    assert_hears(ring, 1, WS_LOG_ERROR, "farewell");
    ws_ring_detach(other);
    ws_ring_free(ring);
}

static void test_the_end(void **state)
{
    (void)state;
    ws_ring *ring = make_ring(3);
    ws_ring_reader *one = attach(ring, 0, NULL, 0);
    publish(ring, 11, 2, NULL);
    assert_int_equal(ws_ring_look(one), WS_RING_RUNS);
    ws_ring_end(ring);
    assert_int_equal(ws_ring_look(one), WS_RING_ENDED);
    ws_ring_free(ring);
    assert_int_equal(ws_ring_look(one), WS_RING_ENDED);
    assert_next(one, 0, 11); /* its mapping stays */
    ws_ring_detach(one);

    ring = make_ring(3);
    one = attach(ring, 0, NULL, 0);
    ws_ring_free(ring);
    assert_int_equal(ws_ring_look(one), WS_RING_DIED);
    ws_ring_detach(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_many_slots_as_fit),
        cmocka_unit_test(test_impossible_options_are_refused),
        cmocka_unit_test(test_a_ring_opens_with_the_base_as_it_is_then),
        cmocka_unit_test(test_a_reader_finds_what_does_not_change),
        cmocka_unit_test(test_a_descriptor_for_reading_suffices),
        cmocka_unit_test(test_other_rings_are_refused),
        cmocka_unit_test(test_a_scribbled_head_is_refused),
        cmocka_unit_test(test_other_files_are_refused),
        cmocka_unit_test(test_scribbled_memory_ends_nobody),
        cmocka_unit_test(test_places_are_counted),
        cmocka_unit_test(test_held_frames_stay),
        cmocka_unit_test(test_frames_are_taken_in_order),
        cmocka_unit_test(test_unsound_frames_are_skipped),
        cmocka_unit_test(test_hunger),
        cmocka_unit_test(test_the_oldest_is_spilled_first),
        cmocka_unit_test(test_frames_taken_at_the_last_moment),
        cmocka_unit_test(test_a_frame_that_was_looked_at_is_spilled_in_its_place),
        cmocka_unit_test(test_without_spill_frames_are_dropped),
        cmocka_unit_test(test_what_is_no_frame_any_more_is_not_spilled),
        cmocka_unit_test(test_a_flush_spills_once),
        cmocka_unit_test(test_a_flush_that_fails),
        cmocka_unit_test(test_lost_news_are_counted),
        cmocka_unit_test(test_before_anything_is_done),
        cmocka_unit_test(test_promises_need_no_reader),
        cmocka_unit_test(test_successors_inherit_nothing),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_wishes_of_hasty_readers),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
