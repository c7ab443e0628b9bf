// SPDX-License-Identifier: BSD-3-Clause
#include "layout.h"

#include "charts.h"
#include "connection.h"
#include "extracts.h"
#include "landscape.h"
#include "status_view.h"

#include <pqActiveObjects.h>
#include <pqApplicationCore.h>
#include <pqLiveInsituVisualizationManager.h>
#include <pqObjectBuilder.h>
#include <pqOutputPort.h>
#include <pqPipelineSource.h>
#include <pqRenderView.h>
#include <pqServer.h>
#include <pqServerManagerModel.h>

#include <vtkNew.h>
#include <vtkSMAnimationSceneProxy.h>
#include <vtkSMParaViewPipelineControllerWithRendering.h>
#include <vtkSMPropertyHelper.h>
#include <vtkSMSessionProxyManager.h>
#include <vtkSMSourceProxy.h>
#include <vtkSMViewLayoutProxy.h>
#include <vtkSMViewProxy.h>

#include <QTimer>

#include <vector>

namespace weightscape
{

namespace
{

constexpr int most_landscapes = 4;

pqServerManagerModel *model()
{
    return pqApplicationCore::instance()->getServerManagerModel();
}

bool is_reader(pqPipelineSource *source)
{
    return source && source->getProxy() && QString(source->getProxy()->GetXMLName()) == "WeightscapeReader";
}

// The reader that is selected, else the only one there is.
pqPipelineSource *chosen_reader()
{
    pqPipelineSource *active = pqActiveObjects::instance().activeSource();
    if (is_reader(active))
        return active;
    QList<pqPipelineSource *> readers;
    for (pqPipelineSource *source : model()->findItems<pqPipelineSource *>())
        if (is_reader(source))
            readers.append(source);
    return readers.size() == 1 ? readers[0] : nullptr;
}

// The tab in front if nothing is shown in it, as after the start; else a new one.
vtkSMViewLayoutProxy *free_tab(pqServer *server)
{
    vtkSMViewLayoutProxy *front = pqActiveObjects::instance().activeLayout();
    const std::vector<vtkSMViewProxy *> views = front ? front->GetViews() : std::vector<vtkSMViewProxy *>();
    auto *only = views.size() == 1 ? model()->findItem<pqView *>(views[0]) : nullptr;
    if (only && only->getNumberOfVisibleDataRepresentations() == 0) {
        pqApplicationCore::instance()->getObjectBuilder()->destroy(only);
        return front;
    }
    vtkSMSessionProxyManager *proxies = server->proxyManager();
    auto made = vtkSmartPointer<vtkSMProxy>::Take(proxies->NewProxy("misc", "ViewLayout"));
    vtkNew<vtkSMParaViewPipelineControllerWithRendering> controller;
    controller->InitializeProxy(made);
    controller->RegisterLayoutProxy(made, "Weightscape");
    return vtkSMViewLayoutProxy::SafeDownCast(made);
}

// Views from left to right, equally wide, in the cell `location`.
void in_a_row(vtkSMViewLayoutProxy *layout, int location, QList<pqView *> views)
{
    while (views.size() > 1) {
        const int first = layout->SplitHorizontal(location, 1.0 / views.size());
        layout->AssignView(first, views.takeFirst()->getViewProxy());
        location = first + 1;
    }
    if (!views.isEmpty())
        layout->AssignView(location, views[0]->getViewProxy());
}

} // namespace

Layout::Layout(Connection *used, QObject *parent)
    : QObject(parent), connection(used), extracts(new Extracts(used, this))
{
    connect(connection, &Connection::updated, this, &Layout::go_on_waiting);
}

bool Layout::training_rests() const
{
    return connection->state() == Connection::State::live && extracts->status("state") == "paused";
}

QString Layout::lay_out()
{
    if (connection->training())
        return lay_out_live();
    if (pqPipelineSource *reader = chosen_reader())
        return lay_out_reader(reader);
    return "nothing to lay out: connect to a training, or open a recording and select it";
}

QString Layout::lay_out_live()
{
    for (const QString &name : extracts->available())
        if (name.startsWith("weights_")) {
            is_waiting = true;
            rounds = 0;
            return "";
        }
    return "the program that is connected has no channel weights_...: it is no Weightscape training";
}

// ParaView makes extracts empty, and fills them some steps later.
void Layout::go_on_waiting()
{
    if (!is_waiting)
        return;
    Channels channels;
    bool is_complete = true;
    const auto take = [&](const QString &name) -> pqOutputPort * {
        pqPipelineSource *extract = extracts->of(name);
        is_complete = extract && Extracts::has_data(extract) && is_complete;
        return extract ? extract->getOutputPort(0) : nullptr;
    };
    for (const QString &name : extracts->available()) {
        if (name.startsWith("weights_") && channels.weights.size() < most_landscapes)
            channels.weights.append({name.mid(8), take(name)});
        else if (name.startsWith("trajectory_") && !name.endsWith("_points"))
            channels.trajectories.append(
                {name.mid(11), channels.trajectories.isEmpty() ? take(name) : nullptr});
        else if (name == "norms")
            channels.norms = take(name);
        else if (name == "status")
            channels.status = take(name);
    }
    if (!is_complete)
        return;
    is_waiting = false;
    // When this step has been answered: making views takes some seconds.
    QTimer::singleShot(0, this, [this, channels] { show(channels); });
}

void Layout::show(const Channels &channels)
{
    if (!connection->training())
        return;
    arrange(channels, connection->manager()->displaySession());
    auto *knobs = model()->findItem<pqPipelineSource *>(connection->source("Knobs"));
    if (knobs)
        pqActiveObjects::instance().setActiveSource(knobs);
    Q_EMIT laid_out();
}

QString Layout::lay_out_recording(const QString &path)
{
    pqObjectBuilder *builder = pqApplicationCore::instance()->getObjectBuilder();
    pqPipelineSource *reader = builder->createReader("sources", "WeightscapeReader", {path},
                                                     pqActiveObjects::instance().activeServer());
    return reader ? lay_out_reader(reader) : path + ": no reader for it";
}

QString Layout::lay_out_reader(pqPipelineSource *reader)
{
    pqObjectBuilder *builder = pqApplicationCore::instance()->getObjectBuilder();
    vtkSMSourceProxy *proxy = reader->getSourceProxy();
    const QString path = vtkSMPropertyHelper(proxy, "FileName").GetAsString();
    proxy->UpdatePipelineInformation();
    vtkSMPropertyHelper names(proxy, "LayerInfo");
    Channels channels;
    for (unsigned int i = 0; i < names.GetNumberOfElements() && i < most_landscapes; i++) {
        // A reader shows one layer.
        pqPipelineSource *of_layer =
            i == 0 ? reader
                   : builder->createReader("sources", "WeightscapeReader", {path}, reader->getServer());
        vtkSMPropertyHelper(of_layer->getProxy(), "Layer").Set(names.GetAsString(i));
        of_layer->getProxy()->UpdateVTKObjects();
        of_layer->updatePipeline();
        of_layer->setModifiedState(pqProxy::UNMODIFIED);
        channels.weights.append({names.GetAsString(i), of_layer->getOutputPort(0)});
        channels.trajectories.append({names.GetAsString(i), of_layer->getOutputPort(2)});
    }
    if (channels.weights.isEmpty())
        return path + ": holds no convolution, or cannot be read";
    channels.norms = reader->getOutputPort(1);
    vtkNew<vtkSMParaViewPipelineControllerWithRendering> controller;
    vtkSMAnimationSceneProxy::UpdateAnimationUsingDataTimeSteps(
        controller->GetAnimationScene(reader->getServer()->session()));
    // The end shows the whole curves.
    controller->GetAnimationScene(reader->getServer()->session())->InvokeCommand("GoToLast");
    arrange(channels, reader->getServer());
    pqActiveObjects::instance().setActiveSource(reader);
    Q_EMIT laid_out();
    return "";
}

void Layout::arrange(const Channels &channels, pqServer *server)
{
    pqActiveObjects::instance().setActiveServer(server);
    vtkSMViewLayoutProxy *tab = free_tab(server);
    QList<pqView *> above, below;
    QList<Chart> charts;
    for (const LayerOutput &weights : channels.weights)
        above.append(make_landscape(weights));
    if (channels.norms) {
        pqOutputPort *curves = make_curves(channels.norms, "Curves");
        charts.append(make_norms(curves));
        charts.append(make_progress(curves));
    }
    if (!channels.trajectories.isEmpty())
        charts.append(make_walk(channels.trajectories[0]));
    for (const Chart &chart : charts)
        below.append(chart.view);
    const int top = tab->SplitVertical(0, below.isEmpty() ? 1.0 : 0.55);
    int landscapes = top;
    if (channels.status) {
        landscapes = tab->SplitHorizontal(top, 0.82);
        tab->AssignView(landscapes + 1, make_status(channels.status)->getViewProxy());
    }
    in_a_row(tab, landscapes, above);
    in_a_row(tab, top + 1, below);
    for (pqView *view : above + below)
        view->render();
    // When the views have got their sizes.
    QTimer::singleShot(0, this, [above, charts] {
        for (pqView *view : above)
            fit(qobject_cast<pqRenderView *>(view));
        for (const Chart &chart : charts) {
            chart.draw();
            chart.view->forceRender();
            chart.view->resetDisplay();
        }
    });
    pqActiveObjects::instance().setActiveView(above[0]);
}

} // namespace weightscape
