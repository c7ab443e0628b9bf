/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from one writer (a training) to a few readers (the processes that draw) through shared memory.
 *
 * The memory is a memfd, or, where there is none or not enough of it, a file in a folder that never had a
 * name: neither can outlive the processes that hold it, however they end. (Where a file system knows no
 * nameless files, an empty one has a name between its creation and the next system call.) With
 * WEIGHTSCAPE_RING_FOLDER=FOLDER in the environment it is a file in FOLDER and nothing else, for systems that
 * limit memory files. A stranger attaches through /proc/PID/fd/N of the writer.
 *
 * No lock. Each slot has a word: the number of the frame in it (no number comes twice), or 0: hidden. Each
 * reader has a pin: the one slot that it looks at. The accesses named here are sequentially consistent:
 *
 *     reader   finds a number, stores its pin, loads the word again: the same number, and the frame is held;
 *              else the pin is taken back
 *
 *     writer   takes the slot of the oldest frame that no pin names, gives away what must not be lost of it
 *              and of older ones, which are held (who holds one may let go of it unseen, and then it would be
 *              given away after later ones), stores 0 into its word, loads all pins: if none names a
 *              slot that it has hidden, that one is its own; else it goes on to the next oldest, and
 *              shows again in the end what it has hidden in vain
 *
 * Nobody sees a frame half-written: in the one order of these accesses, either the reader's second load comes
 * after the writer's 0, finds it or a later number, and lets go; or it comes before, then so does the
 * reader's pin, and the writer finds that. The number is stored after the last byte of the frame and loaded
 * before the first is read; a pin is taken back after the last byte was read and loaded before the first is
 * overwritten.
 *
 * The writer never waits: a hidden slot cannot be held anew, a reader holds one slot at most, and there are
 * fewer readers than slots (the own one, and others for all slots but two). So after as many turns as there
 * are slots, if not after the first, a hidden slot is free, whether readers run, have stopped or are dead. A
 * frame that comes back from hiding was out of sight for a moment: a reader may have passed it, but one that
 * must see it finds it where it was spilled.
 *
 * What deaths leave behind. Each side holds a lock of the file as a sign of life, which nobody waits for and
 * the kernel drops. (A fork of the host that does not exec shares it until it ends.) A reader's death leaves
 * its record claimed or attached and at most one slot pinned, until ws_ring_reap; half a wish or half a line
 * was not yet counted and is not seen. The writer's death leaves at most a few hidden slots: all other frames
 * can still be taken, hidden ones that had to be seen have been spilled. What reader 0 must see and has done
 * does not depend on the life of its process.
 */
#ifndef WEIGHTSCAPE_RING_H
#define WEIGHTSCAPE_RING_H

#include "frame.h"
#include "message.h"
#include "schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_RING_VERSION 3
#define WS_RING_READERS 8 /* reader 0 is the run's own */
#define WS_RING_OWN     0
#define WS_RING_ID_SIZE 16
#define WS_RING_LINE    512

/* What a reader tells of its work. */
typedef struct ws_ring_counts {
    uint64_t images_written, images_expected, script_failures;
} ws_ring_counts;

/* ---- The writer: one thread of one process. */

typedef struct ws_ring ws_ring;

typedef struct ws_ring_options {
    uint8_t id[WS_RING_ID_SIZE]; /* random; whoever attaches must know it */
    size_t frame_bytes;          /* of the largest frame */
    size_t usual_bytes; /* memory is there for frames of this size, until ws_ring_complete; 0: for all */
    const void *base;   /* a frame (frame.h) that all readers may read at any time; copied */
    size_t base_bytes;
    uint64_t first_step;
    size_t most_bytes;  /* as many slots as fit into it, but at least 3 and at most 64; 0: 32 MB */
    const char *folder; /* where a file is mapped if there is no shared memory; NULL: nowhere */
} ws_ring_options;

/* Makes the ring; every page of it is there afterwards (no SIGBUS later). Takes fewer slots if there is not
 * enough memory. WS_IO_FAILED if not even 3 slots can be had, from memory or from the folder; WS_BAD_ARGUMENT
 * if frames cannot be that large, WS_BAD_FILE if the base is no frame; WS_NO_MEMORY. */
int ws_ring_create(const ws_ring_options *options, ws_ring **out);

/* To be given to a child, or told to strangers. Borrowed. */
int ws_ring_descriptor(const ws_ring *ring);

/* How many slots there are, and whether they are in a file of the folder instead of in memory. */
uint32_t ws_ring_slots(const ws_ring *ring);
int ws_ring_is_file(const ws_ring *ring);

