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
    // `counts_processor_time`: the process runs only when no other wants to, so what counts is processor
    // time; a call that sleeps is interrupted after thirty times as long.
    Watchdog(double seconds, bool counts_processor_time);
    ~Watchdog();
    Watchdog(const Watchdog &) = delete;
    Watchdog &operator=(const Watchdog &) = delete;

    // Between these two, the calling thread is watched. Call both, and the destructor, with a PythonLock
    // held.
    void arm();
    void disarm();

  private:
    using Clock = std::chrono::steady_clock;

    void watch();
    bool is_over() const;

    const double limit; // seconds
    const bool processor_time_counts;
    std::mutex mutex;
    std::condition_variable changed;
    Clock::time_point armed_at, raised_at;
    double processor_time_before = 0;
    unsigned long watched_thread = 0; // Python's name of it; 0: none
    bool ends = false;
    std::thread thread;
};

} // namespace weightscape

#endif
