/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/idx.h"
#include "cnn/status.h"
#include "file_bytes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
    UNSIGNED_BYTES = 0x08,
    MOST_DIMENSIONS = 4,
    IMAGES_MAGIC = 2051, /* three dimensions of bytes */
    LABELS_MAGIC = 2049, /* one dimension of bytes */
};

/* No set of images is larger; it also keeps a few bytes of gzip from asking for all memory. */
static const uint64_t most_values = (uint64_t)1 << 36;

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int is_gzip(const uint8_t *bytes, size_t count)
{
    return count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* ---- where the bytes come from: the file itself, or zlib ---- */

typedef struct source {
    const char *path;
    cnn_file_bytes file;
    size_t at; /* plain: bytes handed out */
    int zipped;
    int ended; /* zipped: the end of the stream was reached, and its checksum was right */
    z_stream zip;
} source;

static int source_open(const char *path, source *out)
{
    source s = {.path = path};
    int status = cnn_file_bytes_open(path, &s.file);
    if (status)
        return status;
    s.zipped = is_gzip(s.file.bytes, s.file.size);
    *out = s;
    /* 16: a gzip header and trailer are expected and checked. */
    if (s.zipped && inflateInit2(&out->zip, 16 + MAX_WBITS) != Z_OK) {
        cnn_file_bytes_close(&out->file);
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory to decompress it", path);
    }
    return CNN_OK;
}

static void source_close(source *s)
{
    if (s->zipped)
        inflateEnd(&s->zip);
    cnn_file_bytes_close(&s->file);
}

/* One call of inflate into [to, to + room); returns how many bytes came, or a negative status. */
static long inflate_some(source *s, uint8_t *to, size_t room)
{
    enum { MOST = 1 << 30 };
    const size_t left = s->file.size - s->at;
    const uInt given = left < MOST ? (uInt)left : MOST, wanted = room < MOST ? (uInt)room : MOST;
    s->zip.next_in = (Bytef *)s->file.bytes + s->at;
    s->zip.avail_in = given;
    s->zip.next_out = to;
    s->zip.avail_out = wanted;
    const int result = inflate(&s->zip, Z_NO_FLUSH);
    s->at += given - s->zip.avail_in;
    const long got = (long)(wanted - s->zip.avail_out);
    if (result == Z_STREAM_END)
        s->ended = 1;
    else if (result == Z_BUF_ERROR || (result == Z_OK && got == 0 && s->at == s->file.size))
        return cnn_fail(CNN_BAD_FILE, "%s: the gzip stream is cut short after %zu bytes", s->path,
                        s->file.size);
    else if (result != Z_OK)
        return cnn_fail(result == Z_MEM_ERROR ? CNN_NO_MEMORY : CNN_BAD_FILE,
                        "%s: the gzip stream is damaged: %s", s->path,
                        s->zip.msg ? s->zip.msg : "no reason given");
    return got;
}

/* Reads up to `count` bytes; fewer only at the end. Returns their number or a negative status. */
static long source_read(source *s, uint8_t *to, size_t count)
{
    if (!s->zipped) {
        const size_t left = s->file.size - s->at, got = count < left ? count : left;
        if (got)
            memcpy(to, s->file.bytes + s->at, got);
        s->at += got;
        return (long)got;
    }
    size_t got = 0;
    while (got < count && !s->ended) {
        const long some = inflate_some(s, to + got, count - got);
        if (some < 0)
            return some;
        got += (size_t)some;
    }
    return (long)got;
}

/* ---- the header ---- */

/* What four wrong bytes most likely are, for people. */
static int bad_magic(const char *path, const uint8_t magic[4])
{
    if (magic[0] == '<')
        return cnn_fail(CNN_BAD_FILE, "%s: is an HTML page, not data (a download went wrong)", path);
    if (is_gzip(magic, 4))
        return cnn_fail(CNN_BAD_FILE, "%s: is compressed with gzip twice", path);
    const uint32_t value = big_endian(magic);
    const uint32_t swapped =
        (uint32_t)magic[3] << 24 | (uint32_t)magic[2] << 16 | (uint32_t)magic[1] << 8 | magic[0];
    if (swapped == IMAGES_MAGIC || swapped == LABELS_MAGIC)
        return cnn_fail(CNN_BAD_FILE, "%s: magic number %u is little-endian, IDX is big-endian", path, value);
    if (!magic[0] && !magic[1] && magic[2] != UNSIGNED_BYTES && magic[2] >= 0x09 && magic[2] <= 0x0e)
        return cnn_fail(CNN_BAD_FILE, "%s: holds values of type 0x%02x, only unsigned bytes (0x08) are read",
                        path, magic[2]);
    return cnn_fail(CNN_BAD_FILE, "%s: magic number %u is not that of an IDX file (%d images, %d labels)",
                    path, value, IMAGES_MAGIC, LABELS_MAGIC);
}

/* What the header announces, for messages: "magic number 2051, 60000x28x28". */
enum { HEADER_TEXT_SIZE = 80 };
static const char *header_text(const cnn_idx *idx, char text[HEADER_TEXT_SIZE])
{
    int at = snprintf(text, HEADER_TEXT_SIZE, "magic number %d,", UNSIGNED_BYTES << 8 | idx->dimensions);
    for (int i = 0; i < idx->dimensions; i++)
        at += snprintf(text + at, HEADER_TEXT_SIZE - (size_t)at, "%c%u", i ? 'x' : ' ', idx->extent[i]);
    return text;
}

static int read_header(source *s, cnn_idx *idx, uint64_t *count)
{
    uint8_t bytes[4 * (MOST_DIMENSIONS + 1)];
    long got = source_read(s, bytes, 4);
    if (got < 0)
        return (int)got;
    if (got < 4)
        return cnn_fail(CNN_BAD_FILE, "%s: %ld bytes are too few for an IDX header", s->path, got);
    if (bytes[0] || bytes[1] || bytes[2] != UNSIGNED_BYTES || bytes[3] < 1 || bytes[3] > MOST_DIMENSIONS)
        return bad_magic(s->path, bytes);
    idx->dimensions = bytes[3];
    got = source_read(s, bytes, 4 * (size_t)idx->dimensions);
    if (got < 0)
        return (int)got;
    if (got < 4 * idx->dimensions)
        return cnn_fail(CNN_BAD_FILE, "%s: ends within its header", s->path);
    for (int i = 0; i < idx->dimensions; i++)
        idx->extent[i] = big_endian(bytes + 4 * i);
    char text[HEADER_TEXT_SIZE];
    *count = idx->extent[0];
    for (int i = 1; i < idx->dimensions; i++) {
        if (idx->extent[i] == 0)
            return cnn_fail(CNN_BAD_FILE, "%s: extent of dimension %d is 0 (%s)", s->path, i,
                            header_text(idx, text));
        if (*count > most_values / idx->extent[i])
            return cnn_fail(CNN_BAD_FILE, "%s: the header (%s) announces more than 2^36 values", s->path,
                            header_text(idx, text));
        *count *= idx->extent[i];
    }
    return CNN_OK;
}

static int too_few_values(const source *s, const cnn_idx *idx, uint64_t count, uint64_t held)
{
    char text[HEADER_TEXT_SIZE];
    return cnn_fail(CNN_BAD_FILE, "%s: the header (%s) announces %llu values, the file holds %llu", s->path,
                    header_text(idx, text), (unsigned long long)count, (unsigned long long)held);
}

/* Memory grows with what really comes, so that a header cannot ask for more than the file holds. */
static int read_values(source *s, uint64_t count, cnn_idx *idx)
{
    const uint64_t first = (uint64_t)1 << 24;
    if (!s->zipped && count > s->file.size - s->at)
        return too_few_values(s, idx, count, s->file.size - s->at);
    uint64_t held = 0;
    do {
        const uint64_t most = s->zipped ? held + first : count,
                       room = count - held < most ? count - held : most;
        uint8_t *larger = realloc(idx->values, held + room ? held + room : 1);
        if (!larger)
            return cnn_fail(CNN_NO_MEMORY, "%s: no memory for %llu values", s->path,
                            (unsigned long long)count);
        idx->values = larger;
        const long got = source_read(s, larger + held, room);
        if (got < 0)
            return (int)got;
        held += (uint64_t)got;
        if ((uint64_t)got < room)
            return too_few_values(s, idx, count, held);
    } while (held < count);
    return CNN_OK;
}

/* Nothing may follow the payload, and a gzip stream must end with a right checksum. */
static int check_end(source *s, const cnn_idx *idx)
{
    uint8_t extra;
    const long got = source_read(s, &extra, 1);
    if (got < 0)
        return (int)got;
    char text[HEADER_TEXT_SIZE];
    if (got > 0)
        return cnn_fail(CNN_BAD_FILE, "%s: more values follow than its header (%s) announces", s->path,
                        header_text(idx, text));
    const size_t left = s->file.size - s->at;
    if (left && is_gzip(s->file.bytes + s->at, left))
        return cnn_fail(CNN_BAD_FILE,
                        "%s: a second gzip member begins at byte %zu, one file must hold one set", s->path,
                        s->at);
    if (left)
        return cnn_fail(CNN_BAD_FILE, "%s: %zu bytes follow the end of the gzip stream", s->path, left);
    return CNN_OK;
}

int cnn_idx_read(const char *path, cnn_idx *out)
{
    source s;
    int status = source_open(path, &s);
    if (status)
        return status;
    cnn_idx idx = {0};
    uint64_t count = 0;
    status = read_header(&s, &idx, &count);
    if (!status)
        status = read_values(&s, count, &idx);
    if (!status)
        status = check_end(&s, &idx);
    source_close(&s);
    if (status)
        cnn_idx_free(&idx);
    else
        *out = idx;
    return status;
}

void cnn_idx_free(cnn_idx *idx)
{
    free(idx->values);
    *idx = (cnn_idx){0};
}
