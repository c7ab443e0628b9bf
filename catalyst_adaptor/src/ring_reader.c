/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring.h"
#include "ring_layout.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ws_ring_reader {
    ws_ring_view view;
    ws_ring_memory memory;
    ws_ring_record *record;
    ws_ring_common *common;
    uint32_t number, incarnation;
    uint32_t status_seen; /* the version that was read last */
};

/* ---- Attaching. */

static int check_kind(int descriptor, const ws_ring_head *head, ssize_t got)
{
    if (got < (ssize_t)(offsetof(ws_ring_head, version) + sizeof head->version) ||
        memcmp(head->magic, WS_RING_MAGIC, sizeof head->magic) != 0)
        return ws_fail(WS_BAD_FILE, "descriptor %d: is no ring of frames", descriptor);
    if (head->version != WS_RING_VERSION)
        return ws_fail(WS_BAD_FILE, "ring: is of version %u, this program reads %d", head->version,
                       WS_RING_VERSION);
    if (got < (ssize_t)sizeof *head)
        return ws_fail(WS_BAD_FILE, "ring: ends after %zd bytes, its head has %zu", got, sizeof *head);
    return WS_OK;
}

/* Whether all that the head says follows from its numbers, and these are within their limits. */
static int check_layout(const ws_ring_head *head)
{
    if (head->slots < WS_RING_LEAST_SLOTS || head->slots > WS_RING_MOST_SLOTS)
        return ws_fail(WS_BAD_FILE, "ring: %u slots, it has %d to %d", head->slots, WS_RING_LEAST_SLOTS,
                       WS_RING_MOST_SLOTS);
    if (head->frame_bytes < sizeof(ws_frame_header) || head->frame_bytes > WS_RING_MOST_BYTES ||
        head->base_bytes > WS_RING_MOST_BYTES)
        return ws_fail(WS_BAD_FILE,
                       "ring: frames of %llu bytes and a base of %llu, at most %llu are possible",
                       (unsigned long long)head->frame_bytes, (unsigned long long)head->base_bytes,
                       (unsigned long long)WS_RING_MOST_BYTES);
    ws_ring_head expected = ws_ring_head_for(head->slots, head->frame_bytes, head->base_bytes);
    expected.first_step = head->first_step;
    memcpy(expected.id, head->id, sizeof expected.id);
    if (memcmp(&expected, head, sizeof expected) != 0)
        return ws_fail(
            WS_BAD_FILE,
            "ring: its structures are not laid out as in this program (records of %u bytes, here %u; "
            "%llu bytes in all, here %llu)",
            head->record_bytes, expected.record_bytes, (unsigned long long)head->total_bytes,
            (unsigned long long)expected.total_bytes);
    return WS_OK;
}

static int read_head(int descriptor, const uint8_t *id, ws_ring_head *out)
{
    struct stat about;
    if (fstat(descriptor, &about) != 0)
        return ws_fail(WS_BAD_FILE, "descriptor %d: %s", descriptor, strerror(errno));
    if (!S_ISREG(about.st_mode)) /* opening another kind again could wait, or do something */
        return ws_fail(WS_BAD_FILE, "descriptor %d: is no ring of frames", descriptor);
    ws_ring_head head;
    int status = check_kind(descriptor, &head, pread(descriptor, &head, sizeof head, 0));
    if (status == WS_OK)
        status = check_layout(&head);
    if (status)
        return status;
    if ((uint64_t)about.st_size != head.total_bytes)
        return ws_fail(WS_BAD_FILE, "ring: says %llu bytes, has %llu", (unsigned long long)head.total_bytes,
                       (unsigned long long)about.st_size);
    if (id && memcmp(head.id, id, sizeof head.id) != 0)
        return ws_fail(WS_BAD_FILE, "ring: has another id than the one of the run asked for");
    *out = head;
    return WS_OK;
}

/* Claims one record: 1, or 0 if it is not free, or WS_IO_FAILED. The lock comes first, so that a claimed
 * record without it is one whose reader has died. */
static int claim(ws_ring_reader *reader, uint32_t number)
{
    ws_ring_record *record = ws_ring_record_of(&reader->view, number);
    uint32_t state = atomic_load(&record->state);
    if (ws_ring_phase(state) != WS_RING_FREE)
        return 0;
    const int held = ws_ring_memory_hold(&reader->memory, (int)number);
    if (held != 1)
        return held;
    const uint32_t incarnation = ws_ring_incarnation(state) + 1;
    if (!atomic_compare_exchange_strong(&record->state, &state,
                                        ws_ring_state_of(incarnation, WS_RING_CLAIMED))) {
        ws_ring_memory_drop(&reader->memory, (int)number);
        return 0;
    }
    reader->record = record;
    reader->number = number;
    reader->incarnation = incarnation;
    return 1;
}

