/* SPDX-License-Identifier: BSD-3-Clause */
/* What readers ask of the writer, and what it tells them of itself. */
#include "cmocka_headers.h"
#include "ring.h"
#include "ring_frames.h"
#include "ring_layout.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { VALUES = 16, QUEUE = WS_RING_LINES, TELLINGS = 200000 };

static ws_ring *make_ring(void)
{
    ws_ring *ring;
    const ws_ring_options options = {.frame_bytes = ring_frame_bytes(VALUES), .first_step = 5};
    assert_int_equal(ws_ring_create(&options, &ring), WS_OK);
    return ring;
}

static ws_ring_reader *attach(ws_ring *ring, int live)
{
    ws_ring_reader *reader;
    assert_int_equal(ws_ring_attach_beside(ring, 0, NULL, live, &reader), WS_OK);
    return reader;
}

static void commands_arrive_in_order_and_none_twice(void **state)
{
    (void)state;
    ws_ring *ring = make_ring();
    ws_ring_reader *reader = attach(ring, 0);
    const uint32_t number = ws_ring_number(reader);
    char name[WS_COMMAND_NAME], value[WS_COMMAND_VALUE], text[32];
    assert_int_equal(ws_ring_asked(ring, number, name, value), 0);
    for (int i = 0; i < QUEUE; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(ws_ring_ask(reader, "learning_rate", text), 1);
    }
    assert_int_equal(ws_ring_ask(reader, "learning_rate", "one too many"), 0);
    for (int i = 0; i < QUEUE; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(ws_ring_asked(ring, number, name, value), 1);
        assert_string_equal(name, "learning_rate");
        assert_string_equal(value, text);
    }
    assert_int_equal(ws_ring_asked(ring, number, name, value), 0);
    assert_int_equal(ws_ring_ask(reader, "stop", ""), 1);
    assert_int_equal(ws_ring_asked(ring, number, name, value), 1);
    assert_string_equal(name, "stop");
    assert_string_equal(value, "");
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

/* Whatever a reader writes there: the writer's copies end. */
static void hostile_commands_are_cut(void **state)
{
    (void)state;
    ws_ring *ring = make_ring();
    ws_ring_reader *reader = attach(ring, 0);
    const uint32_t number = ws_ring_number(reader);
    ws_ring_record *record = ws_ring_record_of(ws_ring_view_of(ring), number);
    char name[WS_COMMAND_NAME], value[WS_COMMAND_VALUE];
    memset(record->commands, 'x', sizeof record->commands);
    atomic_store(&record->asked, 1);
    assert_int_equal(ws_ring_asked(ring, number, name, value), 1);
    assert_int_equal(strlen(name), sizeof name - 1);
    assert_int_equal(strlen(value), sizeof value - 1);
    /* More than there can be: all of it is passed over. */
    atomic_store(&record->asked, 1000000);
    assert_int_equal(ws_ring_asked(ring, number, name, value), 0);
    assert_int_equal(ws_ring_ask(reader, "stop", ""), 1);
    assert_int_equal(ws_ring_asked(ring, number, name, value), 1);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

static void a_hold_ends_with_its_reader(void **state)
{
    (void)state;
    ws_ring *ring = make_ring();
    ws_ring_reader *reader = attach(ring, 1);
    const uint32_t number = ws_ring_number(reader);
    assert_int_equal(ws_ring_held_by(ring, number), 0);
    ws_ring_hold(reader, 1);
    assert_int_equal(ws_ring_held_by(ring, number), getpid());
    ws_ring_hold(reader, 0);
    assert_int_equal(ws_ring_held_by(ring, number), 0);

    ws_ring_hold(reader, 1);
    ws_ring_detach(reader);
    assert_int_equal(ws_ring_held_by(ring, number), 0);
    reader = attach(ring, 1);
    assert_int_equal(ws_ring_held_by(ring, ws_ring_number(reader)), 0);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

/* Who wants news begins with the present step, others with the next one. */
static void news_begin_with_the_present(void **state)
{
    (void)state;
    ws_ring *ring = make_ring();
    ws_ring_tell_step(ring, 40);
    ws_ring_reader *live = attach(ring, 1), *other = attach(ring, 0);
    assert_int_equal(ws_ring_done_step(live), 39);
    assert_int_equal(ws_ring_done_step(other), 40);
    /* The step is published twice, the second time with more in it. */
    ring_frame_make(ws_ring_begin(ring, NULL, NULL), VALUES, 40);
    ws_ring_publish(ring, 0);
    void *second = ws_ring_begin(ring, NULL, NULL);
    ring_frame_make(second, VALUES, 40);
    ws_ring_publish(ring, 0);
    assert_ptr_equal(ws_ring_take_newest(live, 39), second);
    ws_ring_detach(live);
    ws_ring_detach(other);
    ws_ring_free(ring);
}

static void status_is_read_once_each_time_it_changes(void **state)
{
    (void)state;
    ws_ring *ring = make_ring();
    char text[WS_STATUS_BYTES];
    ws_ring_reader *reader = attach(ring, 0);
    assert_int_equal(ws_ring_status(reader, text), 0);
    ws_ring_tell_status(ring, "{\"state\": \"training\"}");
    assert_int_equal(ws_ring_status(reader, text), 1);
    assert_string_equal(text, "{\"state\": \"training\"}");
    assert_int_equal(ws_ring_status(reader, text), 0);
    /* Who comes later reads it too. */
    ws_ring_reader *late = attach(ring, 0);
    assert_int_equal(ws_ring_status(late, text), 1);
    assert_string_equal(text, "{\"state\": \"training\"}");
    /* The longest that fits, and one byte more. */
    char longest[WS_STATUS_BYTES + 1];
    memset(longest, 'y', sizeof longest);
    longest[WS_STATUS_BYTES] = '\0';
    ws_ring_tell_status(ring, longest);
    assert_int_equal(ws_ring_status(reader, text), 0);
    longest[WS_STATUS_BYTES - 1] = '\0';
    ws_ring_tell_status(ring, longest);
    assert_int_equal(ws_ring_status(reader, text), 1);
    assert_string_equal(text, longest);
    ws_ring_detach(reader);
    ws_ring_detach(late);
    ws_ring_free(ring);
}

static void *tell_often(void *context)
{
    char text[WS_STATUS_BYTES];
    for (int i = 0; i < TELLINGS / 50; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        text[1 + i * 37 % (WS_STATUS_BYTES - 1)] = '\0';
        ws_ring_tell_status(context, text);
    }
    return NULL;
}

/* No reader sees a mixture of two texts. */
static void status_is_never_torn(void **state)
{
    (void)state;
    ws_ring *ring = make_ring();
    ws_ring_reader *reader = attach(ring, 0);
    char text[WS_STATUS_BYTES];
    pthread_t writer;
    int torn = 0, seen = 0;
    assert_int_equal(pthread_create(&writer, NULL, tell_often, ring), 0);
    for (int i = 0; i < TELLINGS; i++) {
        if (!ws_ring_status(reader, text))
            continue;
        seen++;
        torn += strspn(text, (const char[]){text[0], '\0'}) != strlen(text);
    }
    pthread_join(writer, NULL);
    seen += ws_ring_status(reader, text);
    assert_int_equal(torn, 0);
    assert_true(seen > 0);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

/* What is no share must not stop a reader for ever. */
static void the_share_reaches_readers_if_it_is_one(void **state)
{
    (void)state;
    static const double none[] = {0, -0.5, NAN, INFINITY, 2};
    ws_ring *ring = make_ring();
    ws_ring_reader *reader = attach(ring, 0);
    assert_true(ws_ring_share(reader) == 1);
    ws_ring_tell_share(ring, 0.02);
    assert_true(ws_ring_share(reader) == 0.02);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        ws_ring_tell_share(ring, none[i]);
        assert_true(ws_ring_share(reader) == 1);
    }
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_arrive_in_order_and_none_twice),
        cmocka_unit_test(hostile_commands_are_cut),
        cmocka_unit_test(a_hold_ends_with_its_reader),
        cmocka_unit_test(news_begin_with_the_present),
        cmocka_unit_test(status_is_read_once_each_time_it_changes),
        cmocka_unit_test(status_is_never_torn),
        cmocka_unit_test(the_share_reaches_readers_if_it_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
