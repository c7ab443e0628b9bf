/* SPDX-License-Identifier: BSD-3-Clause */
/* How the shared memory of a ring is laid out; what the writer (ring.c) and the readers (ring_reader.c)
 * share. C only.
 *
 *     ws_ring_head       never changes
 *     ws_ring_common     what concerns all
 *     ws_ring_record     one per reader
 *     ws_ring_slot       one per slot
 *     base               a frame
 *     frames             one per slot
 *
 * Everything begins at a multiple of 64 bytes. Magic and version stay where they are in every version.
 * Nothing that the other side may have written is used as an index or a size without a check. */
#ifndef WEIGHTSCAPE_RING_LAYOUT_H
#define WEIGHTSCAPE_RING_LAYOUT_H

#include "ring.h"
#include "ring_memory.h"
#include <stdatomic.h>
#include <string.h>

#define WS_RING_MAGIC       "WSRING\n"
#define WS_RING_LEAST_SLOTS 3
#define WS_RING_MOST_SLOTS  64
#define WS_RING_MOST_BYTES  ((uint64_t)1 << 48) /* of one frame: products with it do not overflow */
#define WS_RING_LINES       16
#define WS_RING_NO_STEP     UINT64_MAX
#define WS_RING_LIFE        WS_RING_READERS /* byte that the writer's lock is on; reader r's is on byte r */

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2,
               "a lock inside an atomic would not reach other processes");
_Static_assert(sizeof(ws_schedule) % sizeof(uint64_t) == 0, "schedules are copied word by word");

typedef struct ws_ring_head {
    char magic[8];
    uint32_t version;
    uint32_t head_bytes, common_bytes, record_bytes, slot_bytes; /* of the structures here */
    uint32_t readers;
    uint32_t slots;
    uint32_t reserved;
    uint64_t total_bytes;
    uint64_t first_step;
    uint64_t frame_bytes, base_bytes;
    uint64_t common_at, records_at, slots_at, base_at, frames_at, frame_stride;
    uint8_t id[WS_RING_ID_SIZE];
} ws_ring_head;

typedef struct ws_ring_common {
    _Atomic uint64_t step;
    _Atomic uint64_t spilled;
    _Atomic uint64_t share;  /* bits of a double */
    _Atomic uint64_t frames; /* number of the last one, raised before it can be found */
    _Atomic uint32_t changes;
    _Atomic uint32_t hungry;
    _Atomic uint32_t open;
    _Atomic uint32_t ended;
    _Atomic uint32_t status_version; /* odd while the writer writes */
    _Atomic uint64_t status[WS_STATUS_BYTES / sizeof(uint64_t)];
} ws_ring_common;

/* What a record is used for: the two low bits of its state. The others count its users (incarnations). */
enum { WS_RING_FREE, WS_RING_CLAIMED, WS_RING_ATTACHED, WS_RING_REAPED, WS_RING_PHASES };

typedef struct ws_ring_line_slot {
    uint32_t level;
    char text[WS_RING_LINE];
} ws_ring_line_slot;

typedef struct ws_ring_command {
    char name[WS_COMMAND_NAME], value[WS_COMMAND_VALUE];
} ws_ring_command;

typedef struct ws_ring_record {
    _Atomic uint32_t state;
    _Atomic uint32_t pin; /* slot + 1, or 0 */
    _Atomic uint32_t live;
    _Atomic uint32_t wish_version, wish_seen; /* the buffer in force is wishes[version % 2] */
    _Atomic uint32_t told, heard;             /* lines so far */
    _Atomic uint32_t asked, answered;         /* commands so far */
    _Atomic uint32_t held;                    /* by this process; 0: not */
    _Atomic uint64_t undone, at, beat;        /* undone: the first step that is not done */
    _Atomic uint64_t images_written, images_expected, script_failures;
    _Atomic uint64_t dropped; /* the writer's */
    /* Atomic words: readers that come and go fast may overwrite what the writer still reads, which it
     * notices. */
    _Atomic uint64_t wishes[2][sizeof(ws_schedule) / sizeof(uint64_t)];
    ws_ring_line_slot lines[WS_RING_LINES];
    ws_ring_command commands[WS_RING_LINES];
} ws_ring_record;

/* All of it is the writer's. */
typedef struct ws_ring_slot {
    _Atomic uint64_t word; /* number of the frame, or 0: hidden */
    _Atomic uint64_t step;
    _Atomic uint32_t must;
    _Atomic uint32_t
        incarnations[WS_RING_READERS]; /* of the readers that were attached at publication, 0: none was */
} ws_ring_slot;

/* A ring in this process: its head is a checked copy that no other process can change. */
typedef struct ws_ring_view {
    ws_ring_head head;
    char *at;
} ws_ring_view;

static inline uint32_t ws_ring_phase(uint32_t state)
{
    return state % WS_RING_PHASES;
}

static inline uint32_t ws_ring_incarnation(uint32_t state)
{
    return state / WS_RING_PHASES;
}

static inline uint32_t ws_ring_state_of(uint32_t incarnation, uint32_t phase)
{
    return incarnation * WS_RING_PHASES + phase;
}

/* Readers that can be attached at a time, the own one included. */
static inline uint32_t ws_ring_places(uint32_t slots)
{
    return slots - 1 < WS_RING_READERS ? slots - 1 : WS_RING_READERS;
}

