// SPDX-License-Identifier: BSD-3-Clause
#include "extracts.h"

#include "connection.h"

#include <pqApplicationCore.h>
#include <pqLiveInsituVisualizationManager.h>
#include <pqOutputPort.h>
#include <pqPipelineSource.h>
#include <pqServer.h>
#include <pqServerManagerModel.h>

#include <vtkAlgorithm.h>
#include <vtkClientServerStream.h>
#include <vtkDataObject.h>
#include <vtkPVDataInformation.h>
#include <vtkSMLiveInsituLinkProxy.h>
#include <vtkSMSession.h>
#include <vtkSMSessionProxyManager.h>
#include <vtkSMSourceProxy.h>
#include <vtkStringArray.h>
#include <vtkTable.h>

#include <QVariant>

namespace weightscape
{

namespace
{

constexpr const char *prefix = "Extract: "; // ParaView's

pqServerManagerModel *model()
{
    return pqApplicationCore::instance()->getServerManagerModel();
}

QList<pqPipelineSource *> all_extracts()
{
    QList<pqPipelineSource *> found;
    for (pqPipelineSource *source : model()->findItems<pqPipelineSource *>())
        if (source->property("CATALYST_EXTRACT").toBool())
            found.append(source);
    return found;
}

} // namespace

Extracts::Extracts(Connection *used, QObject *parent) : QObject(parent), connection(used)
{
    connect(connection, &Connection::connected, this, &Extracts::go_on);
    connect(connection, &Connection::updated, this, &Extracts::mark);
}

QStringList Extracts::available() const
{
    QStringList names;
    if (connection->training())
        for (pqPipelineSource *source : model()->findItems<pqPipelineSource *>(connection->training()))
            names.append(source->getSMName());
    return names;
}

pqPipelineSource *Extracts::find(const QString &name) const
{
    for (pqPipelineSource *extract : all_extracts())
        if (extract->getSMName() == prefix + name)
            return extract;
    return nullptr;
}

pqPipelineSource *Extracts::of(const QString &name)
{
    if (pqPipelineSource *known = find(name))
        return known;
    vtkSMSourceProxy *source = connection->source(name.toUtf8().data());
    auto *item = model()->findItem<pqPipelineSource *>(source);
    if (!item || !connection->manager()->addExtract(item->getOutputPort(0)))
        return nullptr;
    return find(name);
}

bool Extracts::has_data(pqPipelineSource *extract)
{
    vtkSMSourceProxy *proxy = extract->getSourceProxy();
    proxy->UpdatePipeline();
    const int type = proxy->GetDataInformation(0)->GetDataSetType();
    return type != -1 && type != VTK_DATA_OBJECT;
}

QString Extracts::status(const char *column) const
{
    pqPipelineSource *extract = find("status");
    auto *algorithm =
        extract ? vtkAlgorithm::SafeDownCast(extract->getProxy()->GetClientSideObject()) : nullptr;
    auto *table = algorithm ? vtkTable::SafeDownCast(algorithm->GetOutputDataObject(0)) : nullptr;
    auto *texts = table ? vtkStringArray::SafeDownCast(table->GetColumnByName(column)) : nullptr;
    return texts && texts->GetNumberOfValues() > 0 ? QString::fromStdString(texts->GetValue(0)) : "";
}

// ParaView knows the extracts of its own connection. Those of one that has ended are made known to the
// training's side of the link by the same message, and are marked here when a step has come.
void Extracts::go_on()
{
    resumed.clear();
    for (pqPipelineSource *extract : all_extracts()) {
        const QString name = extract->getSMName().mid(int(strlen(prefix)));
        if (extract->getServer() == connection->manager()->displaySession() && resume(name, extract))
            resumed.append(extract);
    }
}

bool Extracts::resume(const QString &name, pqPipelineSource *extract)
{
    vtkSMSourceProxy *source = connection->source(name.toUtf8().data());
    vtkSMLiveInsituLinkProxy *link = connection->manager()->getProxy();
    if (!source || !link || link->HasExtract("sources", name.toUtf8().data(), 0))
        return false;
    vtkClientServerStream stream;
    stream << vtkClientServerStream::Invoke << VTKOBJECT(link) << "RegisterExtract"
           << VTKOBJECT(extract->getProxy()) << "sources" << name.toUtf8().data() << 0
           << vtkClientServerStream::End;
    link->GetSession()->ExecuteStream(link->GetLocation(), stream);
    return true;
}

void Extracts::mark()
{
    for (const QPointer<pqPipelineSource> &extract : resumed)
        if (extract)
            extract->getProxy()->MarkModified(extract->getProxy());
}

} // namespace weightscape
