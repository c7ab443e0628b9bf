/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of a ring after another process has written into it whatever it likes. The input: what is done,
 * a byte; then changes of 14 bytes: a place, an offset in it (4 bytes), a width, and a number (8 bytes, of
 * which so many are written). Odd first bytes: the rest is the whole memory, as a stranger may give it. */
#include "fuzz.h"
#include "message.h"
#include "ring_frames.h"
#include "ring_layout.h"
#include <fcntl.h>
#include <unistd.h>

enum { VALUES = 32, FRAMES = 5, CHANGES_MOST = 64, TURNS = 6 };

typedef struct change {
    uint8_t place;
    uint32_t offset;
    uint8_t width;
    uint64_t number;
} change;

static ws_ring *make_ring(void)
{
    uint64_t base[64]; /* aligned */
    const size_t bytes = ring_frame_bytes(VALUES);
    fuzz_require(bytes <= sizeof base, "a frame fits");
    ring_frame_make(base, VALUES, 0);
    const ws_ring_options options = {
        .id = {1}, .frame_bytes = bytes, .base = base, .base_bytes = bytes, .most_bytes = 1};
    ws_ring *ring;
    fuzz_require(ws_ring_create(&options, &ring) == WS_OK, "there is a ring");
    ws_ring_open(ring, base);
    for (uint64_t step = 1; step <= FRAMES; step++) {
        ring_frame_make(ws_ring_begin(ring, NULL, NULL), VALUES, step);
        ws_ring_publish(ring, 1);
        ws_ring_tell_step(ring, step);
    }
    return ring;
}

/* Where a change lands: of each kind of structure, one place is as likely as another. */
static char *place_of(const ws_ring_view *view, const change *c, uint64_t *room)
{
    const ws_ring_head *head = &view->head;
    const struct {
        uint64_t at, bytes;
    } places[] = {{0, head->head_bytes},
                  {head->common_at, head->common_bytes},
                  {head->records_at, head->record_bytes},
                  {head->records_at + head->record_bytes, head->record_bytes},
                  {head->slots_at, (uint64_t)head->slots * head->slot_bytes},
                  {head->base_at, head->base_bytes},
                  {head->frames_at, head->total_bytes - head->frames_at}};
    const size_t i = c->place % (sizeof places / sizeof *places);
    const uint64_t offset = c->offset % places[i].bytes;
    *room = head->total_bytes - places[i].at - offset;
    return view->at + places[i].at + offset;
}

static void apply(const ws_ring_view *view, const uint8_t **data, size_t *size)
{
    for (int i = 0; i < CHANGES_MOST && *size; i++) {
        change c;
        uint64_t room;
        fuzz_take(data, size, &c.place, sizeof c.place);
        fuzz_take(data, size, &c.offset, sizeof c.offset);
        fuzz_take(data, size, &c.width, sizeof c.width);
        fuzz_take(data, size, &c.number, sizeof c.number);
        char *at = place_of(view, &c, &room);
        const size_t width = 1 + c.width % sizeof c.number;
        memcpy(at, &c.number, width < room ? width : room);
    }
}

/* What a process that draws does. */
static void read_ring(int descriptor, int own)
{
    static const ws_schedule all = {.count = 1, .rules = {{0, UINT64_MAX, 1, 0, {{UINT64_MAX}}}}};
    ws_ring_reader *reader;
    if (ws_ring_attach(descriptor, NULL, own, &all, !own, &reader)) {
        fuzz_require(*ws_message(), "an error is told");
        return;
    }
    char status[WS_STATUS_BYTES];
    size_t bytes;
    const void *base = ws_ring_base(reader, &bytes);
    fuzz_require(!base || ws_frame_check(base, bytes) == WS_OK, "the base is sound");
    uint64_t after = UINT64_MAX;
    for (int i = 0; i < TURNS; i++) {
        const void *frame = own ? ws_ring_take_next(reader, after) : ws_ring_take_newest(reader, after);
        if (!frame)
            break;
        after = ws_frame_head(frame)->step;
        fuzz_require(ws_frame_check(frame, ws_frame_head(frame)->bytes) == WS_OK,
                     "a frame that was taken is sound");
        ws_ring_at(reader, after);
        ws_ring_release(reader);
        ws_ring_done(reader, after);
    }
    ws_ring_look(reader);
    ws_ring_status(reader, status);
    ws_ring_tell(reader, WS_LOG_WARNING, "a line");
    ws_ring_ask(reader, "pause", "");
    fuzz_require(ws_ring_share(reader) > 0 && ws_ring_share(reader) <= 1, "a share is one");
    ws_ring_wish_for(reader, NULL, 1);
    ws_ring_detach(reader);
}

static int keep(void *context, const void *frame, uint32_t readers)
{
    (void)context;
    (void)readers;
    const uint64_t bytes = ws_frame_head(frame)->bytes;
    fuzz_require(bytes <= ring_frame_bytes(VALUES) && ws_frame_check(frame, bytes) == WS_OK,
                 "a frame that is given away is sound");
    return 0;
}

/* What the training does. */
static void write_ring(ws_ring *ring)
{
    char line[WS_RING_LINE], name[WS_COMMAND_NAME], value[WS_COMMAND_VALUE];
    ws_log_level level;
    ws_ring_hungry(ring);
    for (uint32_t reader = 0; reader < WS_RING_READERS; reader++) {
        ws_ring_wish wish;
        ws_ring_progress progress;
        ws_ring_wishes(ring, reader, &wish);
        fuzz_require(ws_schedule_is_sound(&wish.schedule), "a wish is sound");
        ws_schedule_next(&wish.schedule, 7);
        ws_ring_progress_of(ring, reader, &progress);
        for (int i = 0; i < 2 * WS_RING_LINES && ws_ring_hear(ring, reader, &level, line); i++)
            fuzz_require(memchr(line, 0, sizeof line) != NULL, "a line ends");
        for (int i = 0; i < 2 * WS_RING_LINES && ws_ring_asked(ring, reader, name, value); i++)
            fuzz_require(memchr(name, 0, sizeof name) && memchr(value, 0, sizeof value), "a command ends");
        ws_ring_held_by(ring, reader);
        ws_ring_dropped(ring, reader);
    }
    for (uint64_t step = FRAMES + 1; step < FRAMES + TURNS; step++) {
        ring_frame_make(ws_ring_begin(ring, keep, NULL), VALUES, step);
        ws_ring_publish(ring, 3);
    }
    ws_ring_flush(ring, keep, NULL);
    ws_ring_tell_status(ring, "{}");
    ws_ring_reap(ring);
    ws_ring_skip(ring, 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t what;
    fuzz_take(&data, &size, &what, sizeof what);
    if (what & 1) {
        const char *path = fuzz_file(0, data, size);
        const int descriptor = open(path, O_RDWR | O_CLOEXEC);
        fuzz_require(descriptor >= 0, "a file in memory can be opened");
        read_ring(descriptor, what >> 1 & 1);
        close(descriptor);
        return 0;
    }
    ws_ring *ring = make_ring();
    apply(ws_ring_view_of(ring), &data, &size);
    if (what & 2)
        write_ring(ring);
    read_ring(ws_ring_descriptor(ring), what >> 2 & 1);
    if (what & 8)
        write_ring(ring);
    ws_ring_free(ring);
    return 0;
}
