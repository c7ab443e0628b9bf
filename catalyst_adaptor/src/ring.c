/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring.h"
#include "ring_layout.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BYTES   ((size_t)32 << 20)
#define WISH_TRIES      4
#define FOLDER_VARIABLE "WEIGHTSCAPE_RING_FOLDER"
#define FIRST_PRINTABLE 0x20
#define DELETE          0x7f

/* What the writer knows of a slot, whatever others do to the shared memory. */
typedef struct slot_note {
    uint64_t word; /* number of the frame, 0: none yet */
    uint64_t step;
    uint32_t must;
    uint32_t safe;    /* readers for whom it is safe elsewhere */
    uint32_t counted; /* readers for whom it was counted as dropped */
    uint32_t incarnations[WS_RING_READERS];
} slot_note;

struct ws_ring {
    ws_ring_view view;
    ws_ring_memory memory;
    slot_note notes[WS_RING_MOST_SLOTS];
    ws_schedule promise;
    ws_ring_wish known[WS_RING_READERS]; /* what was last read of their wishes */
    uint64_t frames;                     /* published so far */
    size_t room;                         /* bytes of each frame that there is memory for */
    int writing;                         /* slot, -1: none */
};

static uint32_t bit(uint32_t reader)
{
    return (uint32_t)1 << reader;
}

static uint32_t places(const ws_ring *ring)
{
    return ws_ring_places(ring->view.head.slots);
}

/* ---- Making it. */

static int check_options(const ws_ring_options *options)
{
    if (options->frame_bytes < sizeof(ws_frame_header) || options->frame_bytes > WS_RING_MOST_BYTES)
        return ws_fail(WS_BAD_ARGUMENT, "ring: frames of %zu bytes, they have %zu to %llu",
                       options->frame_bytes, sizeof(ws_frame_header), (unsigned long long)WS_RING_MOST_BYTES);
    if (options->usual_bytes > options->frame_bytes)
        return ws_fail(WS_BAD_ARGUMENT, "ring: usual frames of %zu bytes, the largest have %zu",
                       options->usual_bytes, options->frame_bytes);
    if (options->base_bytes > WS_RING_MOST_BYTES)
        return ws_fail(WS_BAD_ARGUMENT, "ring: a base of %zu bytes, at most %llu are possible",
                       options->base_bytes, (unsigned long long)WS_RING_MOST_BYTES);
    return options->base_bytes ? ws_frame_check(options->base, options->base_bytes) : WS_OK;
}

static uint32_t most_slots(const ws_ring_options *options)
{
    const size_t most = options->most_bytes ? options->most_bytes : DEFAULT_BYTES;
    const uint64_t fit = most / ws_ring_aligned(options->frame_bytes);
    return fit < WS_RING_LEAST_SLOTS  ? WS_RING_LEAST_SLOTS
           : fit > WS_RING_MOST_SLOTS ? WS_RING_MOST_SLOTS
                                      : (uint32_t)fit;
}

/* Everything before the frames, and of each frame as much as is usual. */
static int make_memory(ws_ring *ring, const char *folder)
{
    const ws_ring_head *head = &ring->view.head;
    ws_ring_part parts[1 + WS_RING_MOST_SLOTS] = {{0, head->frames_at}};
    for (uint32_t i = 0; i < head->slots; i++)
        parts[1 + i] = (ws_ring_part){head->frames_at + i * head->frame_stride, ring->room};
    return ws_ring_memory_make_parts(head->total_bytes, parts, 1 + head->slots, folder, &ring->memory);
}

/* As many slots as can be had there, half as many at each try. */
static int find_room(const ws_ring_options *options, const char *folder, ws_ring *ring)
{
    uint32_t slots = most_slots(options);
    for (;;) {
        ring->view.head = ws_ring_head_for(slots, options->frame_bytes, options->base_bytes);
        const int status = make_memory(ring, folder);
        if (status == WS_OK || slots == WS_RING_LEAST_SLOTS)
            return status;
        slots = slots / 2 > WS_RING_LEAST_SLOTS ? slots / 2 : WS_RING_LEAST_SLOTS;
    }
}

static int find_place(const ws_ring_options *options, ws_ring *ring)
{
    const char *named = getenv(FOLDER_VARIABLE);
    if (named && *named)
        return find_room(options, named, ring);
    const int status = find_room(options, NULL, ring);
    if (status == WS_OK || !options->folder)
        return status;
    char why[WS_MESSAGE_SIZE];
    snprintf(why, sizeof why, "%s", ws_message());
    return find_room(options, options->folder, ring) ? ws_fail(WS_IO_FAILED, "%s; %s", why, ws_message())
                                                     : WS_OK;
}

