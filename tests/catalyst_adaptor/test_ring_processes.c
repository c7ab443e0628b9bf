/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers in other processes that stop, are killed and come back at random moments, and a writer that is
 * killed. */
#include "cmocka_headers.h"
#include "ring.h"
#include "ring_frames.h"
#include "ring_layout.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    VALUES = 1008,
    SLOTS = 8,
    MOST_STEPS = 40000,
    CREW = 4,
    MOST_LIVES = 100,
    OWN_EVERY = 5,
    OTHERS_EVERY = 3
};

#define SECONDS      2.5
#define LONGEST_CALL 5.0 /* what waits for a stopped reader waits for ever */

/* Told by a child to its parent, however it ends. */
typedef struct life {
    _Atomic uint32_t number; /* of the reader, + 1 */
    _Atomic uint64_t done;
    _Atomic uint32_t finished, wrong;
    atomic_uchar seen[MOST_STEPS];
} life;

/* What the parent knows of a child. */
typedef struct member {
    pid_t pid;
    int stopped;
    life *life;
} member;

static life *lives; /* shared by all */
static int life_count;
static life *own_life; /* steps that any of the run's own readers has seen */
static ws_ring *ring;
static member crew[CREW]; /* crew[0] is the run's own reader */
static uint8_t must[MOST_STEPS], spilled[MOST_STEPS];
/* Whose bit was meant at a step; NULL: nobody's. */
static life *meant[MOST_STEPS][WS_RING_READERS];
static double longest_call;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static uint32_t dice(uint32_t sides)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state % sides);
}

static void *shared_memory(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    return at;
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
                                     .most_bytes = SLOTS * ring_frame_bytes(VALUES)};
    ws_ring *made;
    assert_int_equal(ws_ring_create(&options, &made), WS_OK);
    return made;
}

/* ---- In the children: no asserts of cmocka, which would go on with its next test. */

/* As a stranger attaches, who knows the process and the number. */
static ws_ring_reader *attach_to(pid_t process, int number, int own, const ws_schedule *schedule, int live)
{
    char path[64];
    ws_ring_reader *reader = NULL;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)process, number);
    const int descriptor = open(path, O_RDWR | O_CLOEXEC);
    const int status = ws_ring_attach(descriptor, NULL, own, schedule, live, &reader);
    close(descriptor);
    return status == WS_OK ? reader : NULL;
}

/* Returns the step of the frame, 0 if there was none. */
static uint64_t look_at_one(ws_ring_reader *reader, life *mine, uint64_t after, int newest)
{
    const void *frame = newest ? ws_ring_take_newest(reader, after) : ws_ring_take_next(reader, after);
    if (!frame)
        return 0;
    const uint64_t step = ws_frame_head(frame)->step;
    ws_ring_at(reader, step);
    if (step % 64 == 0)
        usleep(1000);
    if (step <= after || step >= MOST_STEPS || !ring_frame_is_whole(frame, VALUES))
        mine->wrong = 1;
    else
        mine->seen[step] = 1;
    ws_ring_release(reader);
    ws_ring_done(reader, step);
    mine->done = step;
    return step;
}

static void serve(life *mine, int own)
{
    const ws_schedule schedule = each(OTHERS_EVERY);
    const pid_t writer = getppid();
    ws_ring_reader *reader = attach_to(writer, ws_ring_descriptor(ring), own, own ? NULL : &schedule, !own);
    if (!reader)
        _exit(2);
    uint64_t after = own ? ws_ring_done_step(reader) : 0, newest = 0;
    mine->number = ws_ring_number(reader) + 1;
    for (uint32_t turn = 0;; turn++) {
        const ws_ring_state state = ws_ring_look(reader);
        const uint64_t step = look_at_one(reader, mine, after, 0);
        after = step ? step : after;
        if (step)
            continue;
        if (state == WS_RING_DIED)
            _exit(3);
        if (state == WS_RING_ENDED)
            break;
        ws_ring_beat(reader);
        ws_ring_tell(reader, WS_LOG_INFO, "hello");
        /* News, without counting them as done: a must frame may come after. */
        const void *frame = own ? NULL : ws_ring_take_newest(reader, newest);
        if (frame) {
            mine->wrong |= ws_frame_head(frame)->step <= newest || !ring_frame_is_whole(frame, VALUES);
            newest = ws_frame_head(frame)->step;
        }
        ws_ring_release(reader);
    }
    ws_ring_detach(reader);
    mine->finished = 1;
    _exit(0);
}

