/* SPDX-License-Identifier: BSD-3-Clause */
#define _XOPEN_SOURCE 700 /* nftw */
#include "scratch.h"
#include "cmocka_headers.h"
#include "cnn/status.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char folder[256];

int scratch_make(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/weightscape-test-XXXXXX", base ? base : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about, (void)kind, (void)place;
    return remove(path);
}

int scratch_remove(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const char *name)
{
    static char paths[4][4096];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void bytes_add(bytes *to, const void *from, size_t size)
{
    assert_true(size <= sizeof to->at - to->size);
    memcpy(to->at + to->size, from, size);
    to->size += size;
}

void bytes_add_text(bytes *to, const char *text)
{
    bytes_add(to, text, strlen(text));
}

void bytes_add_big32(bytes *to, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes_add(to, &(uint8_t){(uint8_t)(value >> shift)}, 1);
}

void bytes_add_little64(bytes *to, uint64_t value)
{
    for (int shift = 0; shift < 64; shift += 8)
        bytes_add(to, &(uint8_t){(uint8_t)(value >> shift)}, 1);
}

bytes bytes_zipped(const bytes *from)
{
    bytes zipped;
    z_stream zip = {0};
    assert_int_equal(deflateInit2(&zip, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    zip.next_in = (Bytef *)from->at;
    zip.avail_in = (uInt)from->size;
    zip.next_out = zipped.at;
    zip.avail_out = sizeof zipped.at;
    assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
    zipped.size = sizeof zipped.at - zip.avail_out;
    deflateEnd(&zip);
    return zipped;
}

const char *scratch_write(const char *name, const bytes *content)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content->at, 1, content->size, file), content->size);
    assert_int_equal(fclose(file), 0);
    return path;
}

bytes scratch_read(const char *name)
{
    bytes content;
    FILE *file = fopen(scratch_path(name), "rb");
    assert_non_null(file);
    content.size = fread(content.at, 1, sizeof content.at, file);
    assert_true(content.size < sizeof content.at);
    fclose(file);
    return content;
}

void assert_failed(int status, int expected, const char *path, const char *words)
{
    const char *message = cnn_message();
    if (status != expected || strncmp(message, path, strlen(path)) || !strstr(message, words) ||
        strchr(message, '\n'))
        fail_msg("status %d, message \"%s\"; expected %d and \"%s ... %s\"", status, message, expected, path,
                 words);
}
