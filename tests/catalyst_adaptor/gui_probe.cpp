// SPDX-License-Identifier: BSD-3-Clause
// Preloaded into a program with Qt: tells a test where its widgets are, so that it can press them as a hand
// does. Five times a second the file $GUI_PROBE gets a line for each widget and each entry of a menu that can
// be seen: parent/name, class, x, y, width, height on the screen, whether it is enabled, whether it is
// checked, text; tabs between them.
#include <QAction>
#include <QApplication>
#include <QFile>
#include <QMenu>
#include <QMenuBar>
#include <QSaveFile>
#include <QTimer>
#include <QToolButton>
#include <QVariant>
#include <QWidget>

namespace
{

// Of a button of a toolbar that of its action.
QString name_of(const QWidget *widget)
{
    const auto *button = qobject_cast<const QToolButton *>(widget);
    if (button && button->defaultAction())
        return button->defaultAction()->objectName();
    return widget->objectName();
}

QString text_of(const QWidget *widget)
{
    for (const char *property : {"text", "title", "windowTitle"}) {
        const QString text = widget->property(property).toString();
        if (!text.isEmpty())
            return text.simplified();
    }
    return "";
}

QString line(const QString &name, const QString &type, const QPoint &place, const QSize &size,
             bool is_enabled, bool is_checked, const QString &text)
{
    const QStringList parts = {name,
                               type,
                               QString::number(place.x()),
                               QString::number(place.y()),
                               QString::number(size.width()),
                               QString::number(size.height()),
                               is_enabled ? "1" : "0",
                               is_checked ? "1" : "0",
                               text};
    return parts.join('\t') + "\n";
}

QString line_of(const QWidget *widget)
{
    const QString parent = widget->parentWidget() ? name_of(widget->parentWidget()) : "";
    return line(parent + "/" + name_of(widget), widget->metaObject()->className(),
                widget->mapToGlobal(QPoint(0, 0)), widget->size(), widget->isEnabled(),
                widget->property("checked").toBool(), text_of(widget));
}

// The entries of a menu, or of the bar of menus.
template <class Menu> QString entries_of(const QWidget *widget)
{
    QString lines;
    const auto *menu = qobject_cast<const Menu *>(widget);
    for (QAction *action : menu ? menu->actions() : QList<QAction *>()) {
        const QRect rect = menu->actionGeometry(action);
        lines += line("menu/" + action->text().remove('&'), "QAction", menu->mapToGlobal(rect.topLeft()),
                      rect.size(), action->isEnabled(), action->isChecked(), action->text());
    }
    return lines;
}

void tell()
{
    QSaveFile file(qEnvironmentVariable("GUI_PROBE"));
    if (!file.open(QIODevice::WriteOnly))
        return;
    for (const QWidget *widget : QApplication::allWidgets())
        if (widget->isVisible() && !widget->visibleRegion().isEmpty())
            file.write((line_of(widget) + entries_of<QMenu>(widget) + entries_of<QMenuBar>(widget)).toUtf8());
    file.commit();
}

void start()
{
    auto *timer = new QTimer(qApp);
    QObject::connect(timer, &QTimer::timeout, tell);
    timer->start(200);
}

} // namespace

Q_COREAPP_STARTUP_FUNCTION(start)
