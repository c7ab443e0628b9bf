// SPDX-License-Identifier: BSD-3-Clause
// What ParaView's plugin manager asks a plugin for.
#include "reader_commands.h"
#include "reader_xml.h" // generated

#include <vtkPVPlugin.h>
#include <vtkPVServerManagerPluginInterface.h>
#include <vtkPVVersion.h>
#include <vtkProcessModule.h>
#include <vtkSMProxyManager.h>

#include <string>

namespace weightscape
{

namespace
{

class ReaderPlugin : public vtkPVPlugin, public vtkPVServerManagerPluginInterface
{
  public:
    const char *GetPluginName() override { return "WeightscapeReader"; }
    const char *GetPluginVersionString() override { return WEIGHTSCAPE_VERSION; }
    bool GetRequiredOnServer() override { return true; }
    bool GetRequiredOnClient() override { return true; }
    const char *GetRequiredPlugins() override { return ""; }
    const char *GetDescription() override { return "Opens recordings of trainings (.wsrec)."; }
    const char *GetEULA() override { return nullptr; }

    void GetXMLs(std::vector<std::string> &xmls) override { xmls.push_back(reader_xml); }
    vtkClientServerInterpreterInitializer::InterpreterInitializationCallback
    GetInitializeInterpreterCallback() override
    {
        return add_reader_commands;
    }
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
    static weightscape::ReaderPlugin plugin;
    const std::string running = weightscape::running_version();
    if (running == PARAVIEW_VERSION_FULL)
        return &plugin;
    vtkGenericWarningMacro(
        "WeightscapeReader is built for ParaView " PARAVIEW_VERSION_FULL ", and this is ParaView "
        << running << ": build Weightscape with it");
    return nullptr;
}
