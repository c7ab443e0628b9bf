// SPDX-License-Identifier: BSD-3-Clause
#include "reader_commands.h"

#include "reader.h"
#include "reader_proxy.h"

#include <vtkClientServerInterpreter.h>
#include <vtkClientServerStream.h>

#include <cstring>

namespace weightscape
{

namespace
{

using Stream = vtkClientServerStream;

constexpr const char *class_name = "WeightscapeReader";
constexpr const char *superclass = "vtkAlgorithm";
// For an element of reader.xml whose name is this without "vtkSM".
constexpr const char *proxy_name = "vtkSMWeightscapeReaderProxy";

vtkObjectBase *make(void *)
{
    return WeightscapeReader::New();
}

vtkObjectBase *make_proxy(void *)
{
    return ReaderProxy::New();
}

bool set(WeightscapeReader *reader, const std::string &method, const char *text)
{
    if (method == "SetFileName")
        reader->SetFileName(text);
    else if (method == "SetLayer")
        reader->SetLayer(text);
    else
        return false;
    return true;
}

bool get(WeightscapeReader *reader, const std::string &method, Stream &result)
{
    result.Reset();
    result << Stream::Reply;
    if (method == "GetLayers")
        for (const std::string &layer : reader->layers())
            result << layer.c_str();
    else if (method == "GetNeedsUpdate")
        result << reader->GetNeedsUpdate();
    else if (method == "Refresh")
        reader->Refresh();
    else
        return false;
    result << Stream::End;
    return true;
}

// A message is: object, method, arguments of the method.
int call(vtkClientServerInterpreter *interpreter, vtkObjectBase *object, const char *method,
         const Stream &message, Stream &result, void *)
{
    auto *reader = static_cast<WeightscapeReader *>(object);
    const int arguments = message.GetNumberOfArguments(0) - 2;
    const char *text;
    if (arguments == 1 && message.GetArgument(0, 2, &text) && set(reader, method, text))
        return 1;
    if (arguments == 0 && get(reader, method, result))
        return 1;
    result.Reset();
    return interpreter->CallCommandFunction(superclass, object, method, message, result);
}

} // namespace

void add_reader_commands(vtkClientServerInterpreter *interpreter)
{
    interpreter->AddNewInstanceFunction(class_name, make);
    interpreter->AddNewInstanceFunction(proxy_name, make_proxy);
    interpreter->AddCommandFunction(class_name, call);
}

} // namespace weightscape
