/* SPDX-License-Identifier: BSD-3-Clause */
#include "child.h"
#include "cmocka_headers.h"
#include "surroundings.h"
#include <stdlib.h>
#include <string.h>

/* As launchers set them. */
static const char *const of_ranks[] = {"OMPI_COMM_WORLD_SIZE", "OMPI_MCA_ess",    "PMIX_RANK",
                                       "PMIX_NAMESPACE",       "PMI_SIZE",        "PMI_FD",
                                       "SLURM_PROCID",         "SLURM_JOB_ID",    "SLURM_STEP_ID",
                                       "PRTE_LAUNCHED",        "HYDI_CONTROL_FD", "MPI_LOCALRANKID",
                                       "I_MPI_HYDRA_UUID",     "PALS_RANKID",     "FLUX_TASK_RANK",
                                       "MV2_COMM_WORLD_RANK"};
/* Of the user, however they begin. */
static const char *const of_users[] = {"WS_TEST_PMI_", "OMP_NUM_THREADS", "SLURMISH", "MPICC", "XSLURM_A"};

enum { RANKS = sizeof of_ranks / sizeof *of_ranks, USERS = sizeof of_users / sizeof *of_users };

static void set_all(int is_set)
{
    for (int i = 0; i < RANKS; i++)
        is_set ? setenv(of_ranks[i], "1", 1) : unsetenv(of_ranks[i]);
    for (int i = 0; i < USERS; i++)
        is_set ? setenv(of_users[i], "1", 1) : unsetenv(of_users[i]);
}

static int has(const char *text, const char *name)
{
    const size_t length = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, name, length) == 0 && line[length] == '=')
            return 1;
    return 0;
}

static void test_a_child_is_no_rank_and_has_all_else(void **state)
{
    (void)state;
    char program[] = "/usr/bin/env", *const argv[] = {program, NULL};
    ws_child_end end;
    char *output;
    set_all(1);
    const int status = ws_child_run(argv, "", 0, 10, &end, &output);
    set_all(0);
    assert_int_equal(status, WS_OK);
    for (int i = 0; i < RANKS; i++)
        assert_false(has(output, of_ranks[i]));
    for (int i = 0; i < USERS; i++)
        assert_true(has(output, of_users[i]));
    assert_true(has(output, "PATH"));
    free(output);
}

static void test_the_host_keeps_its_own(void **state)
{
    (void)state;
    set_all(1);
    char **variables = ws_surroundings_of_child();
    assert_non_null(variables);
    for (int i = 0; i < RANKS; i++)
        assert_string_equal(getenv(of_ranks[i]), "1");
    for (int i = 0; variables[i]; i++)
        assert_string_not_equal(variables[i], "PMIX_RANK=1");
    free(variables);
    set_all(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_child_is_no_rank_and_has_all_else),
        cmocka_unit_test(test_the_host_keeps_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
