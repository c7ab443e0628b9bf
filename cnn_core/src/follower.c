/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/follower.h"
#include "cnn/status.h"
#include "sharing.h"

static int step(cnn_follower *follower, const cnn_order *order)
{
    cnn_trainer *trainer = follower->trainer;
    if (trainer->step != order->step)
        return cnn_fail(CNN_RANKS_FAILED, "is at step %llu, rank 0 is at %llu",
                        (unsigned long long)trainer->step, (unsigned long long)order->step);
    const int turned = order->detail ? cnn_sharing_take_terms(trainer) : CNN_OK;
    if (turned)
        return turned;
    const int status = cnn_trainer_step(trainer, NULL, NULL);
    return status == CNN_NOT_FINITE ? CNN_OK : status;
}

int cnn_follower_obey(cnn_follower *follower, const cnn_order *order)
{
    cnn_evaluation ignored;
    if (order->kind == CNN_ORDER_STATE)
        return cnn_sharing_take_state(follower->ranks, follower->train, follower->threads, &follower->net,
                                      &follower->trainer);
    if (!follower->trainer)
        return cnn_fail(CNN_BAD_ARGUMENT, "order %u: there is no state yet", order->kind);
    switch (order->kind) {
    case CNN_ORDER_STEP:
        return step(follower, order);
    case CNN_ORDER_EVALUATION:
        return cnn_evaluate_shared(follower->ranks, follower->net, follower->validation, order->detail,
                                   follower->threads, &ignored);
    case CNN_ORDER_CHECK:
        return cnn_sharing_compare(follower->trainer);
    default:
        return cnn_fail(CNN_BAD_ARGUMENT, "order %u: is none that is known here", order->kind);
    }
}

void cnn_follower_close(cnn_follower *follower)
{
    cnn_trainer_free(follower->trainer);
    cnn_net_free(follower->net);
    follower->trainer = NULL;
    follower->net = NULL;
}
