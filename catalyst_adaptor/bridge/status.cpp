// SPDX-License-Identifier: BSD-3-Clause
#include "status.h"

#include "frame.h"
#include "mapping.h"

#include <vtkDoubleArray.h>
#include <vtkLongLongArray.h>
#include <vtkNew.h>
#include <vtkStringArray.h>
#include <vtkTable.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <jansson.h>
#include <limits>
#include <memory>

namespace weightscape
{

namespace
{

using Entries = std::vector<std::pair<std::string, std::string>>;

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

// As people read numbers: six digits, with a dot whatever the locale.
std::string short_text(double value)
{
    char text[40];
    return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6).ptr};
}

// Texts and numbers as they are, "" for anything else.
std::string text_of(const json_t *value)
{
    if (json_is_string(value))
        return {json_string_value(value), json_string_length(value)};
    if (json_is_integer(value))
        return std::to_string(json_integer_value(value));
    if (json_is_real(value))
        return short_text(json_real_value(value));
    if (json_is_boolean(value))
        return json_is_true(value) ? "yes" : "no";
    return "";
}

// A view shows one line as one line.
std::string one_line(std::string text)
{
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    return text;
}

std::string words(std::string name)
{
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
}

void add_line(std::string &text, const std::string &name, const std::string &value)
{
    if (!value.empty())
        text += "\n" + words(name) + ": " + one_line(value);
}

void add_line(std::string &text, const std::string &name, double value)
{
    if (!std::isnan(value))
        add_line(text, name, short_text(value));
}

std::string find(const Entries &entries, const char *name)
{
    for (const auto &[known, value] : entries)
        if (known == name)
            return value;
    return "";
}

template <class Array, class Value>
void add_column(vtkTable *table, const std::string &name, const Value &value)
{
    vtkNew<Array> array;
    array->SetName(name.c_str());
    array->InsertNextValue(value);
    table->AddColumn(array);
}

} // namespace

std::string Status::take(const char *json)
{
    json_error_t error;
    const std::unique_ptr<json_t, void (*)(json_t *)> root(json_loads(json, 0, &error), json_decref);
    if (!root)
        return std::string("the status is no JSON: ") + error.text;
    if (!json_is_object(root.get()))
        return "the status is no JSON object";
    entries.clear();
    knob_values.clear();
    numbers.clear();
    const char *name;
    json_t *value;
    json_object_foreach (root.get(), name, value) {
        if (json_is_number(value))
            numbers[name] = json_number_value(value);
        if (!json_is_object(value))
            entries.emplace_back(name, text_of(value));
    }
    json_object_foreach (json_object_get(root.get(), "knobs"), name, value)
        knob_values.emplace_back(name, text_of(value));
    return "";
}

std::string Status::text(const void *frame) const
{
    const ws_frame_header *head = ws_frame_head(frame);
    const ws_scalars &scalars = head->scalars;
    std::string text = "step: " + std::to_string(head->step);
    add_line(text, "epoch", scalars.epoch);
    add_line(text, "loss", scalars.loss);
    add_line(text, "accuracy", scalars.accuracy);
    add_line(text, "validation_loss", scalars.validation_loss);
    add_line(text, "validation_accuracy", scalars.validation_accuracy);
    add_line(text, "learning_rate_now", scalars.learning_rate);
    for (const auto &[name, value] : entries)
        add_line(text, name, value);
    for (const auto &[name, value] : knob_values)
        add_line(text, "  " + name, value);
    return text;
}

vtkSmartPointer<vtkDataObject> Status::build(const void *frame) const
{
    const ws_frame_header *head = ws_frame_head(frame);
    const ws_scalars &scalars = head->scalars;
    const auto table = vtkSmartPointer<vtkTable>::New();
    // The first column, and of this name: ParaView shows such a table of one row as a text in a view.
    add_column<vtkStringArray>(table, "Text", text(frame));
    add_column<vtkLongLongArray>(table, "step", static_cast<long long>(head->step));
    const std::pair<const char *, double> values[] = {
        {"epoch", scalars.epoch},
        {"time_s", scalars.time_s},
        {"loss", scalars.loss},
        {"accuracy", scalars.accuracy},
        {"learning_rate", scalars.learning_rate},
        {"validation_loss", scalars.validation_loss},
        {"validation_accuracy", scalars.validation_accuracy},
    };
    for (const auto &[name, value] : values)
        add_column<vtkDoubleArray>(table, name, value);
    for (const char *name : {"images_per_s", "overhead"}) {
        const auto found = numbers.find(name);
        add_column<vtkDoubleArray>(table, name, found == numbers.end() ? no_value : found->second);
    }
    for (const char *name : {"state", "paused_by", "refused"})
        add_column<vtkStringArray>(table, name, find(entries, name));
    for (const auto &[name, value] : knob_values)
        add_column<vtkStringArray>(table, "knob_" + name, value);
    add_state(table, frame);
    return table;
}

} // namespace weightscape
