// SPDX-License-Identifier: BSD-3-Clause
// Interrupts a script that runs for too long.
#ifndef WS_WATCHDOG_H
#define WS_WATCHDOG_H

#include "python.h"
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

namespace weightscape
{

// While it lives, code that stays in Python for more than `seconds` gets a
// TimeoutError, and again as often as it goes on.
class Watchdog
{
  public:
    explicit Watchdog(double seconds) : watched(Python::thread())
    {
        // Signals are the host's business: the thread is born with all of them
        // blocked.
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread = std::thread([this, seconds] { watch(seconds); });
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    ~Watchdog()
    {
        {
            const std::lock_guard<std::mutex> lock(mutex);
            ended = true;
        }
        wake.notify_one();
        Python::rest(watched, [this] { thread.join(); });
    }

    bool barked()
    {
        const std::lock_guard<std::mutex> lock(mutex);
        return fired;
    }

    Watchdog(const Watchdog &) = delete;
    Watchdog &operator=(const Watchdog &) = delete;

  private:
    void watch(double seconds)
    {
        std::unique_lock<std::mutex> lock(mutex);
        auto patience = std::chrono::duration<double>(seconds);
        while (!wake.wait_for(lock, patience, [this] { return ended; })) {
            fired = true;
            lock.unlock();
            Python::interrupt(watched);
            lock.lock();
            patience = std::chrono::duration<double>(1);
        }
    }

    const unsigned long watched;
    std::mutex mutex;
    std::condition_variable wake;
    bool ended = false, fired = false;
    std::thread thread;
};

} // namespace weightscape

#endif
