// SPDX-License-Identifier: BSD-3-Clause
#include "python.h" // first: Python's header wants to be

#include "watchdog.h"

#include <csignal>
#include <ctime>

namespace weightscape
{

namespace
{

// A script may catch the exception, so it is raised again and again.
constexpr std::chrono::seconds again{1};
// How often processor time is looked at, and how much longer a call may sleep than compute.
constexpr std::chrono::milliseconds look{200};
constexpr double sleeping = 30;

double processor_time()
{
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void raise_in(unsigned long thread)
{
    const Reference failures = import_own_module("failures");
    const Reference kind(failures ? PyObject_GetAttrString(failures, "TimedOut") : nullptr);
    PyErr_Clear();
    PyThreadState_SetAsyncExc(thread, kind);
}

} // namespace

Watchdog::Watchdog(double seconds, bool counts_processor_time)
    : limit(seconds), processor_time_counts(counts_processor_time)
{
    // The thread must not take signals that the host's threads wait for.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread(&Watchdog::watch, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Watchdog::~Watchdog()
{
    {
        const std::lock_guard<std::mutex> lock(mutex);
        ends = true;
    }
    changed.notify_one();
    // It may be waiting for the interpreter's lock, which is held here.
    PyThreadState *state = PyEval_SaveThread();
    thread.join();
    PyEval_RestoreThread(state);
}

void Watchdog::arm()
{
    const std::lock_guard<std::mutex> lock(mutex);
    watched_thread = PyThread_get_thread_ident();
    armed_at = Clock::now();
    raised_at = {};
    processor_time_before = processor_time();
    changed.notify_one();
}

void Watchdog::disarm()
{
    const std::lock_guard<std::mutex> lock(mutex);
    if (watched_thread)
        PyThreadState_SetAsyncExc(watched_thread, nullptr); // raised, but not yet seen
    watched_thread = 0;
}

bool Watchdog::is_over() const
{
    const std::chrono::duration<double> waited = Clock::now() - armed_at;
    if (!processor_time_counts)
        return waited.count() >= limit;
    return processor_time() - processor_time_before >= limit || waited.count() >= sleeping * limit;
}

void Watchdog::watch()
{
    std::unique_lock<std::mutex> lock(mutex);
    while (!ends) {
        if (!watched_thread) {
            changed.wait(lock);
        } else if (!is_over() || Clock::now() < raised_at + again) {
            changed.wait_for(lock, look);
        } else {
            // Whoever holds the interpreter's lock may want ours, so that one comes first.
            lock.unlock();
            const PythonLock python;
            lock.lock();
            if (watched_thread && is_over()) {
                raise_in(watched_thread);
                raised_at = Clock::now();
            }
        }
    }
}

} // namespace weightscape
