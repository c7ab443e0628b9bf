// SPDX-License-Identifier: BSD-3-Clause
#include "python.h" // first: Python's header wants to be

#include "watchdog.h"

#include <csignal>

namespace weightscape
{

namespace
{

// A script may catch the exception, so it is raised again and again.
constexpr std::chrono::seconds again{1};

void raise_in(unsigned long thread)
{
    const Reference failures = import_own_module("failures");
    const Reference kind(failures ? PyObject_GetAttrString(failures, "TimedOut") : nullptr);
    PyErr_Clear();
    PyThreadState_SetAsyncExc(thread, kind);
}

} // namespace

Watchdog::Watchdog(double seconds) : limit(seconds)
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
    deadline = std::chrono::steady_clock::now() +
               std::chrono::duration_cast<std::chrono::steady_clock::duration>(limit);
    changed.notify_one();
}

void Watchdog::disarm()
{
    const std::lock_guard<std::mutex> lock(mutex);
    if (watched_thread)
        PyThreadState_SetAsyncExc(watched_thread, nullptr); // raised, but not yet seen
    watched_thread = 0;
}

void Watchdog::watch()
{
    std::unique_lock<std::mutex> lock(mutex);
    while (!ends) {
        if (!watched_thread) {
            changed.wait(lock);
        } else if (std::chrono::steady_clock::now() < deadline) {
            changed.wait_until(lock, deadline);
        } else {
            // Whoever holds the interpreter's lock may want ours, so that one comes first.
            lock.unlock();
            const PythonLock python;
            lock.lock();
            if (watched_thread && std::chrono::steady_clock::now() >= deadline) {
                raise_in(watched_thread);
                deadline = std::chrono::steady_clock::now() + again;
            }
        }
    }
}

} // namespace weightscape