static int give_sign_of_life(ws_ring *ring)
{
    const int held = ws_ring_memory_hold(&ring->memory, WS_RING_LIFE);
    return held == 0 ? ws_fail(WS_IO_FAILED, "ring: somebody else holds the lock of new memory") : held;
}

static void fill(ws_ring *ring, const ws_ring_options *options)
{
    ws_ring_view *view = &ring->view;
    view->at = ring->memory.at;
    view->head.first_step = options->first_step;
    memcpy(view->head.id, options->id, sizeof options->id);
    memcpy(view->at, &view->head, sizeof view->head);
    if (options->base_bytes)
        memcpy(view->at + view->head.base_at, options->base, options->base_bytes);
    for (uint32_t i = 0; i < WS_RING_READERS; i++)
        atomic_store(&ws_ring_record_of(view, i)->at, WS_RING_NO_STEP);
    atomic_store(&ws_ring_common_of(view)->step, options->first_step);
    ring->writing = -1;
}

int ws_ring_create(const ws_ring_options *options, ws_ring **out)
{
    int status = check_options(options);
    if (status)
        return status;
    ws_ring *ring = calloc(1, sizeof *ring);
    if (!ring)
        return ws_fail(WS_NO_MEMORY, "ring: no memory for %zu bytes", sizeof *ring);
    ring->room = options->usual_bytes ? options->usual_bytes : ws_ring_aligned(options->frame_bytes);
    status = find_place(options, ring);
    if (status) {
        free(ring);
        return status;
    }
    status = give_sign_of_life(ring);
    if (status < 0) {
        ws_ring_free(ring);
        return status;
    }
    fill(ring, options);
    *out = ring;
    return WS_OK;
}

int ws_ring_descriptor(const ws_ring *ring)
{
    return ring->memory.descriptor;
}

uint32_t ws_ring_slots(const ws_ring *ring)
{
    return ring->view.head.slots;
}

int ws_ring_is_file(const ws_ring *ring)
{
    return ring->memory.is_file;
}

size_t ws_ring_frame_bytes(const ws_ring *ring)
{
    return ring->view.head.frame_bytes;
}

size_t ws_ring_room(const ws_ring *ring)
{
    return ring->room;
}

int ws_ring_complete(ws_ring *ring)
{
    const size_t all = ws_ring_aligned(ring->view.head.frame_bytes);
    const int status = ring->room < all ? ws_ring_memory_complete(&ring->memory) : WS_OK;
    if (status == WS_OK)
        ring->room = all;
    return status;
}

const ws_ring_view *ws_ring_view_of(const ws_ring *ring)
{
    return &ring->view;
}

const ws_ring_memory *ws_ring_memory_of(const ws_ring *ring)
{
    return &ring->memory;
}

/* ---- Who has seen what. */

static int is_there(const slot_note *note, uint32_t reader, uint32_t state)
{
    return ws_ring_phase(state) == WS_RING_ATTACHED &&
           ws_ring_incarnation(state) == note->incarnations[reader];
}

/* Whether a reader concerns this frame and is not yet past it. */
static int is_behind(const ws_ring *ring, const slot_note *note, uint32_t reader, int whoever_serves)
{
    ws_ring_record *record = ws_ring_record_of(&ring->view, reader);
    if (!whoever_serves && !is_there(note, reader, atomic_load(&record->state)))
        return 0;
    return atomic_load(&record->undone) <= note->step;
}

/* Readers that must see the frame and have not. */
static uint32_t unseen(const ws_ring *ring, const slot_note *note)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < places(ring); i++)
        if (note->must & bit(i) && is_behind(ring, note, i, i == WS_RING_OWN))
            found |= bit(i);
    return found;
}

/* Readers for whom the frame is news that they have not seen. */
static uint32_t uninformed(const ws_ring *ring, const slot_note *note)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < places(ring); i++)
        if (!(note->must & bit(i)) && atomic_load(&ws_ring_record_of(&ring->view, i)->live) &&
            is_behind(ring, note, i, 0))
            found |= bit(i);
    return found;
}

