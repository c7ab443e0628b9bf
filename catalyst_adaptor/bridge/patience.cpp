// SPDX-License-Identifier: BSD-3-Clause
#include "patience.h"

#include <algorithm>
#include <csignal>
#include <sys/socket.h>
#include <utility>

namespace weightscape
{

namespace
{

constexpr std::chrono::milliseconds look{200}; // between questions whether to stop

std::chrono::steady_clock::duration duration(double seconds)
{
    return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>(seconds));
}

} // namespace

Patience::Patience(std::function<bool()> asked) : stop(std::move(asked))
{
    // The thread must not take signals that the host's threads wait for.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread(&Patience::watch, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Patience::~Patience()
{
    {
        const std::lock_guard<std::mutex> lock(mutex);
        ends = true;
    }
    changed.notify_one();
    thread.join();
}

Patience::Limit::Limit(Patience &owner, int socket, double seconds, double grace) : patience(owner)
{
    {
        const std::lock_guard<std::mutex> lock(patience.mutex);
        patience.watched = socket;
        patience.was_cut = patience.has_stopped = false;
        patience.until = Clock::now() + duration(seconds);
        patience.grace = duration(grace);
    }
    patience.changed.notify_one();
}

Patience::Limit::~Limit()
{
    const std::lock_guard<std::mutex> lock(patience.mutex);
    patience.watched = -1;
}

bool Patience::has_ended() const
{
    const std::lock_guard<std::mutex> lock(mutex);
    return was_cut;
}

void Patience::watch()
{
    std::unique_lock<std::mutex> lock(mutex);
    while (!ends) {
        if (watched < 0) {
            changed.wait(lock);
            continue;
        }
        if (!has_stopped && stop && stop()) {
            has_stopped = true;
            until = std::min(until, Clock::now() + grace);
        }
        if (Clock::now() < until) {
            changed.wait_until(lock, stop ? std::min(until, Clock::now() + look) : until);
        } else {
            shutdown(watched, SHUT_RDWR);
            watched = -1;
            was_cut = true;
        }
    }
}

} // namespace weightscape
