/* SPDX-License-Identifier: BSD-3-Clause */
/* A writer at full speed and readers of several tempers as threads of one process, on one mapping: so that
 * the sanitizers see both sides. */
#include "cmocka_headers.h"
#include "ring.h"
#include "ring_frames.h"
#include "ring_layout.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

enum { VALUES = 1008, SLOTS = 10, MOST_STEPS = 400000, BURST = 100 };

#define SECONDS 2.0

/* A reader and what it has seen. */
typedef struct follower {
    ws_ring *ring;
    ws_ring_reader *reader;
    long pause_ns;
    uint64_t every;
    uint8_t *seen;
    uint64_t count, wrong;
} follower;

typedef struct writer_books {
    uint8_t *must, *spilled; /* per step, a bit for each reader */
    uint64_t spills, wrong;
} writer_books;

static atomic_int over;
/* The end of a process comes before its reaping; of a thread that only plays dead the sanitizer must be told.
 */
static atomic_int deaths;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void nap(long ns)
{
    if (ns)
        nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
    else
        sched_yield();
}

static ws_schedule each(uint64_t every)
{
    ws_schedule schedule = {0};
    ws_schedule_add(&schedule, &(ws_rule){.last = UINT64_MAX - 1, .every = every});
    return schedule;
}

static ws_ring *make_ring(void)
{
    const ws_ring_options options = {.frame_bytes = ring_frame_bytes(VALUES),
                                     .most_bytes = SLOTS * (ring_frame_bytes(VALUES) + WS_FRAME_ALIGNMENT)};
    ws_ring *ring;
    assert_int_equal(ws_ring_create(&options, &ring), WS_OK);
    assert_int_equal(ws_ring_slots(ring), SLOTS);
    return ring;
}

static void *follow(void *context)
{
    follower *me = context;
    uint64_t after = 0;
    for (;;) {
        const int last = atomic_load(&over);
        const void *frame = ws_ring_take_next(me->reader, after);
        if (!frame && last)
            return NULL;
        if (!frame) {
            ws_ring_beat(me->reader);
            nap(me->pause_ns);
            continue;
        }
        const uint64_t step = ws_frame_head(frame)->step;
        ws_ring_at(me->reader, step);
        nap(me->pause_ns);
        me->wrong += step <= after || step % me->every || !ring_frame_is_whole(frame, VALUES);
        me->seen[step] = 1;
        me->count++;
        after = step;
        ws_ring_release(me->reader);
        ws_ring_done(me->reader, step);
    }
}

/* One that wants news only. */
static void *watch(void *context)
{
    follower *me = context;
    uint64_t after = 0;
    while (!atomic_load(&over)) {
        const void *frame = ws_ring_take_newest(me->reader, after);
        if (!frame) {
            nap(me->pause_ns);
            continue;
        }
        const uint64_t step = ws_frame_head(frame)->step;
        me->wrong += step <= after || !ring_frame_is_whole(frame, VALUES);
        me->count++;
        after = step;
        ws_ring_release(me->reader);
        ws_ring_done(me->reader, step);
    }
    return NULL;
}

/* One that dies again and again while it looks at a frame, and leaves everything as it is. */
static void *die(void *context)
{
    follower *me = context;
    const ws_schedule schedule = each(me->every);
    while (!atomic_load(&over)) {
        ws_ring_reader *reader;
        if (ws_ring_attach_beside(me->ring, 0, &schedule, 1, &reader) != WS_OK) {
            nap(me->pause_ns);
            continue;
        }
        const void *frame = NULL;
        for (int i = 0; i < 50 && !frame; i++) {
            frame = i % 2 ? ws_ring_take_next(reader, 0) : ws_ring_take_newest(reader, 0);
            nap(0);
        }
        me->wrong += frame && !ring_frame_is_whole(frame, VALUES);
        me->count += frame != NULL;
        ws_ring_tell(reader, WS_LOG_WARNING, "these are my last words");
        if (me->count % 4)
            atomic_fetch_add(&deaths, 1), ws_ring_abandon(reader);
        else
            ws_ring_detach(reader);
    }
    return NULL;
}

