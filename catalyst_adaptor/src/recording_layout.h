/* SPDX-License-Identifier: BSD-3-Clause */
/* What a recording consists of, byte for byte; recording.h tells what it means. No field here is followed by
 * padding. */
#ifndef WEIGHTSCAPE_RECORDING_LAYOUT_H
#define WEIGHTSCAPE_RECORDING_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define WS_RECORDING_MAGIC       "WSREC\r\n\x1a"
#define WS_RECORDING_FRAME_MAGIC "WSRFRAME"
#define WS_RECORDING_BASE_MAGIC  "WSRBASE\n"
#define WS_RECORDING_MAGIC_SIZE  8
#define WS_RECORDING_BYTE_ORDER  0x0102030405060708u

#define WS_RECORDING_BLOCKS        24
#define WS_RECORDING_FIRST_ENTRIES 64
/* As many as the blocks have entries. */
#define WS_RECORDING_MOST_FRAMES ((((uint64_t)1 << WS_RECORDING_BLOCKS) - 1) * WS_RECORDING_FIRST_ENTRIES)
#define WS_RECORDING_MOST_TEXT   ((uint64_t)1 << 24) /* bytes of the text, and of a row */

/* A number that is overwritten in place. It is the first of the two values whose check is its complement; so
 * neither a reader that looks while it is written nor one wrong byte can mistake it. */
typedef struct ws_recording_word {
    uint64_t value, check;
    uint64_t again, again_check;
} ws_recording_word;

/* At byte 0; the text follows at head_bytes. */
typedef struct ws_recording_header {
    char magic[WS_RECORDING_MAGIC_SIZE];
    uint64_t byte_order;
    uint32_t version;
    uint32_t head_bytes; /* of this struct */
    uint64_t row_bytes;
    uint64_t text_bytes;
    uint64_t reserved[2]; /* zero */
    uint32_t text_check;  /* CRC-32 of the text */
    uint32_t check;       /* CRC-32 of all before it */
    ws_recording_word count;
    ws_recording_word blocks[WS_RECORDING_BLOCKS]; /* where each block of the index begins */
} ws_recording_header;

/* Of frame n, in its block of the index. */
typedef struct ws_recording_entry {
    uint64_t offset; /* of its record */
    uint64_t step;
    uint64_t rows;  /* in this and all frames before it */
    uint64_t check; /* CRC-32 of the three above and of n, as 32 bytes */
} ws_recording_entry;

/* Before the packed frame, which is before the packed rows. */
typedef struct ws_recording_record {
    char magic[WS_RECORDING_MAGIC_SIZE];
    uint64_t number; /* of the frame; 0 in a base */
    uint64_t step;
    uint64_t base;         /* where the record of its base is; 0: it has none, or is one */
    uint64_t frame_bytes;  /* in memory */
    uint64_t frame_stored; /* in the file */
    uint64_t row_count;
    uint64_t rows_stored; /* bytes in the file; 0 if there are no rows */
    uint32_t frame_check; /* CRC-32 of the stored bytes */
    uint32_t rows_check;
    uint32_t reserved; /* zero */
    uint32_t check;    /* CRC-32 of all before it */
} ws_recording_record;

#define WS_RECORDING_HEAD_CHECKED   offsetof(ws_recording_header, check)
#define WS_RECORDING_RECORD_CHECKED offsetof(ws_recording_record, check)

/* Where the entry of frame n is: which block, and which of its entries. */
typedef struct ws_recording_place {
    uint32_t block;
    uint64_t entry;
} ws_recording_place;

static inline uint64_t ws_recording_entries(uint32_t block)
{
    return (uint64_t)WS_RECORDING_FIRST_ENTRIES << block;
}

static inline ws_recording_place ws_recording_place_of(uint64_t n)
{
    ws_recording_place place = {0, n};
    while (place.entry >= ws_recording_entries(place.block))
        place.entry -= ws_recording_entries(place.block++);
    return place;
}

static inline uint64_t ws_recording_record_bytes(const ws_recording_record *record)
{
    return sizeof *record + record->frame_stored + record->rows_stored;
}

#endif
