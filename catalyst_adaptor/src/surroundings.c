/* SPDX-License-Identifier: BSD-3-Clause */
#include "surroundings.h"
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* Open MPI and PRRTE, what all of them speak, Slurm, MPICH and its kin, Cray, LSF, Flux. */
static const char *const of_launchers[] = {"OMPI_",    "OPAL_",     "ORTE_",     "PRTE_", "PMIX_",  "PMI_",
                                           "PMI2_",    "SLURM_",    "MPI_",      "MPIR_", "I_MPI_", "MPICH_",
                                           "MPIEXEC_", "HYDRA_",    "HYDI_",     "MV2_",  "PALS_",  "ALPS_",
                                           "JSM_",     "FLUX_JOB_", "FLUX_TASK_"};

static int is_of_launcher(const char *variable)
{
    for (size_t i = 0; i < sizeof of_launchers / sizeof *of_launchers; i++)
        if (strncmp(variable, of_launchers[i], strlen(of_launchers[i])) == 0)
            return 1;
    return 0;
}

char **ws_surroundings_of_child(void)
{
    size_t count = 0, kept = 0;
    while (environ && environ[count])
        count++;
    char **variables = calloc(count + 1, sizeof *variables);
    for (size_t i = 0; variables && i < count; i++)
        if (!is_of_launcher(environ[i]))
            variables[kept++] = environ[i];
    return variables;
}
