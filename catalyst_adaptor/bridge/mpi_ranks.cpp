// SPDX-License-Identifier: BSD-3-Clause
#include "mpi_ranks.h"

#include <vtkMPI.h> // first of these: it is MPI's header, made safe

#include <vtkMPICommunicator.h>
#include <vtkMPIController.h>
#include <vtkNew.h>

namespace weightscape
{

void be_one_rank()
{
    int has_begun = 0, has_ended = 0;
    MPI_Initialized(&has_begun);
    MPI_Finalized(&has_ended);
    if (!has_begun || has_ended)
        return;
    static MPI_Comm own = MPI_COMM_SELF;
    vtkMPICommunicatorOpaqueComm opaque(&own);
    vtkNew<vtkMPICommunicator> ranks;
    ranks->InitializeExternal(&opaque);
    vtkMPIController *controller = vtkMPIController::New(); // stays, as ParaView does
    controller->SetCommunicator(ranks);
    vtkMultiProcessController::SetGlobalController(controller);
}

} // namespace weightscape
