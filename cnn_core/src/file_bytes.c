/* SPDX-License-Identifier: BSD-3-Clause */
#include "file_bytes.h"
#include "cnn/status.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int cnn_file_bytes_open(const char *path, cnn_file_bytes *out)
{
    /* A FIFO must not make the open wait. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be opened: %s", path, strerror(errno));
    struct stat about;
    int status = CNN_OK;
    cnn_file_bytes file = {NULL, 0};
    if (fstat(fd, &about) < 0) {
        status = cnn_fail(CNN_IO_FAILED, "%s: cannot be read: %s", path, strerror(errno));
    } else if (!S_ISREG(about.st_mode)) {
        status = cnn_fail(CNN_BAD_FILE, "%s: is not a regular file", path);
    } else if (about.st_size > 0) {
        file.size = (size_t)about.st_size;
        void *map = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
            status = cnn_fail(CNN_IO_FAILED, "%s: cannot be mapped: %s", path, strerror(errno));
        else
            file.bytes = map;
    }
    close(fd);
    if (!status)
        *out = file;
    return status;
}

void cnn_file_bytes_close(cnn_file_bytes *file)
{
    if (file->bytes)
        munmap((void *)file->bytes, file->size);
    *file = (cnn_file_bytes){NULL, 0};
}
