// SPDX-License-Identifier: BSD-3-Clause
#include "status_view.h"

#include "properties.h"

#include <pqApplicationCore.h>
#include <pqObjectBuilder.h>
#include <pqOutputPort.h>
#include <pqRenderView.h>
#include <pqServer.h>

#include <vtkNew.h>
#include <vtkSMParaViewPipelineControllerWithRendering.h>
#include <vtkSMSourceProxy.h>
#include <vtkSMViewProxy.h>

namespace weightscape
{

pqRenderView *make_status(pqOutputPort *status)
{
    pqObjectBuilder *builder = pqApplicationCore::instance()->getObjectBuilder();
    auto *view = qobject_cast<pqRenderView *>(
        builder->createView(pqRenderView::renderViewType(), status->getServer()));
    if (!view)
        return nullptr;
    view->rename("status");
    white_page(view->getProxy());
    vtkNew<vtkSMParaViewPipelineControllerWithRendering> controller;
    vtkSMProxy *text = controller->Show(status->getSourceProxy(), static_cast<int>(status->getPortNumber()),
                                        view->getViewProxy(), "TextSourceRepresentation");
    if (text) {
        set(text, "FontSize", 10);
        set(text, "Color", {0.1, 0.1, 0.1});
        set(text, "Justification", "Left");
        set(text, "WindowLocation", "Upper Left Corner");
        text->UpdateVTKObjects();
    }
    return view;
}

} // namespace weightscape