static int spill(void *context, const void *frame, uint32_t readers)
{
    writer_books *books = context;
    const uint64_t step = ws_frame_head(frame)->step;
    books->spills++;
    books->wrong += !ring_frame_is_whole(frame, VALUES) || (books->spilled[step] & readers);
    books->spilled[step] |= (uint8_t)readers;
    return 0;
}

static uint32_t wanted_by(const ws_ring_wish *wishes, uint64_t step)
{
    uint32_t must = 0;
    for (uint32_t i = 0; i < WS_RING_READERS; i++)
        if (ws_schedule_wants(&wishes[i].schedule, step, NULL))
            must |= (uint32_t)1 << i;
    return must;
}

static void hear_all(ws_ring *ring, writer_books *books)
{
    char line[WS_RING_LINE];
    ws_log_level level;
    for (uint32_t i = 0; i < WS_RING_READERS; i++)
        while (ws_ring_hear(ring, i, &level, line))
            books->wrong += strcmp(line, "these are my last words") != 0 || level != WS_LOG_WARNING;
}

/* The head last: who looks too early finds an old one, and believes it. */
static void write_backwards(void *memory, uint64_t step)
{
    ring_frame_values(memory, VALUES, step);
    atomic_signal_fence(memory_order_seq_cst);
    ring_frame_head(memory, VALUES, step);
}

static uint64_t write_frames(ws_ring *ring, writer_books *books)
{
    const double end = now() + SECONDS;
    ws_ring_wish wishes[WS_RING_READERS];
    uint32_t changes = ws_ring_changes(ring) - 1;
    uint64_t step = 0;
    while (step < MOST_STEPS - 1 && now() < end) {
        step++;
        if (ws_ring_changes(ring) != changes) {
            changes = ws_ring_changes(ring);
            for (uint32_t i = 0; i < WS_RING_READERS; i++)
                ws_ring_wishes(ring, i, &wishes[i]);
        }
        books->must[step] = (uint8_t)wanted_by(wishes, step);
        write_backwards(ws_ring_begin(ring, spill, books), step);
        ws_ring_publish(ring, books->must[step]);
        ws_ring_tell_step(ring, step);
        if (step % BURST == 0) {
            hear_all(ring, books);
            ws_ring_reap(ring);
            (void)atomic_load(&deaths);
            nap(100000);
        }
    }
    ws_ring_flush(ring, spill, books);
    return step;
}

static void assert_nothing_is_missing(const follower *reader, const writer_books *books, uint64_t steps)
{
    const uint32_t number = ws_ring_number(reader->reader);
    uint64_t must = 0;
    for (uint64_t step = 1; step <= steps; step++) {
        if (!(books->must[step] >> number & 1))
            continue;
        must++;
        if (!reader->seen[step] && !(books->spilled[step] >> number & 1))
            fail_msg("reader %u neither saw step %llu nor was it spilled", number, (unsigned long long)step);
    }
    assert_int_equal(must, steps / reader->every);
    assert_int_equal(reader->wrong, 0);
    assert_true(reader->count > 0);
    assert_int_equal(ws_ring_dropped(reader->ring, number), 0);
}

static void start(pthread_t *thread, void *(*run)(void *), follower *reader)
{
    assert_int_equal(pthread_create(thread, NULL, run, reader), 0);
}

