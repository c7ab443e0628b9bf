// SPDX-License-Identifier: BSD-3-Clause
// What of a live training is brought into ParaView: a source for each channel that is looked at.
#ifndef WEIGHTSCAPE_GUI_EXTRACTS_H
#define WEIGHTSCAPE_GUI_EXTRACTS_H

#include <QMap>
#include <QObject>
#include <QPointer>
#include <QStringList>

class pqPipelineSource;

namespace weightscape
{

class Connection;

// ParaView's own extracts, with one thing more: when another training comes, or the same one again, they go
// on with it, and with them all that was built on them.
class Extracts : public QObject
{
    Q_OBJECT

  public:
    Extracts(Connection *connection, QObject *parent);

    // Names of the training's sources, in order.
    QStringList available() const;
    // The extract of a source of the training; made if there is none yet. nullptr if there is no such source.
    pqPipelineSource *of(const QString &name);
    // Whether its data have come; they need some steps.
    static bool has_data(pqPipelineSource *extract);

    // A text of the channel `status`, if that is among the extracts; else "".
    QString status(const char *column) const;

  private Q_SLOTS:
    void go_on();
    void mark();

  private:
    pqPipelineSource *find(const QString &name) const;
    bool resume(const QString &name, pqPipelineSource *extract);

    Connection *connection;
    QList<QPointer<pqPipelineSource>> resumed; // of an earlier connection, which ParaView knows no more
};

} // namespace weightscape

#endif
