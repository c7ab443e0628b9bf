// SPDX-License-Identifier: BSD-3-Clause
// Short ways to set properties of ParaView's proxies.
#ifndef WEIGHTSCAPE_GUI_PROPERTIES_H
#define WEIGHTSCAPE_GUI_PROPERTIES_H

#include <vtkSMPropertyHelper.h>
#include <vtkSMProxy.h>

#include <QStringList>

#include <initializer_list>

namespace weightscape
{

// What this version of ParaView does not have stays as it is. UpdateVTKObjects has to follow.
template <class Value> void set(vtkSMProxy *proxy, const char *name, std::initializer_list<Value> values)
{
    vtkSMPropertyHelper helper(proxy, name, true);
    helper.SetNumberOfElements(static_cast<unsigned int>(values.size()));
    unsigned int i = 0;
    for (const Value value : values)
        helper.Set(i++, value);
}

inline void set(vtkSMProxy *proxy, const char *name, int value)
{
    vtkSMPropertyHelper(proxy, name, true).Set(value);
}

inline void set(vtkSMProxy *proxy, const char *name, double value)
{
    vtkSMPropertyHelper(proxy, name, true).Set(value);
}

inline void set(vtkSMProxy *proxy, const char *name, const char *value)
{
    vtkSMPropertyHelper(proxy, name, true).Set(value);
}

inline void set(vtkSMProxy *proxy, const char *name, const QStringList &values)
{
    vtkSMPropertyHelper helper(proxy, name, true);
    helper.SetNumberOfElements(static_cast<unsigned int>(values.size()));
    for (int i = 0; i < values.size(); i++)
        helper.Set(static_cast<unsigned int>(i), values[i].toUtf8().data());
}

// A render view as a page to print: white, without the marks that help to turn things.
inline void white_page(vtkSMProxy *view)
{
    set(view, "UseColorPaletteForBackground", 0);
    set(view, "BackgroundColorMode", 0);
    set(view, "Background", {1.0, 1.0, 1.0});
    set(view, "OrientationAxesVisibility", 0);
    set(view, "CenterAxesVisibility", 0);
    // Without a graphics card smooth edges take as long as the rest.
    set(view, "UseFXAA", 0);
    view->UpdateVTKObjects();
}

} // namespace weightscape

#endif