/* The size of the largest frame, and of the largest that there is memory for. */
size_t ws_ring_frame_bytes(const ws_ring *ring);
size_t ws_ring_room(const ws_ring *ring);

/* Gets memory for frames of every size. WS_IO_FAILED: there is none; all stays as it is. */
int ws_ring_complete(ws_ring *ring);

/* What the run's own reader must see, whether or not one is attached, now or later; steps <= done are done,
 * none is when it is UINT64_MAX. Replaces an earlier promise, but undoes no done step. */
void ws_ring_promise(ws_ring *ring, const ws_schedule *schedule, uint64_t done);

/* The writer begins: the base once more, in case that its numbers have changed, as large as the first one. */
void ws_ring_open(ws_ring *ring, const void *base);

/* Takes care of a frame that would be overwritten although the readers in `readers` (a bit each) must see it
 * and have not. Returns 0 if it is safe elsewhere. */
typedef int ws_ring_spill(void *context, const void *frame, uint32_t readers);

/* Memory for the next frame, frame_bytes long, aligned for frames. It is the slot of the oldest frame that
 * nobody looks at; what is lost with it goes to `spill` (NULL: nowhere) first, or is counted as dropped;
 * frames go there in the order of their steps, once each unless it fails. Never waits, never fails. The same
 * memory again until ws_ring_publish. */
void *ws_ring_begin(ws_ring *ring, ws_ring_spill *spill, void *context);

/* Publishes the frame that was written there. `must`: the readers that must see it; for others it is news,
 * which may be dropped. */
void ws_ring_publish(ws_ring *ring, uint32_t must);

/* Gives every frame to `spill` that some reader must see and has not, oldest first; they stay readable here.
 */
void ws_ring_flush(ws_ring *ring, ws_ring_spill *spill, void *context);

/* Tells that training has come to `step`. One store. */
void ws_ring_tell_step(ws_ring *ring, uint64_t step);

/* A number that changes when a reader comes, goes or wishes something else. One load. */
uint32_t ws_ring_changes(const ws_ring *ring);

/* What a reader wishes. */
typedef struct ws_ring_wish {
    int attached;         /* a process is there */
    int live;             /* it wants the newest frame whenever it is free */
    uint64_t done;        /* it needs no step up to this one; UINT64_MAX: all */
    ws_schedule schedule; /* what it must see; sound */
} ws_ring_wish;

/* Fills *out with the wishes of reader 0..WS_RING_READERS-1. For reader 0 the promise is part of them,
 * attached or not. A schedule that is not sound counts as empty. */
void ws_ring_wishes(ws_ring *ring, uint32_t reader, ws_ring_wish *out);

/* Readers (a bit each) that want news and have seen all there are. One load each. */
uint32_t ws_ring_hungry(const ws_ring *ring);

/* How far a reader is. */
typedef struct ws_ring_progress {
    uint64_t done; /* all steps up to this one; UINT64_MAX: none */
    uint64_t at;   /* the step that it is working on, UINT64_MAX: none */
    uint64_t beat; /* rises while it is alive, also while it waits; not while it draws */
    ws_ring_counts counts;
} ws_ring_progress;
void ws_ring_progress_of(const ws_ring *ring, uint32_t reader, ws_ring_progress *out);

/* Takes the next line that a reader has told: 1 if there was one. Nothing is lost but what a reader told
 * while 16 lines waited. */
int ws_ring_hear(ws_ring *ring, uint32_t reader, ws_log_level *level, char line[WS_RING_LINE]);

/* Copies the next command of a reader: 1 if there was one. It is terminated; its bytes are the reader's. */
int ws_ring_asked(ws_ring *ring, uint32_t reader, char name[WS_COMMAND_NAME], char value[WS_COMMAND_VALUE]);

/* How much of the time the run's own reader may work where the writer wants all processors: (0, 1], 1 unless
 * told. */
void ws_ring_tell_share(ws_ring *ring, double share);

/* Whether a reader wants the writer to rest: its process, or 0. */
uint32_t ws_ring_held_by(const ws_ring *ring, uint32_t reader);

/* Tells the readers a text of less than WS_STATUS_BYTES bytes; what is longer is not told. */
void ws_ring_tell_status(ws_ring *ring, const char *text);

/* Frees what readers that have died held: their places and the slots they looked at. Returns the dead ones, a
 * bit each. What reader 0 must see stays promised. A system call for each reader. */
uint32_t ws_ring_reap(ws_ring *ring);

/* Counts step `step` as done by reader 0, which is not attached: it has died of it more than once. */
void ws_ring_skip(ws_ring *ring, uint64_t step);

