/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_FOLDERS_H
#define APP_FOLDERS_H

/* Makes the folders that lead to `path`, but not `path` itself. Returns the outermost that was made, NULL if
 * none was; the caller frees it. Folders that cannot be made are not told: what is made inside fails, too,
 * and says why. */
char *folders_make_around(const char *path);

/* Makes them and `path`, unless it is there. *made is the outermost that was made, NULL if none was, also on
 * error; the caller frees it. CNN_IO_FAILED. */
int folders_make(const char *path, char **made);

/* Opens and locks a folder, so that it is locked as long as *lock, a descriptor, is open. CNN_BAD_ARGUMENT if
 * another process has locked it: `busy` says what that means, such as "another process is drawing there";
 * CNN_IO_FAILED. *lock may be open also on error; the caller closes it. */
int folders_lock(const char *path, const char *busy, int *lock);

/* CNN_BAD_ARGUMENT if there is something in a folder: `found` says why that is wrong, such as "is not empty";
 * CNN_IO_FAILED. */
int folders_check_empty(const char *path, const char *found);

/* Removes `path` and the folders around it up to `outermost`, as far as they are empty. */
void folders_remove(const char *path, const char *outermost);

#endif