static inline ws_ring_common *ws_ring_common_of(const ws_ring_view *view)
{
    return (ws_ring_common *)(view->at + view->head.common_at);
}

static inline ws_ring_record *ws_ring_record_of(const ws_ring_view *view, uint32_t reader)
{
    return (ws_ring_record *)(view->at + view->head.records_at + reader * view->head.record_bytes);
}

static inline ws_ring_slot *ws_ring_slot_of(const ws_ring_view *view, uint32_t slot)
{
    return (ws_ring_slot *)(view->at + view->head.slots_at + slot * view->head.slot_bytes);
}

static inline void *ws_ring_frame_of(const ws_ring_view *view, uint32_t slot)
{
    return view->at + view->head.frames_at + slot * view->head.frame_stride;
}

static inline uint64_t ws_ring_aligned(uint64_t bytes)
{
    return (bytes + WS_FRAME_ALIGNMENT - 1) / WS_FRAME_ALIGNMENT * WS_FRAME_ALIGNMENT;
}

/* The only head that a ring of this version with these numbers can have; they are within their limits. */
static inline ws_ring_head ws_ring_head_for(uint32_t slots, uint64_t frame_bytes, uint64_t base_bytes)
{
    ws_ring_head head = {.magic = WS_RING_MAGIC,
                         .version = WS_RING_VERSION,
                         .head_bytes = sizeof(ws_ring_head),
                         .common_bytes = sizeof(ws_ring_common),
                         .record_bytes = (uint32_t)ws_ring_aligned(sizeof(ws_ring_record)),
                         .slot_bytes = (uint32_t)ws_ring_aligned(sizeof(ws_ring_slot)),
                         .readers = WS_RING_READERS,
                         .slots = slots,
                         .frame_bytes = frame_bytes,
                         .base_bytes = base_bytes,
                         .frame_stride = ws_ring_aligned(frame_bytes)};
    head.common_at = ws_ring_aligned(head.head_bytes);
    head.records_at = ws_ring_aligned(head.common_at + head.common_bytes);
    head.slots_at = head.records_at + (uint64_t)head.readers * head.record_bytes;
    head.base_at = head.slots_at + (uint64_t)head.slots * head.slot_bytes;
    head.frames_at = ws_ring_aligned(head.base_at + head.base_bytes);
    head.total_bytes = head.frames_at + head.slots * head.frame_stride;
    return head;
}

/* "All up to `done`" as the first step that is not, and back; no step is done when `done` is WS_RING_NO_STEP.
 */
static inline uint64_t ws_ring_first_undone(uint64_t done)
{
    return done + 1;
}

static inline uint64_t ws_ring_last_done(uint64_t undone)
{
    return undone - 1;
}

/* Raises *word to `value` if it is less: done steps are never undone, whoever is late. */
static inline void ws_ring_raise(_Atomic uint64_t *word, uint64_t value)
{
    uint64_t now = atomic_load(word);
    while (now < value && !atomic_compare_exchange_weak(word, &now, value))
        continue;
}

/* Two queues of WS_RING_LINES places lie in each record, for lines and for commands: the reader fills the
 * place and raises `put` (release), the writer copies it and raises `taken` (release); each loads the other's
 * word (acquire) before it touches a place. */

/* The reader's: the number of the place that is free next, or -1. */
static inline int64_t ws_ring_free_place(_Atomic uint32_t *put, _Atomic uint32_t *taken)
{
    const uint32_t next = atomic_load_explicit(put, memory_order_relaxed);
    return next - atomic_load_explicit(taken, memory_order_acquire) < WS_RING_LINES ? (int64_t)next : -1;
}

/* The writer's: the number of the place that was filled first, or -1. */
static inline int64_t ws_ring_filled_place(_Atomic uint32_t *put, _Atomic uint32_t *taken)
{
    const uint32_t end = atomic_load_explicit(put, memory_order_acquire);
    const uint32_t next = atomic_load_explicit(taken, memory_order_relaxed);
    if (end - next <= WS_RING_LINES)
        return end != next ? (int64_t)next : -1;
    atomic_store_explicit(taken, end, memory_order_release); /* no reader of ours did that */
    return -1;
}

/* Either's: place `number` is filled, or was copied. */
static inline void ws_ring_pass_place(_Atomic uint32_t *word, int64_t number)
{
    atomic_store_explicit(word, (uint32_t)number + 1, memory_order_release);
}

/* The writer's view of the ring, and a reader's record and view. Borrowed. */
const ws_ring_view *ws_ring_view_of(const ws_ring *ring);
const ws_ring_view *ws_ring_reader_view(const ws_ring_reader *reader);
/* The version of the status that a reader has seen last. */
uint32_t *ws_ring_reader_status(ws_ring_reader *reader);

/* The writer's memory. Borrowed. */
const ws_ring_memory *ws_ring_memory_of(const ws_ring *ring);

/* ws_ring_attach for a thread of the writer's process, which uses the writer's mapping and ends before it: so
 * that the thread sanitizer sees both sides at the same addresses. */
int ws_ring_attach_beside(const ws_ring *ring, int own, const ws_schedule *schedule, int live,
                          ws_ring_reader **out);

/* Frees a reader as a sudden death of its process would: the shared memory stays as it is. For tests. */
void ws_ring_abandon(ws_ring_reader *reader);

#endif