/* ---- In the parent. */

static void hire(int place)
{
    assert_true(life_count < MOST_LIVES);
    member *one = &crew[place];
    *one = (member){.life = place == WS_RING_OWN ? own_life : &lives[life_count++]};
    one->life->number = 0;
    fflush(NULL);
    one->pid = fork();
    assert_true(one->pid >= 0);
    if (one->pid == 0)
        serve(one->life, place == WS_RING_OWN);
}

static void end(member *one, int expected_signal)
{
    int status;
    assert_int_equal(waitpid(one->pid, &status, 0), one->pid);
    if (expected_signal)
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == expected_signal);
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("a reader ended with status %x", status);
}

static void strike(void)
{
    member *one = &crew[dice(CREW)];
    if (one->stopped && dice(2)) {
        kill(one->pid, SIGCONT);
        one->stopped = 0;
    } else if (dice(3) == 0) {
        const uint32_t number = one->life->number;
        kill(one->pid, SIGKILL);
        end(one, SIGKILL);
        const uint32_t dead = ws_ring_reap(ring);
        if (number && !(dead >> (number - 1) & 1))
            fail_msg("the death of reader %u was not noticed (%x)", number - 1, dead);
        hire((int)(one - crew));
    } else if (!one->stopped) {
        kill(one->pid, SIGSTOP);
        one->stopped = 1;
    }
}

static int spill(void *context, const void *frame, uint32_t readers)
{
    (void)context;
    const uint64_t step = ws_frame_head(frame)->step;
    assert_true(ring_frame_is_whole(frame, VALUES) && !(spilled[step] & readers));
    spilled[step] |= (uint8_t)readers;
    return 0;
}

/* Who has which bit: known only when both sides say the same. */
static uint32_t readers_wanting(uint64_t step, const ws_ring_wish *wishes)
{
    uint32_t wanting = 0;
    for (int i = 0; i < CREW; i++) {
        const uint32_t number = i == WS_RING_OWN ? WS_RING_OWN + 1 : atomic_load(&crew[i].life->number);
        if (!number || !ws_schedule_wants(&wishes[number - 1].schedule, step, NULL))
            continue;
        meant[step][number - 1] = crew[i].life;
        wanting |= (uint32_t)1 << (number - 1);
    }
    return wanting;
}

static void write_one(uint64_t step, uint32_t readers)
{
    const double start = now();
    ring_frame_make(ws_ring_begin(ring, spill, NULL), VALUES, step);
    ws_ring_publish(ring, readers);
    ws_ring_tell_step(ring, step);
    const double taken = now() - start;
    longest_call = taken > longest_call ? taken : longest_call;
}

static uint64_t write_frames(void)
{
    ws_ring_wish wishes[WS_RING_READERS];
    const double deadline = now() + SECONDS;
    uint32_t changes = ws_ring_changes(ring) - 1;
    uint64_t step = 0;
    while (now() < deadline && step < MOST_STEPS - 1) {
        step++;
        if (ws_ring_changes(ring) != changes) {
            changes = ws_ring_changes(ring);
            for (uint32_t i = 0; i < WS_RING_READERS; i++)
                ws_ring_wishes(ring, i, &wishes[i]);
        }
        must[step] = (uint8_t)readers_wanting(step, wishes);
        write_one(step, must[step]);
        if (step % 16 == 0)
            usleep(200);
        if (dice(100) == 0 && life_count < MOST_LIVES)
            strike();
    }
    return step;
}

static void dismiss(void)
{
    for (int i = 0; i < CREW; i++)
        kill(crew[i].pid, SIGCONT);
    for (int i = 0; i < CREW; i++)
        end(&crew[i], 0);
}

/* A reader that was killed owes nothing after what it had done. */
static uint64_t assert_nothing_is_missing(uint64_t steps)
{
    uint64_t seen = 0;
    for (uint64_t step = 1; step <= steps; step++)
        for (uint32_t i = 0; i < WS_RING_READERS; i++) {
            life *one = meant[step][i];
            if (!one || !(must[step] >> i & 1))
                continue;
            const int owed = i == WS_RING_OWN || one->finished || step <= one->done;
            if (owed && !one->seen[step] && !(spilled[step] >> i & 1))
                fail_msg("reader %u neither saw step %llu nor was it spilled", i, (unsigned long long)step);
            seen += one->seen[step];
        }
    return seen;
}