/* Gives a frame away if somebody must see it and it is safe nowhere. */
static void make_safe(ws_ring *ring, uint32_t slot, ws_ring_spill *spill, void *context)
{
    slot_note *note = &ring->notes[slot];
    const uint32_t readers = note->word ? unseen(ring, note) & ~note->safe : 0;
    if (!readers || !spill)
        return;
    /* A process that looks at a ring can write into it: what is no frame any more is lost. */
    const void *frame = ws_ring_frame_of(&ring->view, slot);
    const uint64_t bytes = ws_frame_head(frame)->bytes;
    const int is_sound = bytes <= ring->view.head.frame_bytes && ws_frame_check(frame, bytes) == WS_OK;
    if (is_sound && spill(context, frame, readers) == 0)
        note->safe |= readers;
    atomic_fetch_add(&ws_ring_common_of(&ring->view)->spilled, 1);
}

static void count_dropped(ws_ring *ring, slot_note *note, uint32_t readers)
{
    readers &= ~note->counted;
    note->counted |= readers;
    for (uint32_t i = 0; i < places(ring); i++)
        if (readers & bit(i))
            atomic_fetch_add(&ws_ring_record_of(&ring->view, i)->dropped, 1);
}

/* ---- Finding a slot. */

/* Slots that somebody looks at, a bit each. */
static uint64_t pinned(const ws_ring *ring)
{
    uint64_t found = 0;
    for (uint32_t i = 0; i < places(ring); i++) {
        const uint32_t pin = atomic_load(&ws_ring_record_of(&ring->view, i)->pin);
        if (pin >= 1 && pin <= ring->view.head.slots)
            found |= (uint64_t)1 << (pin - 1);
    }
    return found;
}

/* The slot of the oldest frame in a set of slots; -1 if the set is empty. */
static int oldest(const ws_ring *ring, uint64_t among)
{
    int found = -1;
    for (uint32_t i = 0; i < ring->view.head.slots; i++)
        if (among >> i & 1 && (found < 0 || ring->notes[i].word < ring->notes[found].word))
            found = (int)i;
    return found;
}

static uint64_t all_slots(const ws_ring *ring)
{
    return UINT64_MAX >> (WS_RING_MOST_SLOTS - ring->view.head.slots);
}

/* The slots of a frame and of all older ones. */
static uint64_t slots_up_to(const ws_ring *ring, uint32_t slot)
{
    uint64_t found = 0;
    for (uint32_t i = 0; i < WS_RING_MOST_SLOTS; i++)
        found |= (uint64_t)(ring->notes[i].word <= ring->notes[slot].word) << i;
    return found & all_slots(ring);
}

/* Gives away what must not be lost of a set of slots, the oldest first. */
static void make_all_safe(ws_ring *ring, uint64_t slots, ws_ring_spill *spill, void *context)
{
    for (int slot = oldest(ring, slots); slot >= 0; slot = oldest(ring, slots)) {
        make_safe(ring, (uint32_t)slot, spill, context);
        slots &= ~((uint64_t)1 << slot);
    }
}

static void hide(ws_ring *ring, uint32_t slot)
{
    atomic_store(&ws_ring_slot_of(&ring->view, slot)->word, 0);
}

/* Shows frames again that turned out to be looked at. Who passed one meanwhile has missed it, unless it is
 * safe. */
static void show_again(ws_ring *ring, uint64_t slots)
{
    for (uint32_t i = 0; i < ring->view.head.slots; i++) {
        slot_note *note = &ring->notes[i];
        if (!(slots >> i & 1) || !note->word)
            continue;
        count_dropped(ring, note, unseen(ring, note) & ~note->safe);
        atomic_store(&ws_ring_slot_of(&ring->view, i)->word, note->word);
    }
}

static uint32_t find_slot(ws_ring *ring, ws_ring_spill *spill, void *context)
{
    uint64_t hidden = 0;
    for (;;) {
        const uint64_t free_slots = all_slots(ring) & ~pinned(ring);
        const int found = oldest(ring, hidden & free_slots);
        if (found >= 0) {
            show_again(ring, hidden & ~((uint64_t)1 << found));
            return (uint32_t)found;
        }
        /* Never -1: there are fewer readers than slots. */
        const uint32_t next = (uint32_t)oldest(ring, free_slots & ~hidden);
        /* Older ones, which are looked at, would come too late afterwards: who looks may let go of one
         * undone. */
        make_all_safe(ring, slots_up_to(ring, next), spill, context);
        hide(ring, next);
        hidden |= (uint64_t)1 << next;
    }
}

