/* SPDX-License-Identifier: BSD-3-Clause */
/* The folder into which one process draws, locked for as long as it does: no second one mixes its pictures
 * in. */
#ifndef APP_PICTURE_FOLDER_H
#define APP_PICTURE_FOLDER_H

typedef struct picture_folder {
    char *path; /* owned */
    char *made; /* the outermost folder that this process has made; NULL: none; owned */
    int lock;   /* descriptor */
} picture_folder;

/* Makes the folder, if need be, and locks it. Errors: CNN_BAD_ARGUMENT (another process draws there),
 * CNN_IO_FAILED. Close with picture_folder_close. */
int picture_folder_open(const char *path, picture_folder *out);

/* Opens `path`, or, while others draw there, `path`-2, `path`-3 and so on. Errors: CNN_IO_FAILED. */
int picture_folder_open_free(const char *path, picture_folder *out);

/* Unlocks it, and removes what was made for it if nothing was drawn. */
void picture_folder_close(picture_folder *folder);

#endif
