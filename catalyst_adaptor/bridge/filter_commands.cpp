// SPDX-License-Identifier: BSD-3-Clause
#include "filter_commands.h"

#include "boxes.h"
#include "curves.h"

#include <vtkClientServerInterpreter.h>
#include <vtkClientServerStream.h>

namespace weightscape
{

namespace
{

using Stream = vtkClientServerStream;

constexpr const char *superclass = "vtkAlgorithm";

template <class Filter> vtkObjectBase *make(void *)
{
    return Filter::New();
}

bool set(WeightscapeBoxes *boxes, const std::string &method, const Stream &message)
{
    const char *text;
    double number;
    if (method == "SetArray" && message.GetArgument(0, 2, &text))
        boxes->SetArray(text);
    else if (method == "SetHeight" && message.GetArgument(0, 2, &number))
        boxes->SetHeight(number);
    else if (method == "SetRange" && message.GetArgument(0, 2, &number))
        boxes->SetRange(number);
    else
        return false;
    return true;
}

// A message is: object, method, arguments of the method.
int call_superclass(vtkClientServerInterpreter *interpreter, vtkObjectBase *object, const char *method,
                    const Stream &message, Stream &result, void *)
{
    result.Reset();
    return interpreter->CallCommandFunction(superclass, object, method, message, result);
}

int call_boxes(vtkClientServerInterpreter *interpreter, vtkObjectBase *object, const char *method,
               const Stream &message, Stream &result, void *context)
{
    if (message.GetNumberOfArguments(0) == 3 && set(static_cast<WeightscapeBoxes *>(object), method, message))
        return 1;
    return call_superclass(interpreter, object, method, message, result, context);
}

} // namespace

void add_filter_commands(vtkClientServerInterpreter *interpreter)
{
    interpreter->AddNewInstanceFunction("WeightscapeBoxes", make<WeightscapeBoxes>);
    interpreter->AddCommandFunction("WeightscapeBoxes", call_boxes);
    interpreter->AddNewInstanceFunction("WeightscapeCurves", make<WeightscapeCurves>);
    interpreter->AddCommandFunction("WeightscapeCurves", call_superclass);
}

} // namespace weightscape