static int find_record(ws_ring_reader *reader, int own)
{
    const uint32_t places = ws_ring_places(reader->view.head.slots);
    const uint32_t first = own ? WS_RING_OWN : WS_RING_OWN + 1, end = own ? WS_RING_OWN + 1 : places;
    for (uint32_t i = first; i < end; i++) {
        const int claimed = claim(reader, i);
        if (claimed != 0)
            return claimed < 0 ? claimed : WS_OK;
    }
    return own ? ws_fail(WS_BAD_ARGUMENT, "ring: the 1 place for the run's own reader is taken")
               : ws_fail(WS_BAD_ARGUMENT, "ring: all %u places for readers are taken", end - first);
}

static void wish(ws_ring_reader *reader, const ws_schedule *schedule, int live)
{
    static const ws_schedule nothing;
    uint64_t words[sizeof *schedule / sizeof(uint64_t)];
    const uint32_t next = atomic_load(&reader->record->wish_version) + 1;
    memcpy(words, schedule ? schedule : &nothing, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        atomic_store_explicit(&reader->record->wishes[next % 2][i], words[i], memory_order_release);
    atomic_store(&reader->record->live, live != 0);
    atomic_store(&reader->record->wish_version, next);
}

static void reset(ws_ring_record *record, uint64_t done)
{
    atomic_store(&record->undone, ws_ring_first_undone(done));
    atomic_store(&record->dropped, 0);
    atomic_store(&record->images_written, 0);
    atomic_store(&record->images_expected, 0);
    atomic_store(&record->script_failures, 0);
}

/* Takes a place and shows it. What reader 0 has done stays. */
static int enter(ws_ring_reader *reader, int own, const ws_schedule *schedule, int live)
{
    reader->common = ws_ring_common_of(&reader->view);
    const int status = find_record(reader, own);
    if (status)
        return status;
    /* Who wants news begins with the present state. */
    if (!own)
        reset(reader->record, atomic_load(&reader->common->step) - (live != 0));
    atomic_store(&reader->record->pin, 0);
    atomic_store(&reader->record->held, 0);
    atomic_store(&reader->record->at, WS_RING_NO_STEP);
    wish(reader, schedule, live);
    atomic_store(&reader->record->state, ws_ring_state_of(reader->incarnation, WS_RING_ATTACHED));
    atomic_fetch_add(&reader->common->changes, 1);
    return WS_OK;
}

/* Copies what it needs of `made`, whose memory is closed on failure. */
static int keep(ws_ring_reader *made, int own, const ws_schedule *schedule, int live, ws_ring_reader **out)
{
    made->view.at = made->memory.at;
    const ws_ring_head *head = &made->view.head;
    ws_ring_reader *reader = malloc(sizeof *reader);
    int status = reader ? WS_OK : ws_fail(WS_NO_MEMORY, "ring: no memory for %zu bytes", sizeof *reader);
    if (status == WS_OK && head->base_bytes)
        status = ws_frame_check(made->view.at + head->base_at, head->base_bytes);
    if (status == WS_OK)
        status = enter(made, own, schedule, live);
    if (status) {
        free(reader);
        ws_ring_memory_close(&made->memory);
        return status;
    }
    *reader = *made;
    *out = reader;
    return WS_OK;
}

int ws_ring_attach(int descriptor, const uint8_t *id, int own, const ws_schedule *schedule, int live,
                   ws_ring_reader **out)
{
    ws_ring_reader made = {0};
    int status = read_head(descriptor, id, &made.view.head);
    if (status == WS_OK)
        status = ws_ring_memory_map(descriptor, made.view.head.total_bytes, &made.memory);
    return status ? status : keep(&made, own, schedule, live, out);
}

int ws_ring_attach_beside(const ws_ring *ring, int own, const ws_schedule *schedule, int live,
                          ws_ring_reader **out)
{
    ws_ring_reader made = {0};
    int status = read_head(ws_ring_descriptor(ring), NULL, &made.view.head);
    if (status == WS_OK)
        status = ws_ring_memory_join(ws_ring_memory_of(ring), &made.memory);
    return status ? status : keep(&made, own, schedule, live, out);
}

/* ---- What there is to know. */

const ws_ring_view *ws_ring_reader_view(const ws_ring_reader *reader)
{
    return &reader->view;
}

uint32_t *ws_ring_reader_status(ws_ring_reader *reader)
{
    return &reader->status_seen;
}

const void *ws_ring_base(const ws_ring_reader *reader, size_t *bytes)
{
    *bytes = reader->view.head.base_bytes;
    return *bytes ? reader->view.at + reader->view.head.base_at : NULL;
}

uint64_t ws_ring_first_step(const ws_ring_reader *reader)
{
    return reader->view.head.first_step;
}

uint32_t ws_ring_number(const ws_ring_reader *reader)
{
    return reader->number;
}

int ws_ring_is_open(const ws_ring_reader *reader)
{
    return atomic_load_explicit(&reader->common->open, memory_order_acquire) != 0;
}

uint64_t ws_ring_step(const ws_ring_reader *reader)
{
    return atomic_load_explicit(&reader->common->step, memory_order_acquire);
}

ws_ring_state ws_ring_look(const ws_ring_reader *reader)
{
    if (atomic_load(&reader->common->ended))
        return WS_RING_ENDED;
    if (ws_ring_memory_is_held(&reader->memory, WS_RING_LIFE))
        return WS_RING_RUNS;
    /* It may have ended in order between the two looks. */
    return atomic_load(&reader->common->ended) ? WS_RING_ENDED : WS_RING_DIED;
}

uint64_t ws_ring_spilled(const ws_ring_reader *reader)
{
    return atomic_load(&reader->common->spilled);
}

int ws_ring_wish_for(ws_ring_reader *reader, const ws_schedule *schedule, int live)
{
    if (atomic_load(&reader->record->wish_seen) != atomic_load(&reader->record->wish_version))
        return 0;
    wish(reader, schedule, live);
    if (!live)
        atomic_fetch_and(&reader->common->hungry, ~((uint32_t)1 << reader->number));
    atomic_fetch_add(&reader->common->changes, 1);
    return 1;
}

/* ---- Frames. */

/* A frame as it was found, which may be gone by now. */
typedef struct sight {
    uint32_t slot;
    uint64_t word, step;
} sight;

static int is_mine(const ws_ring_reader *reader, ws_ring_slot *slot)
{
    const uint32_t number = reader->number;
    if (!(atomic_load_explicit(&slot->must, memory_order_acquire) >> number & 1))
        return 0;
    return number == WS_RING_OWN ||
           atomic_load_explicit(&slot->incarnations[number], memory_order_acquire) == reader->incarnation;
}

/* What is in a slot: 0 if there is nothing for this reader. */
static int look_into(const ws_ring_reader *reader, uint32_t number, int newest, sight *out)
{
    ws_ring_slot *slot = ws_ring_slot_of(&reader->view, number);
    const uint64_t word = atomic_load(&slot->word);
    if (!word)
        return 0;
    *out = (sight){number, word, atomic_load_explicit(&slot->step, memory_order_acquire)};
    const int wanted = newest || is_mine(reader, slot);
    return wanted && atomic_load(&slot->word) == word;
}

/* The first, or the last, frame of the steps from `from` on and before `before`. Of those that are published
 * during the look, a later one may be found and an earlier one not: so the first is looked for among older
 * ones only. */
static int find(const ws_ring_reader *reader, uint64_t from, uint64_t before, int newest, sight *out)
{
    const uint64_t last = newest ? UINT64_MAX : atomic_load(&reader->common->frames);
    sight best = {0};
    int found = 0;
    for (uint32_t i = 0; i < reader->view.head.slots; i++) {
        sight seen;
        if (!look_into(reader, i, newest, &seen) || seen.word > last || seen.step < from ||
            seen.step >= before)
            continue;
        /* A step may have been published again, for somebody who came late, with more of it. */
        if (!found || (newest ? seen.step > best.step || (seen.step == best.step && seen.word > best.word)
                              : seen.step < best.step))
            best = seen;
        found = 1;
    }
    *out = best;
    return found;
}

static int is_sound(const ws_ring_reader *reader, const void *frame, uint64_t step)
{
    const uint64_t bytes = ws_frame_head(frame)->bytes;
    return bytes <= reader->view.head.frame_bytes && ws_frame_check(frame, bytes) == WS_OK &&
           ws_frame_head(frame)->step == step;
}

/* The order of store and load is what ring.h argues with. */
static int pin(ws_ring_reader *reader, const sight *seen)
{
    atomic_store(&reader->record->pin, seen->slot + 1);
    if (atomic_load(&ws_ring_slot_of(&reader->view, seen->slot)->word) == seen->word)
        return 1;
    ws_ring_release(reader);
    return 0;
}

static const void *take(ws_ring_reader *reader, uint64_t after, int newest)
{
    uint64_t from = ws_ring_first_undone(after), before = WS_RING_NO_STEP;
    sight seen;
    ws_ring_release(reader);
    while (find(reader, from, before, newest, &seen)) {
        if (!pin(reader, &seen))
            continue; /* the writer was faster, and has made progress */
        const void *frame = ws_ring_frame_of(&reader->view, seen.slot);
        if (is_sound(reader, frame, seen.step))
            return frame;
        ws_ring_release(reader);
        if (newest)
            before = seen.step;
        else
            from = seen.step + 1;
    }
    return NULL;
}

const void *ws_ring_take_next(ws_ring_reader *reader, uint64_t after)
{
    return take(reader, after, 0);
}

const void *ws_ring_take_newest(ws_ring_reader *reader, uint64_t after)
{
    const uint32_t me = (uint32_t)1 << reader->number;
    const void *frame = take(reader, after, 1);
    if (frame)
        return frame;
    /* Told first, then looked again: a frame that came in between would take the hunger away unseen. */
    atomic_fetch_or(&reader->common->hungry, me);
    frame = take(reader, after, 1);
    if (frame)
        atomic_fetch_and(&reader->common->hungry, ~me);
    return frame;
}

void ws_ring_release(ws_ring_reader *reader)
{
    atomic_store_explicit(&reader->record->pin, 0, memory_order_release);
}

/* ---- What a reader tells. */

void ws_ring_at(ws_ring_reader *reader, uint64_t step)
{
    atomic_store(&reader->record->at, step);
}

void ws_ring_done(ws_ring_reader *reader, uint64_t step)
{
    ws_ring_raise(&reader->record->undone, ws_ring_first_undone(step));
    atomic_store(&reader->record->at, WS_RING_NO_STEP);
}

uint64_t ws_ring_done_step(const ws_ring_reader *reader)
{
    return ws_ring_last_done(atomic_load(&reader->record->undone));
}

void ws_ring_beat(ws_ring_reader *reader)
{
    atomic_fetch_add(&reader->record->beat, 1);
}

void ws_ring_count(ws_ring_reader *reader, const ws_ring_counts *counts)
{
    atomic_store(&reader->record->images_written, counts->images_written);
    atomic_store(&reader->record->images_expected, counts->images_expected);
    atomic_store(&reader->record->script_failures, counts->script_failures);
}

/* How much of a line fits, no character of UTF-8 cut in two. */
static size_t fitting(const char *line)
{
    size_t length = strnlen(line, WS_RING_LINE);
    if (length == WS_RING_LINE) {
        length--;
        while (length > 0 && ((unsigned char)line[length] & 0xc0) == 0x80)
            length--;
    }
    return length;
}

void ws_ring_tell(ws_ring_reader *reader, ws_log_level level, const char *line)
{
    ws_ring_record *record = reader->record;
    const int64_t place = ws_ring_free_place(&record->told, &record->heard);
    if (place < 0)
        return;
    ws_ring_line_slot *to = &record->lines[place % WS_RING_LINES];
    const size_t length = fitting(line);
    to->level = level;
    memcpy(to->text, line, length);
    to->text[length] = '\0';
    ws_ring_pass_place(&record->told, place);
}

/* ---- Leaving. */

void ws_ring_abandon(ws_ring_reader *reader)
{
    ws_ring_memory_close(&reader->memory);
    free(reader);
}

void ws_ring_detach(ws_ring_reader *reader)
{
    if (!reader)
        return;
    ws_ring_record *record = reader->record;
    ws_ring_release(reader);
    atomic_store(&record->held, 0);
    atomic_store(&record->live, 0);
    atomic_store(&record->at, WS_RING_NO_STEP);
    atomic_fetch_and(&reader->common->hungry, ~((uint32_t)1 << reader->number));
    atomic_store(&record->state, ws_ring_state_of(reader->incarnation, WS_RING_FREE));
    atomic_fetch_add(&reader->common->changes, 1);
    ws_ring_abandon(reader);
}
