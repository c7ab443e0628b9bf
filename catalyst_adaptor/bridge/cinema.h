// SPDX-License-Identifier: BSD-3-Clause
// The pictures of one script on disk, and their table: a Cinema database
// (specification D: a folder NAME.cdb with data.csv).
#ifndef WS_CINEMA_H
#define WS_CINEMA_H

#include <cstdint>
#include <set>
#include <string>

namespace weightscape
{

// Files below the folder that a script wrote, with size and time of change, so
// that a rewritten one is a new one.
std::set<std::string> images_in(const std::string &folder);

// How many of the files now there were not in `before`.
uint64_t new_images(const std::string &folder, const std::set<std::string> &before);

// Writes FOLDER/data.csv anew from the files that are there, so that it is
// right after any kill and resume: columns time (the number at the end of a
// file's name), producer (the rest of it) and FILE. Written aside, then
// renamed.
void write_cinema_table(const std::string &folder);

} // namespace weightscape

#endif