static void test_readers_die_and_stop(void **state)
{
    (void)state;
    lives = shared_memory((MOST_LIVES + 1) * sizeof *lives);
    own_life = &lives[MOST_LIVES];
    ring = make_ring();
    const ws_schedule promise = each(OWN_EVERY);
    ws_ring_promise(ring, &promise, 0);
    for (int i = 0; i < CREW; i++)
        hire(i);
    const uint64_t steps = write_frames();
    ws_ring_flush(ring, spill, NULL);
    ws_ring_end(ring);
    dismiss();
    const uint64_t seen = assert_nothing_is_missing(steps);
    uint64_t spills = 0;
    for (uint64_t step = 1; step <= steps; step++) {
        assert_int_equal(must[step] & 1, step % OWN_EVERY == 0);
        spills += spilled[step] != 0;
    }
    print_message("%llu steps, %d readers, %llu seen, %llu spilled, longest call %.1f ms\n",
                  (unsigned long long)steps, life_count + 1, (unsigned long long)seen,
                  (unsigned long long)spills, 1e3 * longest_call);
    for (int i = 0; i <= MOST_LIVES; i++)
        assert_false(lives[i].wrong);
    assert_true(steps > 100 && life_count > CREW && seen > 0 && spills > 0);
    assert_true(longest_call < LONGEST_CALL);
    assert_int_equal(ws_ring_dropped(ring, WS_RING_OWN), 0);
    ws_ring_free(ring);
    munmap(lives, (MOST_LIVES + 1) * sizeof *lives);
}

