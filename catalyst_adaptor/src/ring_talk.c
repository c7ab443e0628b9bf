/* SPDX-License-Identifier: BSD-3-Clause */
/* What readers ask of the writer, and what it tells them of itself. */
#include "ring_layout.h"
#include <unistd.h>

#define STATUS_TRIES 100 /* a writer that is written over and over is read the next time */

/* ---- Commands: a queue in each reader's record, as for lines. */

int ws_ring_ask(ws_ring_reader *reader, const char *name, const char *value)
{
    ws_ring_record *record = ws_ring_record_of(ws_ring_reader_view(reader), ws_ring_number(reader));
    const int64_t place = ws_ring_free_place(&record->asked, &record->answered);
    if (place < 0)
        return 0;
    ws_ring_command *to = &record->commands[place % WS_RING_LINES];
    memset(to, 0, sizeof *to);
    memcpy(to->name, name, strnlen(name, sizeof to->name - 1));
    memcpy(to->value, value, strnlen(value, sizeof to->value - 1));
    ws_ring_pass_place(&record->asked, place);
    return 1;
}

int ws_ring_asked(ws_ring *ring, uint32_t reader, char name[WS_COMMAND_NAME], char value[WS_COMMAND_VALUE])
{
    ws_ring_record *record = ws_ring_record_of(ws_ring_view_of(ring), reader);
    const int64_t place = ws_ring_filled_place(&record->asked, &record->answered);
    if (place < 0)
        return 0;
    const ws_ring_command *from = &record->commands[place % WS_RING_LINES];
    memcpy(name, from->name, WS_COMMAND_NAME);
    memcpy(value, from->value, WS_COMMAND_VALUE);
    name[WS_COMMAND_NAME - 1] = value[WS_COMMAND_VALUE - 1] = '\0';
    ws_ring_pass_place(&record->answered, place);
    return 1;
}

/* ---- The share of the time. */

void ws_ring_tell_share(ws_ring *ring, double share)
{
    uint64_t bits;
    memcpy(&bits, &share, sizeof bits);
    atomic_store_explicit(&ws_ring_common_of(ws_ring_view_of(ring))->share, bits, memory_order_relaxed);
}

double ws_ring_share(const ws_ring_reader *reader)
{
    const uint64_t bits =
        atomic_load_explicit(&ws_ring_common_of(ws_ring_reader_view(reader))->share, memory_order_relaxed);
    double share;
    memcpy(&share, &bits, sizeof share);
    return share > 0 && share < 1 ? share : 1;
}

/* ---- Rest. */

void ws_ring_hold(ws_ring_reader *reader, int is_held)
{
    ws_ring_record *record = ws_ring_record_of(ws_ring_reader_view(reader), ws_ring_number(reader));
    atomic_store(&record->held, is_held ? (uint32_t)getpid() : 0);
}

uint32_t ws_ring_held_by(const ws_ring *ring, uint32_t reader)
{
    ws_ring_record *record = ws_ring_record_of(ws_ring_view_of(ring), reader);
    return ws_ring_phase(atomic_load(&record->state)) == WS_RING_ATTACHED ? atomic_load(&record->held) : 0;
}

/* ---- Status: the version is odd while the words are written, so that a reader which has seen the same even
 * version before and after has one text. A word of a later text carries its odd version along (release and
 * acquire). A writer that dies in between leaves the last text unreadable, and that is all. */

void ws_ring_tell_status(ws_ring *ring, const char *text)
{
    ws_ring_common *common = ws_ring_common_of(ws_ring_view_of(ring));
    uint64_t words[WS_STATUS_BYTES / sizeof(uint64_t)] = {0};
    const size_t length = strnlen(text, WS_STATUS_BYTES);
    if (length == WS_STATUS_BYTES)
        return;
    memcpy(words, text, length);
    const uint32_t version = atomic_load_explicit(&common->status_version, memory_order_relaxed);
    atomic_store_explicit(&common->status_version, version + 1, memory_order_relaxed);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        atomic_store_explicit(&common->status[i], words[i], memory_order_release);
    atomic_store_explicit(&common->status_version, version + 2, memory_order_release);
}

/* 1 if a whole text was read. */
static int read_status(ws_ring_common *common, uint32_t version, char text[WS_STATUS_BYTES])
{
    uint64_t words[WS_STATUS_BYTES / sizeof(uint64_t)];
    if (version % 2)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        words[i] = atomic_load_explicit(&common->status[i], memory_order_acquire);
    if (atomic_load_explicit(&common->status_version, memory_order_relaxed) != version)
        return 0;
    memcpy(text, words, sizeof words);
    text[WS_STATUS_BYTES - 1] = '\0';
    return 1;
}

int ws_ring_status(ws_ring_reader *reader, char text[WS_STATUS_BYTES])
{
    ws_ring_common *common = ws_ring_common_of(ws_ring_reader_view(reader));
    uint32_t *seen = ws_ring_reader_status(reader);
    for (int i = 0; i < STATUS_TRIES; i++) {
        const uint32_t version = atomic_load_explicit(&common->status_version, memory_order_acquire);
        if (version == *seen)
            return 0;
        if (read_status(common, version, text)) {
            *seen = version;
            return 1;
        }
    }
    return 0;
}
