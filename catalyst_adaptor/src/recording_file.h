/* SPDX-License-Identifier: BSD-3-Clause */
/* The file behind a recording: what its reader and its writer both need. It believes nothing that it reads.
 */
#ifndef WEIGHTSCAPE_RECORDING_FILE_H
#define WEIGHTSCAPE_RECORDING_FILE_H

#include "recording_layout.h"

/* Zero-initialise but for descriptor = -1; free with ws_recording_file_close. */
typedef struct ws_recording_file {
    char *path;
    int descriptor;
    ws_recording_header head; /* as last looked at */
    char *text;
    uint64_t bytes;   /* of the whole file, as last looked at */
    uint64_t claimed; /* frames that it says it has */
    void *part;       /* what was read last */
    size_t part_bytes, part_capacity;
} ws_recording_file;

/* Opens PATH with these flags of open(). WS_BAD_FILE if it is not a regular file, WS_IO_FAILED, WS_NO_MEMORY;
 * then, too, it must be closed. */
int ws_recording_file_open(ws_recording_file *file, const char *path, int flags);
void ws_recording_file_close(ws_recording_file *file);

/* Reads and checks head and text. WS_BAD_FILE, WS_IO_FAILED, WS_NO_MEMORY. */
int ws_recording_file_load(ws_recording_file *file);

/* Reads anew what may have changed: size, count, places of the blocks. WS_BAD_FILE, WS_IO_FAILED: nothing
 * changed. */
int ws_recording_file_look(ws_recording_file *file);

/* How many frames are there in full: the last of those claimed whose entry and record fit ends them.
 * WS_IO_FAILED. */
int ws_recording_file_complete(const ws_recording_file *file, uint64_t *count);

/* Reads what tells of frame n < claimed: its entry; its entry and the head of its record; the head of its
 * base's record. WS_BAD_FILE names the frame and the byte, WS_IO_FAILED. */
int ws_recording_file_entry(const ws_recording_file *file, uint64_t n, ws_recording_entry *entry);
int ws_recording_file_frame(const ws_recording_file *file, uint64_t n, ws_recording_entry *entry,
                            ws_recording_record *record);
int ws_recording_file_base(const ws_recording_file *file, uint64_t n, const ws_recording_record *frame,
                           ws_recording_record *base);

/* Reads the packed frame, or the packed rows, of a record at `offset` to file->part, and compares the
 * checksum. `n`: the frame that it belongs to. WS_BAD_FILE, WS_IO_FAILED, WS_NO_MEMORY. */
int ws_recording_file_frame_part(ws_recording_file *file, uint64_t n, uint64_t offset,
                                 const ws_recording_record *record);
int ws_recording_file_rows_part(ws_recording_file *file, uint64_t n, uint64_t offset,
                                const ws_recording_record *record);

/* The first of `count` frames whose step is >= step, or the count. WS_BAD_FILE, WS_IO_FAILED. */
int ws_recording_file_find(const ws_recording_file *file, uint64_t count, uint64_t step, uint64_t *n);

/* Sets the message that the bytes at `byte` are wrong, and returns WS_BAD_FILE. `record`: of the frame, of a
 * base of frame n, or NULL. */
int ws_recording_file_damaged(const ws_recording_file *file, uint64_t n, const ws_recording_record *record,
                              uint64_t byte, const char *problem);

/* Reads into `room` what fits from `offset`: fewer bytes only at the end of the file. Writes all.
 * WS_IO_FAILED. */
int ws_recording_file_read(const ws_recording_file *file, void *room, size_t bytes, uint64_t offset,
                           size_t *got);
int ws_recording_file_write(const ws_recording_file *file, const void *from, size_t bytes, uint64_t offset);

/* As it is stored. */
ws_recording_word ws_recording_word_of(uint64_t value);

/* Checksums, as they are stored. */
uint32_t ws_recording_check(const void *bytes, size_t count);
uint64_t ws_recording_entry_check(const ws_recording_entry *entry, uint64_t n);

/* WS_IO_FAILED with the system's reason. */
int ws_recording_file_cannot(const char *what, const char *path);

#endif