static void test_nothing_is_torn_or_missing(void **state)
{
    (void)state;
    ws_ring *ring = make_ring();
    writer_books books = {.must = calloc(MOST_STEPS, 1), .spilled = calloc(MOST_STEPS, 1)};
    follower readers[4] = {{ring, NULL, 0, 3, calloc(MOST_STEPS, 1), 0, 0},
                           {ring, NULL, 2000000, 7, calloc(MOST_STEPS, 1), 0, 0},
                           {ring, NULL, 0, 1, NULL, 0, 0},
                           {ring, NULL, 50000, 5, NULL, 0, 0}};
    pthread_t threads[4];
    const ws_schedule often = each(3), seldom = each(7);
    ws_ring_promise(ring, &seldom, 0);
    assert_int_equal(ws_ring_attach_beside(ring, 0, &often, 0, &readers[0].reader), WS_OK);
    assert_int_equal(ws_ring_attach_beside(ring, 1, NULL, 0, &readers[1].reader), WS_OK);
    assert_int_equal(ws_ring_attach_beside(ring, 0, NULL, 1, &readers[2].reader), WS_OK);
    atomic_store(&over, 0);
    start(&threads[0], follow, &readers[0]);
    start(&threads[1], follow, &readers[1]);
    start(&threads[2], watch, &readers[2]);
    start(&threads[3], die, &readers[3]);
    const uint64_t steps = write_frames(ring, &books);
    atomic_store(&over, 1);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    print_message("%llu steps, %llu spilled, seen: %llu %llu %llu %llu\n", (unsigned long long)steps,
                  (unsigned long long)books.spills, (unsigned long long)readers[0].count,
                  (unsigned long long)readers[1].count, (unsigned long long)readers[2].count,
                  (unsigned long long)readers[3].count);
    assert_nothing_is_missing(&readers[0], &books, steps);
    assert_nothing_is_missing(&readers[1], &books, steps);
    assert_int_equal(readers[2].wrong + readers[3].wrong + books.wrong, 0);
    assert_true(readers[2].count > 0 && readers[3].count > 0 && books.spills > 0);
    assert_int_equal(ws_ring_spilled(readers[0].reader), books.spills);
    for (int i = 0; i < 4; i++) {
        ws_ring_detach(readers[i].reader);
        free(readers[i].seen);
    }
    ws_ring_reap(ring);
    for (uint32_t i = 0; i < WS_RING_READERS; i++) {
        ws_ring_wish wish;
        ws_ring_wishes(ring, i, &wish);
        assert_false(wish.attached);
    }
    ws_ring_free(ring);
    free(books.must);
    free(books.spilled);
}

/* ---- One side as a signal's handler, which runs whole at any instant of the other side's work. */

enum { FEW_VALUES = 16, FEW_TURNS = 1000 };

static struct {
    ws_ring *ring;
    ws_ring_reader *reader;
    void *begun;      /* the writer's, NULL: none */
    const void *held; /* the reader's, NULL: none */
    uint64_t step, seen, count, wrong;
} duet;

static uint32_t dice(uint32_t sides)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state % sides);
}

/* Half of a frame: its values, or, after them, its head. */
static void write_half(void)
{
    if (!duet.begun) {
        duet.begun = ws_ring_begin(duet.ring, NULL, NULL);
        ring_frame_values(duet.begun, FEW_VALUES, ++duet.step);
        return;
    }
    ring_frame_head(duet.begun, FEW_VALUES, duet.step);
    ws_ring_publish(duet.ring, 2);
    duet.begun = NULL;
}

/* Now and then a frame for the second time, so that there is always one. */
static void take_one(void)
{
    const uint64_t least = duet.seen - (duet.seen > 0 && dice(8));
    duet.held = dice(4) ? ws_ring_take_newest(duet.reader, least) : ws_ring_take_next(duet.reader, least);
    if (!duet.held)
        return;
    duet.count++;
    duet.seen = ws_frame_head(duet.held)->step;
    duet.wrong += duet.seen <= least;
}

static void check_held(void)
{
    duet.wrong += duet.held && (ws_frame_head(duet.held)->step != duet.seen ||
                                !ring_frame_is_whole(duet.held, FEW_VALUES));
}

/* The next signal comes after the handler has ended: a slow machine gets to the other side, too. */
static int signal_soon(suseconds_t microseconds)
{
    return setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = microseconds}, NULL);
}

static void write_a_bit(int number)
{
    (void)number;
    /* Often as much as brings it half through the slot of what was the newest frame. */
    const uint32_t lap = 2 * ws_ring_slots(duet.ring) - 1;
    for (uint32_t left = dice(2) ? lap : 1 + dice(2 * lap); left > 0; left--)
        write_half();
    signal_soon(20);
}

static void read_a_bit(int number)
{
    (void)number;
    check_held();
    if (!dice(3)) {
        ws_ring_release(duet.reader);
        duet.held = NULL;
        if (dice(3))
            take_one();
    }
    signal_soon(20);
}