/* Frames that were overwritten before a reader had them, news included, and that are not safe elsewhere. */
uint64_t ws_ring_dropped(const ws_ring *ring, uint32_t reader);

/* Tells the readers that no frame will follow. */
void ws_ring_end(ws_ring *ring);

/* NULL is allowed. Readers keep their mapping; for them the writer has died unless ws_ring_end was called. */
void ws_ring_free(ws_ring *ring);

/* ---- A reader: one thread; any number of processes. */

typedef struct ws_ring_reader ws_ring_reader;

/* Attaches to the ring behind a descriptor, which is not kept. `schedule` (NULL: nothing) and `live` are its
 * wishes, from the step after the writer's present one on; with `live`, from the present one on. own: as
 * reader 0, whose promises and done steps stay as they are; wishes come on top of them. WS_BAD_FILE: no ring,
 * of another version, of another size than its head says, of another id (NULL: any), or damaged.
 * WS_BAD_ARGUMENT: all places are taken, the number is named: 1 for reader 0, for others as many as there are
 * slots but two, at most 7; a dead reader's place is free after ws_ring_reap. WS_IO_FAILED, WS_NO_MEMORY. */
int ws_ring_attach(int descriptor, const uint8_t *id, int own, const ws_schedule *schedule, int live,
                   ws_ring_reader **out);

/* What does not change while the ring lives. */
const void *ws_ring_base(const ws_ring_reader *reader, size_t *bytes);
uint64_t ws_ring_first_step(const ws_ring_reader *reader);

/* Which reader this is. */
uint32_t ws_ring_number(const ws_ring_reader *reader);

/* 1 once the writer has begun; before that, nothing of the base is of use but its layers and weights. */
int ws_ring_is_open(const ws_ring_reader *reader);

/* The last step that the writer has told. */
uint64_t ws_ring_step(const ws_ring_reader *reader);

typedef enum ws_ring_state { WS_RING_RUNS, WS_RING_ENDED, WS_RING_DIED } ws_ring_state;

/* Whether frames will still come. A system call. */
ws_ring_state ws_ring_look(const ws_ring_reader *reader);

/* Replaces the wishes. Returns 1, or 0 if the writer has not yet seen the last ones: try again later. */
int ws_ring_wish_for(ws_ring_reader *reader, const ws_schedule *schedule, int live);

/* Holds the frame with the smallest step > after (UINT64_MAX: of all) that this reader must see, NULL if
 * there is none here. Valid until ws_ring_release; one at a time. The frame is checked (ws_frame_check). */
const void *ws_ring_take_next(ws_ring_reader *reader, uint64_t after);

/* The same for the frame with the largest step > after, whoever must see it; NULL also tells the writer that
 * this reader is hungry. */
const void *ws_ring_take_newest(ws_ring_reader *reader, uint64_t after);
void ws_ring_release(ws_ring_reader *reader);

/* How often a frame has been given to `spill` so far, whether or not that went well. It rises before a frame
 * can no longer be taken: whoever finds the same number before and after a look at the spilled ones and at
 * the ring has missed none. */
uint64_t ws_ring_spilled(const ws_ring_reader *reader);

/* at: work on `step` begins. done: all steps up to `step` are done, work on none has begun. */
void ws_ring_at(ws_ring_reader *reader, uint64_t step);
void ws_ring_done(ws_ring_reader *reader, uint64_t step);
uint64_t ws_ring_done_step(const ws_ring_reader *reader);

/* I am alive. */
void ws_ring_beat(ws_ring_reader *reader);
void ws_ring_count(ws_ring_reader *reader, const ws_ring_counts *counts);

/* A line for people, through the writer; cut to WS_RING_LINE - 1 bytes, lost while 16 lines wait. */
void ws_ring_tell(ws_ring_reader *reader, ws_log_level level, const char *line);

/* A command for the writer, cut to what fits; 1, or 0 while 16 of them wait: ask again later. */
int ws_ring_ask(ws_ring_reader *reader, const char *name, const char *value);

/* What the writer has told, or 1 if that is no share. */
double ws_ring_share(const ws_ring_reader *reader);

/* Whether the writer is to rest between two steps. Ends with this reader at the latest. */
void ws_ring_hold(ws_ring_reader *reader, int is_held);

/* The writer's status, if it is another than at the last call: 1; else 0. */
int ws_ring_status(ws_ring_reader *reader, char text[WS_STATUS_BYTES]);

/* NULL is allowed. */
void ws_ring_detach(ws_ring_reader *reader);

#ifdef __cplusplus
}
#endif
#endif
