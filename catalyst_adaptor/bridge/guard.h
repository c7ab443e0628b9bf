// SPDX-License-Identifier: BSD-3-Clause
// The host's state around a call into ParaView: signal handlers, floating-point
// modes, locale and working folder are the same afterwards as before.
// (Catalyst's initialisation replaces handlers, and drivers change rounding
// modes.)
#ifndef WS_GUARD_H
#define WS_GUARD_H

#include <array>
#include <cfenv>
#include <csignal>
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

namespace weightscape
{

class Guard
{
  public:
    Guard()
    {
        std::fegetenv(&modes);
        for (size_t i = 0; i < signals.size(); i++)
            sigaction(signals[i], nullptr, &handlers[i]);
        locale = uselocale(static_cast<locale_t>(nullptr));
        folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    }

    ~Guard()
    {
        for (size_t i = 0; i < signals.size(); i++)
            sigaction(signals[i], &handlers[i], nullptr);
        uselocale(locale);
        if (folder >= 0) {
            if (fchdir(folder) < 0)
                (void)0; // the folder was removed: there is none to return to
            close(folder);
        }
        std::fesetenv(&modes);
    }

    Guard(const Guard &) = delete;
    Guard &operator=(const Guard &) = delete;

  private:
    static constexpr std::array<int, 12> signals{SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGCHLD, SIGSEGV,
                                                 SIGFPE, SIGABRT, SIGILL,  SIGBUS, SIGUSR1, SIGUSR2};
    std::fenv_t modes;
    std::array<struct sigaction, 12> handlers;
    locale_t locale;
    int folder;
};

} // namespace weightscape

#endif
