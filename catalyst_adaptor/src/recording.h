/* SPDX-License-Identifier: BSD-3-Clause */
/* A recording: frames and the rows between them in one file that only grows, can be read meanwhile, survives
 * a kill of its writer, and finds its nth frame in constant time.
 *
 * The file, version 1; its name ends with .wsrec. All numbers are little-endian and unsigned, their widths
 * in bits; `reserved` is 0. CRC-32 is the one of gzip and zip (zlib's crc32). A record may begin at any byte.
 *
 *     head, 864 bytes
 *         0    magic          the bytes 57 53 52 45 43 0d 0a 1a: "WSREC", CR, LF, 1a
 *         8    byte order  64 0x0102030405060708; read as anything else: another byte order, or damage
 *         16   version     32 1
 *         20   head bytes  32 864; here the text begins
 *         24   row bytes   64 of a row; 0: rows are not kept
 *         32   text bytes  64
 *         40   reserved    16 bytes
 *         56   text check  32 CRC-32 of the text
 *         60   check       32 CRC-32 of bytes 0 to 59
 *         64   count          a word: frames in the file
 *         96   blocks         24 words: where each block of the index begins, if it is there
 *     text                    UTF-8 without a zero: what a row means (row_layout.h)
 *     then, in the order in which they were needed: blocks of the index, bases, frames
 *
 * A word, 32 bytes, is a number that is overwritten in place: the value and its complement, 64 bits each,
 * and both once more. It is the value of the first pair that fits: one of them may be just being written, or
 * damaged.
 *
 * Block b of the index has 64 << b entries of 32 bytes: block 0 those of frames 0 to 63, block 1 those of
 * frames 64 to 191, and so on: frame n is in block b = floor(log2(n + 64)) - 6, at entry n + 64 - (64 << b).
 *
 *         0    offset      64 where the record of the frame begins
 *         8    step        64
 *         16   rows        64 in the records of this and all frames before it
 *         24   check       64 CRC-32 of the three above and of n (64 bits)
 *
 * A record: a head of 80 bytes, the packed frame, the packed rows.
 *
 *         0    magic          "WSRFRAME"; of a base "WSRBASE", LF
 *         8    number      64 n; of a base 0
 *         16   step        64 as in the frame
 *         24   base        64 where the record of its base begins, always before this one; 0: it has none
 *         32   frame bytes 64 of the frame (frame.h) in memory
 *         40   stored      64 bytes of the packed frame
 *         48   row count   64 rows after the frame before and up to this one
 *         56   rows stored 64 bytes of the packed rows; 0 if there are none
 *         64   frame check 32 CRC-32 of the packed frame
 *         68   rows check  32 CRC-32 of the packed rows; 0 if there are none
 *         72   reserved    32
 *         76   check       32 CRC-32 of bytes 0 to 75
 *
 * What is packed is one zstd frame that tells its content's size. Unpacked, a frame is as frame.h says but
 * that the bytes of each array are put together by their place in the number: all first bytes, then all
 * second bytes, ... (four of a float32, eight of a float64); gaps between arrays are zeros. Rows are put
 * together the same way, the whole row being the number: the first byte of each row, then the second byte of
 * each row, ... No frame needs another one to be read.
 *
 * The writer writes a record, then its entry, then the count. What lies beyond is nothing: a kill may leave
 * anything there. When the system failed, the count may tell of frames that are not there in full; then
 * those up to the last one whose entry and whose record's head fit are the recording. */
#ifndef WEIGHTSCAPE_RECORDING_H
#define WEIGHTSCAPE_RECORDING_H

#include "frame.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_RECORDING_VERSION 1

/* ---- Writing. */

typedef struct ws_recorder ws_recorder;

typedef struct ws_recorder_options {
    const char *path;
    const char *head;    /* what a row means (row_layout.h); a recording that is there must have the same,
                            and the same row_bytes; NULL: "" */
    size_t row_bytes;    /* 0: rows are not kept, they are in the run's history */
    uint64_t first_step; /* what is there is continued after this step; later frames are kept aside */
} ws_recorder_options;

