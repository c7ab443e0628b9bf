// SPDX-License-Identifier: BSD-3-Clause
// What ParaView's plugin manager asks a plugin for. One file for all: the window loads it, and so do pvserver
// and pvpython, which never ask for the interfaces of the window.
#include "filter_commands.h"
#include "plugin_xml.h" // generated
#include "reader_commands.h"
#ifdef WEIGHTSCAPE_GUI
#include "gui/interfaces.h"
#include <vtkPVGUIPluginInterface.h>
#endif

#include <vtkPVPlugin.h>
#include <vtkPVServerManagerPluginInterface.h>
#include <vtkPVVersion.h>
#include <vtkProcessModule.h>
#include <vtkSMProxyManager.h>

#include <cstdlib>
#include <string>

namespace weightscape
{

namespace
{

void add_commands(vtkClientServerInterpreter *interpreter)
{
    add_reader_commands(interpreter);
    add_filter_commands(interpreter);
}

class Plugin : public vtkPVPlugin,
#ifdef WEIGHTSCAPE_GUI
               public vtkPVGUIPluginInterface,
#endif
               public vtkPVServerManagerPluginInterface
{
  public:
    const char *GetPluginName() override { return "Weightscape"; }
    const char *GetPluginVersionString() override { return WEIGHTSCAPE_VERSION; }
    bool GetRequiredOnServer() override { return true; }
    bool GetRequiredOnClient() override { return true; }
    const char *GetRequiredPlugins() override { return ""; }
    const char *GetDescription() override
    {
        return "Trainings of Weightscape: live, with knobs, and as recordings (.wsrec).";
    }
    const char *GetEULA() override { return nullptr; }

    void GetXMLs(std::vector<std::string> &xmls) override
    {
        for (const char *text : plugin_xml)
            xmls.push_back(text);
    }
    vtkClientServerInterpreterInitializer::InterpreterInitializationCallback
    GetInitializeInterpreterCallback() override
    {
        return add_commands;
    }
#ifdef WEIGHTSCAPE_GUI
    QObjectList interfaces() override
    {
        return gui_interfaces();
    }
#endif
};

// The ParaView of this process as "5.11.0". Without a process module the libraries that this plugin is linked
// with have been loaded for its sake, beside those of the ParaView that runs.
std::string running_version()
{
    if (!vtkProcessModule::GetProcessModule())
        return "another";
    const std::string text = vtkSMProxyManager::GetParaViewSourceVersion();
    return text.substr(text.rfind(' ') + 1);
}

} // namespace

} // namespace weightscape

extern "C" __attribute__((visibility("default"))) vtkPVPlugin *pv_plugin_instance()
{
    static weightscape::Plugin plugin;
    const std::string running = weightscape::running_version();
    if (running == PARAVIEW_VERSION_FULL) {
#ifndef WEIGHTSCAPE_GUI
        if (std::getenv("WEIGHTSCAPE_GUI"))
            vtkGenericWarningMacro("this Weightscape is built without toolbar and layout: apt-get install "
                                   "qtbase5-dev, and build it again");
#endif
        return &plugin;
    }
    vtkGenericWarningMacro(
        "Weightscape is built for ParaView " PARAVIEW_VERSION_FULL ", and this is ParaView "
        << running << ": build Weightscape with it");
    return nullptr;
}
