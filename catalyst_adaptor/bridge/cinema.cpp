// SPDX-License-Identifier: BSD-3-Clause
#include "cinema.h"
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace weightscape
{

namespace fs = std::filesystem;

namespace
{
const char *const table_name = "data.csv";

struct Image {
    std::string file, producer;
    unsigned long long time = 0;
    bool timed = false;
};

// "weights_conv1_000050.png" is producer weights_conv1 at time 50.
Image describe(const std::string &file)
{
    Image image{file, fs::path(file).stem().string()};
    size_t digits = image.producer.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(image.producer[digits - 1])))
        digits--;
    image.timed = digits < image.producer.size() && image.producer.size() - digits < 19;
    if (image.timed) {
        image.time = std::stoull(image.producer.substr(digits));
        image.producer.erase(digits);
        while (!image.producer.empty() && (image.producer.back() == '_' || image.producer.back() == '-'))
            image.producer.pop_back();
    }
    return image;
}

// Quoted where the CSV needs it.
std::string cell(const std::string &text)
{
    if (text.find_first_of(",\"\n") == std::string::npos)
        return text;
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

template <typename Visit> void for_each_file(const std::string &folder, Visit visit)
{
    std::error_code ignored;
    for (fs::recursive_directory_iterator i(folder, ignored), end; i != end; i.increment(ignored)) {
        const std::string name = i->path().filename().string();
        if (i->is_regular_file(ignored) && name != table_name && name != std::string(table_name) + ".tmp")
            visit(i->path());
    }
}
} // namespace

std::set<std::string> images_in(const std::string &folder)
{
    std::set<std::string> images;
    for_each_file(folder, [&](const fs::path &path) {
        std::error_code ignored;
        images.insert(path.string() + "|" + std::to_string(fs::file_size(path, ignored)) + "|" +
                      std::to_string(fs::last_write_time(path, ignored).time_since_epoch().count()));
    });
    return images;
}

uint64_t new_images(const std::string &folder, const std::set<std::string> &before)
{
    uint64_t count = 0;
    for (const std::string &image : images_in(folder))
        count += !before.count(image);
    return count;
}

void write_cinema_table(const std::string &folder)
{
    std::vector<Image> images;
    for_each_file(folder, [&](const fs::path &path) {
        images.push_back(describe(path.lexically_relative(folder).string()));
    });
    if (images.empty())
        return;
    std::sort(images.begin(), images.end(), [](const Image &a, const Image &b) {
        return a.time != b.time ? a.time < b.time : a.file < b.file;
    });
    const std::string path = folder + "/" + table_name, aside = path + ".tmp";
    std::FILE *file = std::fopen(aside.c_str(), "we");
    if (!file)
        return; // the images are there; the next step tries again
    std::fputs("time,producer,FILE\n", file);
    for (const Image &image : images)
        std::fprintf(file, "%s,%s,%s\n", image.timed ? std::to_string(image.time).c_str() : "",
                     cell(image.producer).c_str(), cell(image.file).c_str());
    const bool whole = !std::ferror(file);
    if (std::fclose(file) == 0 && whole)
        std::rename(aside.c_str(), path.c_str());
    else
        std::remove(aside.c_str());
}

} // namespace weightscape
