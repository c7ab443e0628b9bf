/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of a recorder, for those who open one (recorder_open.c) and add to it (recorder.c). */
#ifndef WEIGHTSCAPE_RECORDER_H
#define WEIGHTSCAPE_RECORDER_H

#include "message.h"
#include "packing.h"
#include "recording.h"
#include "recording_file.h"

struct ws_recorder {
    ws_recording_file file;
    ws_packer *packer;
    uint64_t count, rows;
    uint64_t end;       /* where the next record goes */
    uint64_t last_step; /* of the last frame, if there is one */
    uint64_t base;      /* where the record of the frames' base is, 0 if there is none yet */
    char *base_packed;  /* that base, NULL if it could not be read again */
    size_t base_bytes;
    char *room; /* where a record is put together */
    size_t room_capacity;
    char problem[WS_MESSAGE_SIZE]; /* why nothing is written any more; "" */
};

/* Write the record whose head this is and whose packed parts follow `room`'s first sizeof *record bytes: as
 * the next frame, or as the base of the frames that follow. After WS_IO_FAILED nothing is written any more.
 */
int ws_recorder_append(ws_recorder *recorder, ws_recording_record *record);
int ws_recorder_append_base(ws_recorder *recorder, ws_recording_record *record);

/* Makes `room` at least so large. What was in it is lost. WS_NO_MEMORY. */
int ws_recorder_reserve(ws_recorder *recorder, size_t bytes);

#endif
