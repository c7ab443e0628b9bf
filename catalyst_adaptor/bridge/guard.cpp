// SPDX-License-Identifier: BSD-3-Clause
#include "guard.h"

#include <clocale>
#include <fcntl.h>
#include <unistd.h>

namespace weightscape
{

ProcessGuard::ProcessGuard() : folder(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC))
{
    ws_handlers_keep(&handlers);
    if (const char *now = std::setlocale(LC_ALL, nullptr))
        locale = now;
    std::fegetenv(&modes);
    std::fesetenv(FE_DFL_ENV);
}

ProcessGuard::~ProcessGuard()
{
    ws_handlers_put_back(&handlers);
    const char *now = std::setlocale(LC_ALL, nullptr);
    if (now && locale != now)
        std::setlocale(LC_ALL, locale.c_str());
    if (folder >= 0) {
        if (fchdir(folder) != 0)
            chdir("/");
        close(folder);
    }
    std::fesetenv(&modes);
}

} // namespace weightscape