static void start_duet(uint32_t slots, void (*handler)(int))
{
    const ws_ring_options options = {.frame_bytes = ring_frame_bytes(FEW_VALUES),
                                     .most_bytes = slots * ring_frame_bytes(FEW_VALUES)};
    const ws_schedule all = each(1);
    memset(&duet, 0, sizeof duet);
    assert_int_equal(ws_ring_create(&options, &duet.ring), WS_OK);
    assert_int_equal(ws_ring_attach_beside(duet.ring, 0, &all, 1, &duet.reader), WS_OK);
    signal(SIGALRM, handler);
    assert_int_equal(signal_soon(20), 0);
}

/* A while, and until both sides have had their turns: a machine that stands still takes longer. */
static int goes_on(double end)
{
    return now() < end || duet.count < FEW_TURNS || duet.step < FEW_TURNS;
}

static void end_duet(void)
{
    signal(SIGALRM, SIG_IGN);
    assert_int_equal(signal_soon(0), 0);
    assert_int_equal(duet.wrong, 0);
    ws_ring_detach(duet.reader);
    ws_ring_free(duet.ring);
}

static void test_a_writer_at_any_instant(void **state)
{
    (void)state;
    for (uint32_t slots = 3; slots < 6; slots++) {
        start_duet(slots, write_a_bit);
        for (const double end = now() + SECONDS / 6; goes_on(end);)
            for (int i = 0; i < 100; i++) {
                take_one();
                check_held();
                ws_ring_release(duet.reader);
            }
        end_duet();
    }
}

static void test_a_reader_at_any_instant(void **state)
{
    (void)state;
    for (uint32_t slots = 3; slots < 6; slots++) {
        start_duet(slots, read_a_bit);
        for (const double end = now() + SECONDS / 6; goes_on(end);)
            for (int i = 0; i < 100; i++)
                write_half();
        end_duet();
    }
}

/* ---- Readers that are replaced while the writer reads their wishes. */

/* Long enough for others to come and go. */
static void hold_up(int number)
{
    (void)number;
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* All rules of a reader say the same number. */
static ws_schedule uniform(uint64_t every)
{
    ws_schedule schedule = {0};
    for (uint64_t i = 0; i < WS_SCHEDULE_RULES; i++)
        ws_schedule_add(&schedule, &(ws_rule){.last = 1000 + i, .every = every});
    return schedule;
}

static void *come_and_go(void *context)
{
    follower *me = context;
    while (!atomic_load(&over)) {
        const ws_schedule schedule = uniform(1 + ++me->count % 100);
        ws_ring_reader *reader;
        if (ws_ring_attach_beside(me->ring, 0, &schedule, 0, &reader) != WS_OK)
            continue;
        if (me->count % 8 == 0)
            nap(20000);
        ws_ring_detach(reader);
    }
    return NULL;
}

static void test_wishes_while_readers_come_and_go(void **state)
{
    (void)state;
    ws_ring *ring = make_ring();
    follower reader = {.ring = ring};
    pthread_t hasty;
    atomic_store(&over, 0);
    sigset_t alarm, before; /* for this thread only */
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, &before);
    start(&hasty, come_and_go, &reader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGALRM, hold_up);
    assert_int_equal(setitimer(ITIMER_REAL, &(struct itimerval){{0, 1000}, {0, 1000}}, NULL), 0);
    const double end = now() + SECONDS / 2;
    uint64_t met = 0, mixed = 0;
    while (now() < end) {
        ws_ring_wish wish;
        ws_ring_wishes(ring, 1, &wish);
        met += wish.schedule.count != 0;
        for (uint32_t i = 1; i < wish.schedule.count; i++)
            mixed += wish.schedule.rules[i].every != wish.schedule.rules[0].every;
    }
    assert_int_equal(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL), 0);
    signal(SIGALRM, SIG_DFL);
    atomic_store(&over, 1);
    pthread_join(hasty, NULL);
    assert_int_equal(mixed, 0);
    assert_true(met > 0 && reader.count > 100);
    ws_ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_torn_or_missing),
        cmocka_unit_test(test_a_writer_at_any_instant),
        cmocka_unit_test(test_a_reader_at_any_instant),
        cmocka_unit_test(test_wishes_while_readers_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