/* Creates PATH, or continues it: a frame that a kill has torn is cut off, later frames are moved to
 * PATH.after-STEP (or -2, ...) with their rows, a recording of its own. WS_BAD_FILE (no recording, of another
 * version, of another network, damaged where it must be read), WS_IO_FAILED, WS_NO_MEMORY, WS_BAD_ARGUMENT
 * (head or rows too long); *out is untouched. One writer at a time: a second one gets WS_IO_FAILED. The
 * recorder is used by one thread at a time. */
int ws_recorder_open(const ws_recorder_options *options, ws_recorder **out);

/* Sets the base of the frames that follow (initial values, frame.h); stored once for each that differs from
 * the one before. Until then it is that of the frame before, none in a new file. Errors as ws_recorder_add.
 */
int ws_recorder_base(ws_recorder *recorder, const void *base);

/* Appends a frame, whose step must rise, with the rows since the frame before. It is readable when this
 * returns. After WS_IO_FAILED (full disk) the file ends with the frame before, readable, and every later call
 * fails. WS_BAD_ARGUMENT, WS_NO_MEMORY: nothing was written. */
int ws_recorder_add(ws_recorder *recorder, const void *frame, const void *rows, uint64_t row_count);

/* Frames in the file, the step of the last one, if there is any, and its bytes. */
uint64_t ws_recorder_count(const ws_recorder *recorder);
uint64_t ws_recorder_last_step(const ws_recorder *recorder);
uint64_t ws_recorder_bytes(const ws_recorder *recorder);

/* Writes to the disk what the system still holds (fsync). WS_IO_FAILED. */
int ws_recorder_sync(ws_recorder *recorder);

/* NULL is allowed. */
void ws_recorder_close(ws_recorder *recorder);

/* ---- Reading, also while another process writes. A recording is used by one thread at a time. */

typedef struct ws_recording ws_recording;

/* Opens PATH for reading; reads its head and no frame. WS_BAD_FILE (what is wrong and at which byte),
 * WS_IO_FAILED, WS_NO_MEMORY; *out is untouched. */
int ws_recording_open(const char *path, ws_recording **out);

/* Looks whether the file has grown. Returns how many complete frames there are. A few system calls. */
uint64_t ws_recording_refresh(ws_recording *recording);

/* Of the last refresh. */
uint64_t ws_recording_count(const ws_recording *recording);

/* How many frames the file says it has: more than the count where its end is torn or damaged. What is wrong
 * with those, and where, is what the functions below fail with when they are asked for one of them. */
uint64_t ws_recording_claimed(const ws_recording *recording);

/* Step of frame n < count, without reading it. WS_BAD_FILE, WS_IO_FAILED; WS_BAD_ARGUMENT, as from the
 * functions below, if there is no frame n. */
int ws_recording_step(ws_recording *recording, uint64_t n, uint64_t *step);

/* The first frame whose step is >= step: its number, or the count. Takes log2(count) looks into the index.
 * Errors as ws_recording_step. */
int ws_recording_find(ws_recording *recording, uint64_t step, uint64_t *n);

/* Reads frame n into *out, checked. WS_BAD_FILE (damaged: the byte, and the frame's number), WS_IO_FAILED,
 * WS_NO_MEMORY. */
int ws_recording_read(ws_recording *recording, uint64_t n, ws_frame *out);

/* Where the base that frame n belongs to is in the file: the same byte, the same base. Errors as
 * ws_recording_base. */
int ws_recording_base_at(ws_recording *recording, uint64_t n, uint64_t *byte);

/* Reads the base that frame n belongs to. Errors as ws_recording_read; WS_BAD_FILE, too, if it has none. */
int ws_recording_base(ws_recording *recording, uint64_t n, ws_frame *out);

/* Bytes of frame n in the file, without its rows, and as a frame in memory. Errors as ws_recording_read. */
int ws_recording_size(ws_recording *recording, uint64_t n, uint64_t *stored, uint64_t *raw);

/* What a row means, "" if rows are not kept, and its bytes. Borrowed. */
const char *ws_recording_head(const ws_recording *recording);
size_t ws_recording_row_bytes(const ws_recording *recording);

/* Gives the rows between frame n-1 and frame n to `take`, in order; a negative return ends it and is
 * returned. Errors as ws_recording_read. */
int ws_recording_rows(ws_recording *recording, uint64_t n, int (*take)(void *context, const void *row),
                      void *context);

/* NULL is allowed. */
void ws_recording_close(ws_recording *recording);

#ifdef __cplusplus
}
#endif
#endif
