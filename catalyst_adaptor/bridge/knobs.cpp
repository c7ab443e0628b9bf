// SPDX-License-Identifier: BSD-3-Clause
#include "knobs.h"

#include "knobs_xml.h" // generated

#include <vtkNew.h>
#include <vtkSMParaViewPipelineController.h>
#include <vtkSMPropertyHelper.h>
#include <vtkSMProxy.h>
#include <vtkSMProxyDefinitionManager.h>
#include <vtkSMSessionProxyManager.h>

#include <charconv>
#include <stdexcept>

namespace weightscape
{

namespace
{

constexpr const char *reals[] = {"learning_rate", "momentum",        "weight_decay", "dropout",
                                 "overhead",      "merge_threshold", "live_rate"};
constexpr const char *wholes[] = {"batch", "pause_at", "stop_after_epoch"};
// In this order: what is asked for with one Apply is done in it.
constexpr const char *actions[] = {"checkpoint", "merge_now",  "pause", "continue",
                                   "step",       "undo_merge", "stop"};
constexpr const char *schedules[] = {"constant", "cosine", "step"};

// The shortest of 17 digits, which read back to the same number, with a dot whatever the locale.
std::string text_of(double value)
{
    char text[40];
    return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, 17).ptr};
}

double real(vtkSMProxy *proxy, const char *name)
{
    return vtkSMPropertyHelper(proxy, name).GetAsDouble();
}

long long whole(vtkSMProxy *proxy, const char *name)
{
    return vtkSMPropertyHelper(proxy, name).GetAsIdType();
}

// As the program's --schedule has it.
std::string schedule_of(vtkSMProxy *proxy)
{
    const long long kind = whole(proxy, "schedule");
    std::string text = kind >= 0 && kind < 3 ? schedules[kind] : std::to_string(kind);
    if (kind == 1)
        text += ",floor=" + text_of(real(proxy, "schedule_floor"));
    if (kind == 2)
        text += ",every=" + std::to_string(whole(proxy, "schedule_every")) +
                ",factor=" + text_of(real(proxy, "schedule_factor"));
    const long long warmup = whole(proxy, "schedule_warmup");
    return warmup ? text + ",warmup=" + std::to_string(warmup) : text;
}

template <class Number> bool parse(const std::string &text, Number &out)
{
    const auto result = std::from_chars(text.data(), text.data() + text.size(), out);
    return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

template <class Number, class Property> void set(vtkSMProxy *proxy, const char *name, const std::string &text)
{
    Number value;
    if (parse(text, value))
        vtkSMPropertyHelper(proxy, name).Set(static_cast<Property>(value));
}

void set_schedule(vtkSMProxy *proxy, const std::string &text)
{
    std::map<std::string, std::string> pairs;
    size_t comma = text.find(',');
    const std::string kind = text.substr(0, comma);
    while (comma != std::string::npos) {
        const size_t next = text.find(',', comma + 1);
        const std::string pair = text.substr(comma + 1, next == std::string::npos ? next : next - comma - 1);
        const size_t equals = pair.find('=');
        if (equals != std::string::npos)
            pairs[pair.substr(0, equals)] = pair.substr(equals + 1);
        comma = next;
    }
    for (int i = 0; i < 3; i++)
        if (kind == schedules[i])
            vtkSMPropertyHelper(proxy, "schedule").Set(i);
    set<double, double>(proxy, "schedule_floor", pairs.count("floor") ? pairs["floor"] : "0");
    set<double, double>(proxy, "schedule_factor", pairs.count("factor") ? pairs["factor"] : "0.1");
    set<long long, vtkIdType>(proxy, "schedule_warmup", pairs.count("warmup") ? pairs["warmup"] : "0");
    if (pairs.count("every"))
        set<long long, vtkIdType>(proxy, "schedule_every", pairs["every"]);
}

} // namespace

Knobs::Knobs(vtkSMSessionProxyManager *manager)
{
    static bool is_defined = false;
    if (!is_defined && !manager->GetProxyDefinitionManager()->LoadConfigurationXMLFromString(knobs_xml))
        throw std::runtime_error("ParaView does not take the definition of the knobs");
    is_defined = true;
    proxy.TakeReference(manager->NewProxy("sources", "WeightscapeKnobs"));
    if (!proxy)
        throw std::runtime_error("ParaView makes no knobs");
    vtkNew<vtkSMParaViewPipelineController> controller;
    controller->PreInitializeProxy(proxy);
    controller->PostInitializeProxy(proxy);
    manager->RegisterProxy("sources", "Knobs", proxy);
    known = read();
}

Knobs::~Knobs() = default;

void Knobs::turn_to(const Status &status)
{
    for (const auto &[name, value] : status.knobs()) {
        if (name == "schedule")
            set_schedule(proxy, value);
        for (const char *each : reals)
            if (name == each)
                set<double, double>(proxy, each, value);
        for (const char *each : wholes)
            if (name == each)
                set<long long, vtkIdType>(proxy, each, value);
    }
    proxy->UpdateVTKObjects();
    known = read();
}

std::map<std::string, std::string> Knobs::read() const
{
    std::map<std::string, std::string> values;
    for (const char *name : reals)
        values[name] = text_of(real(proxy, name));
    for (const char *name : wholes)
        values[name] = std::to_string(whole(proxy, name));
    values["schedule"] = schedule_of(proxy);
    for (const char *name : actions)
        values[std::string("action ") + name] = std::to_string(whole(proxy, name));
    return values;
}

void Knobs::read_wishes(std::deque<Command> &commands)
{
    std::map<std::string, std::string> values = read();
    const auto add = [&](const std::string &key, const char *name, const std::string &value) {
        if (values[key] != known[key])
            commands.push_back({name, value});
    };
    for (const char *name : reals)
        add(name, name, values[name]);
    add("schedule", "schedule", values["schedule"]);
    for (const char *name : wholes)
        add(name, name, values[name]);
    const std::string steps = std::to_string(whole(proxy, "step_count"));
    for (const char *name : actions)
        add(std::string("action ") + name, name, name == std::string("step") ? steps : "");
    known.swap(values);
}

} // namespace weightscape
