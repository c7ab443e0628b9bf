/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_FOLDERS_H
#define APP_FOLDERS_H

/* Makes the folders that lead to `path`, but not `path` itself. Returns the outermost that was made, NULL if
 * none was; the caller frees it. Folders that cannot be made are not told: what is made inside fails, too,
 * and says why. */
char *folders_make_around(const char *path);

/* Removes `path` and the folders around it up to `outermost`, as far as they are empty. */
void folders_remove(const char *path, const char *outermost);

#endif
