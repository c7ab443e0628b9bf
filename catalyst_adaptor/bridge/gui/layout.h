// SPDX-License-Identifier: BSD-3-Clause
// The views of a training, side by side.
#ifndef WEIGHTSCAPE_GUI_LAYOUT_H
#define WEIGHTSCAPE_GUI_LAYOUT_H

#include "channels.h"

#include <QObject>

class pqPipelineSource;
class pqServer;
class pqView;

namespace weightscape
{

class Connection;
class Extracts;

// Lays out boxes of each convolution, norms, progress and the walk, and selects the knobs, so that the
// properties panel shows them.
class Layout : public QObject
{
    Q_OBJECT

  public:
    Layout(Connection *connection, QObject *parent);

    // The training that is live, as soon as its data have come; else the recording that is selected, or the
    // only one that is open. A line that says why not, if so; else "".
    QString lay_out();
    // A recording by its path.
    QString lay_out_recording(const QString &path);

    // Whether the training rests, whoever has let it; known when it is laid out.
    bool training_rests() const;

  Q_SIGNALS:
    void laid_out();

  private Q_SLOTS:
    void go_on_waiting();

  private:
    QString lay_out_live();
    QString lay_out_reader(pqPipelineSource *reader);
    void show(const Channels &channels);
    void arrange(const Channels &channels, pqServer *server);

    Connection *connection;
    Extracts *extracts;
    bool is_waiting = false; // for the data of the training
    int rounds = 0;          // of waiting
};

} // namespace weightscape

#endif
