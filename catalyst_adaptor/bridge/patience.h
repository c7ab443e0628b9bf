// SPDX-License-Identifier: BSD-3-Clause
// Ends waits for somebody who does not answer: VTK's sockets know no time limit.
#ifndef WEIGHTSCAPE_PATIENCE_H
#define WEIGHTSCAPE_PATIENCE_H

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace weightscape
{

class Patience
{
  public:
    // Waits end early when `stop`, which is asked by another thread a few times a second, says so; it may be
    // empty.
    explicit Patience(std::function<bool()> stop);
    ~Patience();
    Patience(const Patience &) = delete;
    Patience &operator=(const Patience &) = delete;

    // As long as one lives, the socket is shut down when that many seconds are over; whoever waits for it is
    // told that nothing more comes. When `stop` has said so `grace` seconds are left, for what the other end
    // would not survive if it came in part. One at a time.
    class Limit
    {
      public:
        Limit(Patience &patience, int socket, double seconds, double grace = 0);
        ~Limit();
        Limit(const Limit &) = delete;
        Limit &operator=(const Limit &) = delete;

      private:
        Patience &patience;
    };

    // Whether the last limit was reached.
    bool has_ended() const;

  private:
    using Clock = std::chrono::steady_clock;

    void watch();

    const std::function<bool()> stop;
    mutable std::mutex mutex;
    std::condition_variable changed;
    int watched = -1; // a socket
    Clock::time_point until;
    Clock::duration grace{};
    bool was_cut = false, ends = false, has_stopped = false;
    std::thread thread;
};

} // namespace weightscape

#endif
