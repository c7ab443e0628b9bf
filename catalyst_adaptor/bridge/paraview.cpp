// SPDX-License-Identifier: BSD-3-Clause
#include "python.h" // first: Python's header wants to be

#include "paraview.h"

#include "messages.h"
#if WEIGHTSCAPE_MPI
#include "mpi_ranks.h"
#endif

#include <vtkCPProcessor.h>
#include <vtkInitializationHelper.h>
#include <vtkProcessModule.h>
#include <vtkProcessModuleConfiguration.h>
#include <vtkPythonInterpreter.h>

namespace weightscape
{

std::string start_paraview()
{
    static vtkCPProcessor *processor = nullptr;
    if (processor)
        return "";
    std::string problem = start_python();
    if (!problem.empty())
        return problem;
    catch_messages();
    const PythonLock lock;
    // What scripts print is theirs, and goes where the host's output goes.
    vtkPythonInterpreter::SetRedirectOutput(false);
    vtkPythonInterpreter::Initialize();
    // As vtkCPProcessor would do it, but for MPI: started in a single process, it runs a daemon and takes
    // over signals. A host that has started MPI keeps it.
#if WEIGHTSCAPE_MPI
    be_one_rank();
#endif
    char name[] = "weightscape", no_mpi[] = "--no-mpi";
    char *arguments[] = {name, no_mpi, nullptr};
    vtkInitializationHelper::SetLoadSettingsFilesDuringInitialization(false);
    vtkProcessModuleConfiguration::GetInstance()->SetSymmetricMPIMode(true);
    if (!vtkInitializationHelper::Initialize(2, arguments, vtkProcessModule::PROCESS_BATCH))
        return "vtkInitializationHelper does not initialize";
    processor = vtkCPProcessor::New();
    return processor->Initialize() ? "" : "vtkCPProcessor does not initialize";
}

} // namespace weightscape
