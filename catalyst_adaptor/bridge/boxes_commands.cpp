// SPDX-License-Identifier: BSD-3-Clause
#include "boxes_commands.h"

#include "boxes.h"

#include <vtkClientServerInterpreter.h>
#include <vtkClientServerStream.h>

namespace weightscape
{

namespace
{

using Stream = vtkClientServerStream;

constexpr const char *class_name = "WeightscapeBoxes";
constexpr const char *superclass = "vtkAlgorithm";

vtkObjectBase *make(void *)
{
    return WeightscapeBoxes::New();
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
int call(vtkClientServerInterpreter *interpreter, vtkObjectBase *object, const char *method,
         const Stream &message, Stream &result, void *)
{
    if (message.GetNumberOfArguments(0) == 3 && set(static_cast<WeightscapeBoxes *>(object), method, message))
        return 1;
    result.Reset();
    return interpreter->CallCommandFunction(superclass, object, method, message, result);
}

} // namespace

void add_boxes_commands(vtkClientServerInterpreter *interpreter)
{
    interpreter->AddNewInstanceFunction(class_name, make);
    interpreter->AddCommandFunction(class_name, call);
}

} // namespace weightscape