void *ws_ring_begin(ws_ring *ring, ws_ring_spill *spill, void *context)
{
    if (ring->writing < 0) {
        ring->writing = (int)find_slot(ring, spill, context);
        slot_note *note = &ring->notes[ring->writing];
        if (note->word)
            count_dropped(ring, note, (unseen(ring, note) & ~note->safe) | uninformed(ring, note));
        *note = (slot_note){0};
    }
    return ws_ring_frame_of(&ring->view, (uint32_t)ring->writing);
}

void ws_ring_publish(ws_ring *ring, uint32_t must)
{
    if (ring->writing < 0)
        return;
    const uint32_t slot = (uint32_t)ring->writing;
    ws_ring_slot *shared = ws_ring_slot_of(&ring->view, slot);
    slot_note *note = &ring->notes[slot];
    *note = (slot_note){.word = ++ring->frames,
                        .step = ws_frame_head(ws_ring_frame_of(&ring->view, slot))->step,
                        .must = must};
    for (uint32_t i = 0; i < places(ring); i++) {
        const uint32_t state = atomic_load(&ws_ring_record_of(&ring->view, i)->state);
        if (ws_ring_phase(state) == WS_RING_ATTACHED)
            note->incarnations[i] = ws_ring_incarnation(state);
        atomic_store_explicit(&shared->incarnations[i], note->incarnations[i], memory_order_release);
    }
    atomic_store_explicit(&shared->step, note->step, memory_order_release);
    atomic_store_explicit(&shared->must, must, memory_order_release);
    atomic_store(&ws_ring_common_of(&ring->view)->frames, note->word);
    atomic_store(&shared->word, note->word);
    atomic_store(&ws_ring_common_of(&ring->view)->hungry, 0);
    ring->writing = -1;
}

void ws_ring_flush(ws_ring *ring, ws_ring_spill *spill, void *context)
{
    make_all_safe(ring, all_slots(ring), spill, context);
}

/* ---- What is told, and what is wished. */

void ws_ring_promise(ws_ring *ring, const ws_schedule *schedule, uint64_t done)
{
    ring->promise = ws_schedule_is_sound(schedule) ? *schedule : (ws_schedule){0};
    ws_ring_raise(&ws_ring_record_of(&ring->view, WS_RING_OWN)->undone, ws_ring_first_undone(done));
    atomic_fetch_add(&ws_ring_common_of(&ring->view)->changes, 1);
}

void ws_ring_open(ws_ring *ring, const void *base)
{
    memcpy(ring->view.at + ring->view.head.base_at, base, ring->view.head.base_bytes);
    atomic_store_explicit(&ws_ring_common_of(&ring->view)->open, 1, memory_order_release);
}

void ws_ring_tell_step(ws_ring *ring, uint64_t step)
{
    atomic_store_explicit(&ws_ring_common_of(&ring->view)->step, step, memory_order_release);
}

uint32_t ws_ring_changes(const ws_ring *ring)
{
    return atomic_load_explicit(&ws_ring_common_of(&ring->view)->changes, memory_order_acquire);
}

static void copy_schedule(_Atomic uint64_t *from, ws_schedule *out)
{
    uint64_t words[sizeof *out / sizeof(uint64_t)];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        words[i] = atomic_load_explicit(&from[i], memory_order_acquire);
    memcpy(out, words, sizeof *out);
}

/* 1 unless the reader was replaced meanwhile; it raises `changes` afterwards, so that it will be looked at
 * again. */
static int read_wish(ws_ring_record *record, ws_ring_wish *out)
{
    const uint32_t state = atomic_load(&record->state);
    const uint32_t version = atomic_load(&record->wish_version);
    *out = (ws_ring_wish){.attached = ws_ring_phase(state) == WS_RING_ATTACHED};
    if (out->attached) {
        out->live = atomic_load(&record->live) != 0;
        copy_schedule(record->wishes[version % 2], &out->schedule);
        if (!ws_schedule_is_sound(&out->schedule))
            out->schedule = (ws_schedule){0};
    }
    if (atomic_load(&record->wish_version) != version || atomic_load(&record->state) != state)
        return 0;
    atomic_store(&record->wish_seen, version);
    return 1;
}

