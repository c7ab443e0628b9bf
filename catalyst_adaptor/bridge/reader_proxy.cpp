// SPDX-License-Identifier: BSD-3-Clause
#include "reader_proxy.h"

#include <vtkCommand.h>
#include <vtkObjectFactory.h>

#include <cstring>

namespace weightscape
{

vtkStandardNewMacro(ReaderProxy);

ReaderProxy::ReaderProxy()
{
    this->AddObserver(vtkCommand::UpdatePropertyEvent, this, &ReaderProxy::property_was_pushed);
}

ReaderProxy::~ReaderProxy() = default;

void ReaderProxy::PostUpdateData(bool using_cache)
{
    this->Superclass::PostUpdateData(using_cache);
    this->UpdatePipelineInformation();
}

void ReaderProxy::property_was_pushed(vtkObject *, unsigned long, void *name)
{
    if (name && std::strcmp(static_cast<const char *>(name), "Refresh") == 0)
        this->UpdatePipelineInformation();
}

} // namespace weightscape