/* Starts a child that runs `body` and then waits to be killed; returns when `body` is through. */
static pid_t start_and_hang(void (*body)(void *), void *context)
{
    int through[2];
    char byte;
    assert_int_equal(pipe(through), 0);
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        body(context);
        if (write(through[1], "x", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    close(through[1]);
    assert_int_equal(read(through[0], &byte, 1), 1);
    close(through[0]);
    return child;
}

static void kill_child(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* `context` is whether as the own reader. */
static void hold_a_frame(void *context)
{
    const ws_schedule schedule = each(1);
    ws_ring_reader *reader = attach_to(getppid(), ws_ring_descriptor(ring), *(int *)context, &schedule, 1);
    if (!reader || !ws_ring_take_newest(reader, 0))
        _exit(1);
    ws_ring_at(reader, 3);
    ws_ring_done(reader, 2);
    ws_ring_at(reader, 3);
}

static void test_a_death_frees_what_was_held(void **state)
{
    (void)state;
    for (int own = 0; own < 2; own++) {
        ring = make_ring();
        const uint32_t number = own ? WS_RING_OWN : 1, me = (uint32_t)1 << number;
        const ws_schedule promise = each(1);
        ws_ring_promise(ring, &promise, 0);
        write_one(3, 0);
        const pid_t child = start_and_hang(hold_a_frame, &own);
        ws_ring_record *record =
            ws_ring_record_of(&(ws_ring_view){.head = ws_ring_head_for(SLOTS, ring_frame_bytes(VALUES), 0),
                                              .at = ws_ring_memory_of(ring)->at},
                              number);
        ws_ring_wish wish;
        ws_ring_progress progress;
        assert_int_equal(ws_ring_reap(ring), 0);
        assert_int_not_equal(atomic_load(&record->pin), 0);
        write_one(4, me);
        const uint32_t changes = ws_ring_changes(ring);
        kill_child(child);
        assert_int_equal(ws_ring_reap(ring), me);
        assert_int_equal(ws_ring_reap(ring), 0);
        assert_int_not_equal(ws_ring_changes(ring), changes);
        assert_int_equal(atomic_load(&record->pin), 0);
        assert_int_equal(ws_ring_hungry(ring), 0);
        ws_ring_progress_of(ring, number, &progress);
        assert_int_equal(progress.at, UINT64_MAX);
        ws_ring_wishes(ring, number, &wish);
        assert_false(wish.attached || wish.live);
        memset(spilled, 0, sizeof spilled);
        for (uint64_t step = 5; step < 30; step++)
            write_one(step, 0);
        assert_int_equal(spilled[4], own ? 1 : 0); /* the promise outlives its reader, nothing else does */
        assert_int_equal(wish.schedule.count, own ? 1 : 0);
        ws_ring_reader *next = attach_to(getpid(), ws_ring_descriptor(ring), own, NULL, 0);
        assert_non_null(next);
        assert_int_equal(ws_ring_number(next), number);
        assert_int_equal(ws_ring_done_step(next), own ? 2 : 29);
        ws_ring_detach(next);
        ws_ring_free(ring);
    }
}

static void be_hungry(void *context)
{
    (void)context;
    ws_ring_reader *reader = attach_to(getppid(), ws_ring_descriptor(ring), 0, NULL, 1);
    if (!reader || ws_ring_take_newest(reader, 0))
        _exit(1);
}

static void test_a_death_ends_hunger(void **state)
{
    (void)state;
    ring = make_ring();
    const pid_t child = start_and_hang(be_hungry, NULL);
    assert_int_equal(ws_ring_hungry(ring), 2);
    kill_child(child);
    assert_int_equal(ws_ring_reap(ring), 2);
    assert_int_equal(ws_ring_hungry(ring), 0);
    ws_ring_free(ring);
}

/* Dies between its claim and its arrival. */
static void test_a_death_while_attaching(void **state)
{
    (void)state;
    ring = make_ring();
    ws_ring_view view = {.head = ws_ring_head_for(SLOTS, ring_frame_bytes(VALUES), 0),
                         .at = ws_ring_memory_of(ring)->at};
    ws_ring_record *record = ws_ring_record_of(&view, 1);
    atomic_store(&record->state, ws_ring_state_of(1, WS_RING_CLAIMED));
    ws_ring_wish wish;
    ws_ring_wishes(ring, 1, &wish);
    assert_false(wish.attached);
    ws_ring_reader *reader = attach_to(getpid(), ws_ring_descriptor(ring), 0, NULL, 0);
    assert_int_equal(ws_ring_number(reader), 2);
    assert_int_equal(ws_ring_reap(ring), 2);
    ws_ring_detach(reader);
    reader = attach_to(getpid(), ws_ring_descriptor(ring), 0, NULL, 0);
    assert_int_equal(ws_ring_number(reader), 1);
    ws_ring_detach(reader);
    ws_ring_free(ring);
}

/* Writes three frames, is in the midst of a fourth, and tells its descriptor. */
static void write_and_tell(void *context)
{
    ring = make_ring();
    for (uint64_t step = 1; step <= 3; step++)
        write_one(step, 2);
    ring_frame_head(ws_ring_begin(ring, spill, NULL), VALUES, 4);
    atomic_store((atomic_int *)context, ws_ring_descriptor(ring));
}

static void test_a_writer_dies(void **state)
{
    (void)state;
    atomic_int *descriptor = shared_memory(sizeof *descriptor);
    const pid_t writer = start_and_hang(write_and_tell, descriptor);
    const ws_schedule schedule = each(1);
    ws_ring_reader *reader = attach_to(writer, *descriptor, 0, &schedule, 0);
    assert_non_null(reader);
    assert_int_equal(ws_ring_look(reader), WS_RING_RUNS);
    kill(writer, SIGSTOP);
    assert_int_equal(ws_ring_look(reader), WS_RING_RUNS);
    kill_child(writer);
    assert_int_equal(ws_ring_look(reader), WS_RING_DIED);
    for (uint64_t step = 3; step > 0; step--) {
        const void *frame = ws_ring_take_newest(reader, step - 1);
        assert_true(frame && ws_frame_head(frame)->step == 3 && ring_frame_is_whole(frame, VALUES));
    }
    assert_null(ws_ring_take_newest(reader, 3));
    ws_ring_detach(reader);
    munmap(descriptor, sizeof *descriptor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_die_and_stop), cmocka_unit_test(test_a_death_frees_what_was_held),
        cmocka_unit_test(test_a_death_ends_hunger),  cmocka_unit_test(test_a_death_while_attaching),
        cmocka_unit_test(test_a_writer_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
