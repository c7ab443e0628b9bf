// SPDX-License-Identifier: BSD-3-Clause
// Raises failures.TimedOut inside Python code that runs for too long.
#ifndef WEIGHTSCAPE_WATCHDOG_H
#define WEIGHTSCAPE_WATCHDOG_H

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace weightscape
{

class Watchdog
{
  public:
    explicit Watchdog(double seconds);
    ~Watchdog();
    Watchdog(const Watchdog &) = delete;
    Watchdog &operator=(const Watchdog &) = delete;

    // Between these two, the calling thread is watched. Call both, and the destructor, with a PythonLock
    // held.
    void arm();
    void disarm();

  private:
    void watch();

    const std::chrono::duration<double> limit;
    std::mutex mutex;
    std::condition_variable changed;
    std::chrono::steady_clock::time_point deadline;
    unsigned long watched_thread = 0; // Python's name of it; 0: none
    bool ends = false;
    std::thread thread;
};

} // namespace weightscape

#endif
