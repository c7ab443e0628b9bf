/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether all ranks are still the same. */
#include "cnn/status.h"
#include "sharing_parts.h"
#include <stdlib.h>
#include <string.h>

enum { LANES = 8 };

static uint64_t hash_of(const float *values, size_t count)
{
    uint64_t lanes[LANES], hash = count;
    uint32_t words[LANES];
    for (int l = 0; l < LANES; l++)
        lanes[l] = (uint64_t)l + 1;
    for (size_t i = 0; i < count; i += LANES) {
        const size_t here = count - i < LANES ? count - i : LANES;
        memcpy(words, values + i, here * sizeof(float));
        for (size_t l = 0; l < here; l++)
            lanes[l] = ((lanes[l] ^ words[l]) * 0x9E3779B97F4A7C15u) ^ (lanes[l] >> 29);
    }
    for (int l = 0; l < LANES; l++)
        hash = ((hash ^ lanes[l]) * 0x9E3779B97F4A7C15u) ^ (hash >> 32);
    return hash;
}

int cnn_sharing_compare(const cnn_trainer *trainer)
{
    const cnn_ranks *ranks = trainer->sharing->ranks;
    const uint64_t mine = hash_of(trainer->net->parameters, trainer->net->parameter_count);
    uint64_t *all = calloc((size_t)ranks->count, sizeof *all);
    if (!all)
        return cnn_fail(CNN_NO_MEMORY, "trainer: no memory for %d ranks", ranks->count);
    int status = ranks->gather(ranks->context, &mine, sizeof mine, all);
    for (int i = 1; i < ranks->count && !status; i++)
        if (all[i] != all[0])
            status = cnn_fail(CNN_RANKS_FAILED, "step %llu: the parameters of %s are not those of rank 0",
                              (unsigned long long)trainer->step, ranks->name(ranks->context, i));
    free(all);
    return status;
}

int cnn_trainer_check(cnn_trainer *trainer)
{
    if (!cnn_sharing_leads(trainer) || !trainer->sharing->is_told)
        return CNN_OK;
    const int status = cnn_order_give(trainer->sharing->ranks, CNN_ORDER_CHECK, 0, trainer->step);
    return status ? status : cnn_sharing_compare(trainer);
}