void ws_ring_wishes(ws_ring *ring, uint32_t reader, ws_ring_wish *out)
{
    ws_ring_record *record = ws_ring_record_of(&ring->view, reader);
    ws_ring_wish found;
    for (int i = 0; i < WISH_TRIES; i++)
        if (read_wish(record, &found)) {
            ring->known[reader] = found;
            break;
        }
    *out = ring->known[reader];
    out->done = ws_ring_last_done(atomic_load(&record->undone));
    if (reader == WS_RING_OWN)
        ws_schedule_join(&out->schedule, &ring->promise);
}

uint32_t ws_ring_hungry(const ws_ring *ring)
{
    return atomic_load_explicit(&ws_ring_common_of(&ring->view)->hungry, memory_order_acquire) &
           (bit(places(ring)) - 1);
}

void ws_ring_progress_of(const ws_ring *ring, uint32_t reader, ws_ring_progress *out)
{
    ws_ring_record *record = ws_ring_record_of(&ring->view, reader);
    out->done = ws_ring_last_done(atomic_load(&record->undone));
    out->at = atomic_load(&record->at);
    out->beat = atomic_load(&record->beat);
    out->counts.images_written = atomic_load(&record->images_written);
    out->counts.images_expected = atomic_load(&record->images_expected);
    out->counts.script_failures = atomic_load(&record->script_failures);
}

static void clean_line(char *line)
{
    line[WS_RING_LINE - 1] = '\0';
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < FIRST_PRINTABLE || *c == DELETE)
            *c = '?';
}

int ws_ring_hear(ws_ring *ring, uint32_t reader, ws_log_level *level, char line[WS_RING_LINE])
{
    ws_ring_record *record = ws_ring_record_of(&ring->view, reader);
    const int64_t place = ws_ring_filled_place(&record->told, &record->heard);
    if (place < 0)
        return 0;
    const ws_ring_line_slot *from = &record->lines[place % WS_RING_LINES];
    *level = from->level <= WS_LOG_ERROR ? (ws_log_level)from->level : WS_LOG_ERROR;
    memcpy(line, from->text, WS_RING_LINE);
    clean_line(line);
    ws_ring_pass_place(&record->heard, place);
    return 1;
}

/* ---- Ends. */

/* Frees the record of a reader that has died: 1 if it has. */
static int bury(ws_ring *ring, uint32_t reader)
{
    ws_ring_record *record = ws_ring_record_of(&ring->view, reader);
    uint32_t state = atomic_load(&record->state);
    if (ws_ring_phase(state) == WS_RING_FREE || ws_ring_memory_is_held(&ring->memory, (int)reader))
        return 0;
    const uint32_t incarnation = ws_ring_incarnation(state);
    /* It may have left in order, and another come, since its state was looked at. */
    if (!atomic_compare_exchange_strong(&record->state, &state,
                                        ws_ring_state_of(incarnation, WS_RING_REAPED)))
        return 0;
    ws_ring_common *common = ws_ring_common_of(&ring->view);
    atomic_store(&record->pin, 0);
    atomic_store(&record->live, 0);
    atomic_store(&record->held, 0);
    atomic_store(&record->at, WS_RING_NO_STEP);
    /* Its successor counts from nothing; the writer has read the counts of one that has died. */
    atomic_store(&record->images_written, 0);
    atomic_store(&record->images_expected, 0);
    atomic_store(&record->script_failures, 0);
    atomic_fetch_and(&common->hungry, ~bit(reader));
    atomic_store(&record->state, ws_ring_state_of(incarnation, WS_RING_FREE));
    atomic_fetch_add(&common->changes, 1);
    return 1;
}

uint32_t ws_ring_reap(ws_ring *ring)
{
    uint32_t dead = 0;
    for (uint32_t i = 0; i < places(ring); i++)
        if (bury(ring, i))
            dead |= bit(i);
    return dead;
}

void ws_ring_skip(ws_ring *ring, uint64_t step)
{
    ws_ring_raise(&ws_ring_record_of(&ring->view, WS_RING_OWN)->undone, ws_ring_first_undone(step));
}

uint64_t ws_ring_dropped(const ws_ring *ring, uint32_t reader)
{
    return atomic_load(&ws_ring_record_of(&ring->view, reader)->dropped);
}

void ws_ring_end(ws_ring *ring)
{
    atomic_store(&ws_ring_common_of(&ring->view)->ended, 1);
}

void ws_ring_free(ws_ring *ring)
{
    if (!ring)
        return;
    ws_ring_memory_close(&ring->memory);
    free(ring);
}
