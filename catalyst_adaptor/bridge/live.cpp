// SPDX-License-Identifier: BSD-3-Clause
#include "live.h"

#include "dial.h"

#include <vtkAlgorithm.h>
#include <vtkDataObject.h>
#include <vtkImageData.h>
#include <vtkInformation.h>
#include <vtkNew.h>
#include <vtkPVTrivialProducer.h>
#include <vtkPVVersion.h>
#include <vtkSMParaViewPipelineController.h>
#include <vtkSMProxyIterator.h>
#include <vtkSMProxyManager.h>
#include <vtkSMSessionProxyManager.h>
#include <vtkSMSourceProxy.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace weightscape
{

namespace
{

constexpr double first_pause = 1, longest_pause = 4; // between calls: who begins to listen is soon found
constexpr double dial_seconds = 3;
constexpr double idle_seconds = 0.1; // between rounds while nothing is new
// What nobody looks at is shown afresh now and then, for ParaView's information panel, if it is cheap enough.
constexpr double refresh_seconds = 1, refresh_share = 0.05;
constexpr uint64_t never = UINT64_MAX;
// How often a step is looked at again for what it does not hold yet: about a minute. A training that rests
// makes it meanwhile; a recording never will.
constexpr int most_misses = 600;

vtkSMSessionProxyManager *manager()
{
    return vtkSMProxyManager::GetProxyManager()->GetActiveSessionProxyManager();
}

double seconds_since(std::chrono::steady_clock::time_point begin)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::chrono::steady_clock::time_point in_seconds(double seconds)
{
    using Clock = std::chrono::steady_clock;
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

vtkSmartPointer<vtkSMSourceProxy> make_producer(const std::string &name)
{
    vtkSmartPointer<vtkSMProxy> proxy;
    proxy.TakeReference(manager()->NewProxy("sources", "PVTrivialProducer2"));
    vtkSmartPointer<vtkSMSourceProxy> producer = vtkSMSourceProxy::SafeDownCast(proxy);
    if (!producer || !vtkPVTrivialProducer::SafeDownCast(producer->GetClientSideObject()))
        throw std::runtime_error("ParaView makes no producer for channel " + name);
    vtkNew<vtkSMParaViewPipelineController> controller;
    controller->PreInitializeProxy(producer);
    controller->PostInitializeProxy(producer);
    manager()->RegisterProxy("sources", name.c_str(), producer);
    return producer;
}

std::function<bool()> stop_of(const ws_bridge_options &options)
{
    if (!options.stop)
        return {};
    return [stop = options.stop, context = options.stop_context] { return stop(context) != 0; };
}

// As a URL has it.
std::string place_of(const std::string &host, uint16_t port)
{
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

} // namespace

Live::Live(const ws_bridge_options &options, const std::vector<Channel> &shown, Watchdog &dog)
    : host(options.live_host), place(place_of(options.live_host, options.live_port)), port(options.live_port),
      log(options.log), channels(shown), watchdog(dog), built_at(shown.size(), never), needed(shown.size()),
      looked_at(shown.size()), misses(shown.size()), knobs(manager()), stop(stop_of(options)), link(stop)
{
    for (const Channel &channel : channels)
        producers.push_back(make_producer(channel.name));
}

Live::~Live()
{
    link.drop();
}

void Live::set(size_t channel, vtkDataObject *data, uint64_t at)
{
    vtkSMSourceProxy *proxy = producers[channel];
    auto *producer = vtkPVTrivialProducer::SafeDownCast(proxy->GetClientSideObject());
    if (auto *image = vtkImageData::SafeDownCast(data))
        producer->SetWholeExtent(image->GetExtent());
    // Without a time: the producer would keep all of them, and each round would grow with the run.
    data->GetInformation()->Set(vtkDataObject::DATA_TIME_STEP(), static_cast<double>(at));
    producer->SetOutput(data);
    proxy->MarkModified(proxy);
    built_at[channel] = at;
}

ws_live_state Live::state() const
{
    return {link.is_connected(), link.is_paused(), is_behind};
}

bool Live::take_command(Command &out)
{
    if (commands.empty())
        return false;
    out = commands.front();
    commands.pop_front();
    return true;
}

bool Live::is_due() const
{
    return link.is_connected() ? seconds_since(last_round) >= idle_seconds : Clock::now() >= next_call;
}

void Live::show(uint64_t new_step, const Build &build, const Status &status)
{
    if (new_step != step)
        misses.assign(channels.size(), 0);
    step = new_step;
    serve(build, status, true);
}

void Live::idle(const Build &build, const Status &status)
{
    serve(build, status, false);
}

void Live::serve(const Build &build, const Status &status, bool is_new)
{
    // Whoever hangs up must not end this process; the guard around each call of the bridge puts the handler
    // back.
    std::signal(SIGPIPE, SIG_IGN);
    if (!link.is_connected())
        call_out(status);
    if (link.is_connected())
        round(build, is_new);
}

// ---- The connection.

void Live::tell(const std::string &line) const
{
    log.line(log.context, WS_LOG_WARNING, line.c_str());
}

// Who has seen a ParaView leave knows that none waits.
void Live::tell_nobody()
{
    if (!has_told_nobody)
        tell("--live: no ParaView waits at " + place + " yet; it is dialled again and again");
    has_told_nobody = true;
}

// Not again until a ParaView has been connected.
void Live::tell_once(const std::string &line)
{
    if (std::find(told.begin(), told.end(), line) != told.end())
        return;
    told.push_back(line);
    tell(line);
}

void Live::call_out(const Status &status)
{
    if (Clock::now() < next_call)
        return;
    const Dialled dialled = dial(host, port, dial_seconds);
    if (dialled.socket >= 0) {
        knobs.turn_to(status);
        tell_answer(link.connect(dialled.socket, manager()));
    } else if (dialled.is_unknown) {
        tell_once("--live: " + host + " is no host that can be found: " + dialled.problem);
    } else {
        tell_nobody();
    }
    // The pause grows by half each time.
    pause = link.is_connected() ? 0 : std::min(longest_pause, std::max(first_pause, 1.5 * pause));
    next_call = in_seconds(pause);
}

void Live::tell_answer(Link::Answer answer)
{
    switch (answer) {
    case Link::Answer::connected:
        told.clear();
        has_told_nobody = true;
        last_round = next_refresh = {};
        was_paused = false;
        tell("ParaView at " + place + " is connected");
        break;
    case Link::Answer::closed:
        tell_nobody();
        break;
    case Link::Answer::silent:
        tell_once(
            "--live: " + place +
            " takes calls but says nothing: it is no ParaView, or one that is busy; it is dialled again "
            "and again");
        break;
    case Link::Answer::strange:
        tell_once("--live: port " + std::to_string(port) + " of " + host +
                  " belongs to a program that is no ParaView; it is dialled again and again");
        break;
    case Link::Answer::version:
        tell_once("--live: the ParaView at " + place + " is of another version; this program needs " +
                  PARAVIEW_VERSION ", and dials again and again");
        break;
    }
}

void Live::lose()
{
    std::string line = "ParaView at " + place;
    line += link.was_cut() ? " does not answer: it was cut off (--live), and can connect again" : " has left";
    if (was_paused)
        line += "; its pause is over";
    if (!stop || !stop()) // then it is we who leave
        tell(line);
    is_behind = was_paused = false;
    looked_at.assign(channels.size(), false);
    pause = 0;
    next_call = in_seconds(first_pause);
}

// ---- A round.

// Sources that somebody looks at, or all.
std::vector<vtkSMSourceProxy *> Live::sources(bool all) const
{
    const std::set<vtkAlgorithm *> wanted = link.wanted();
    std::vector<vtkSMSourceProxy *> result;
    vtkNew<vtkSMProxyIterator> each;
    each->SetSessionProxyManager(manager());
    each->SetModeToOneGroup();
    for (each->Begin("sources"); !each->IsAtEnd(); each->Next()) {
        auto *source = vtkSMSourceProxy::SafeDownCast(each->GetProxy());
        if (source && (all || wanted.count(vtkAlgorithm::SafeDownCast(source->GetClientSideObject()))))
            result.push_back(source);
    }
    return result;
}

// Marks the channels that a source is made of.
void Live::mark(vtkSMProxy *proxy, std::vector<bool> &marked) const
{
    for (size_t i = 0; i < producers.size(); i++)
        if (producers[i] == proxy)
            marked[i] = true;
    for (unsigned i = 0; i < proxy->GetNumberOfProducers(); i++)
        mark(proxy->GetProducerProxy(i), marked);
}

// Who looks at a channel, or at what is made of it.
void Live::note_looks()
{
    looked_at.assign(channels.size(), false);
    for (vtkSMSourceProxy *source : sources(false))
        mark(source, looked_at);
}

void Live::schedule(ws_schedule *out) const
{
    *out = {};
    out->has_live = 1;
    for (size_t i = 0; i < channels.size(); i++) {
        const uint32_t wants = wants_of(channels[i].kind);
        if (wants == WS_WANTS_WEIGHTS || needed[i] || looked_at[i])
            ws_layer_set_add(&out->live, channels[i].layer, wants);
    }
}

void Live::update_wanted(const Build &build, bool is_new)
{
    const auto began = Clock::now();
    const bool is_refresh = began >= next_refresh;
    const bool all = is_refresh && is_new;
    is_behind = is_refresh && !is_new;
    const std::vector<vtkSMSourceProxy *> wanted = sources(all);
    std::vector<bool> marked(channels.size(), all);
    for (vtkSMSourceProxy *source : wanted)
        mark(source, marked);
    note_looks();
    for (size_t i = 0; i < channels.size(); i++) {
        // A step that comes again has more in it.
        const bool is_built = built_at[i] == step && !is_new && channels[i].kind != Channel::Kind::status;
        if (!marked[i] || is_built)
            continue;
        const auto data = build(i);
        if (data)
            set(i, data, step);
        else if (is_new)
            misses[i]++;
        else if (misses[i] < most_misses)
            is_behind = true;
    }
    watchdog.arm();
    for (vtkSMSourceProxy *source : wanted)
        source->UpdatePipeline(static_cast<double>(step));
    watchdog.disarm();
    if (all)
        next_refresh = in_seconds(std::max(refresh_seconds, seconds_since(began) / refresh_share));
}

void Live::round(const Build &build, bool is_new)
{
    try {
        const auto time = static_cast<double>(step);
        bool is_there = link.update(time, static_cast<long long>(step));
        if (is_there) {
            was_paused = link.is_paused();
            knobs.read_wishes(commands);
            update_wanted(build, is_new);
            is_there = link.deliver(time, static_cast<long long>(step));
        }
        if (!is_there)
            lose();
    } catch (...) {
        link.drop();
        lose();
        throw;
    }
    last_round = Clock::now();
}

} // namespace weightscape
