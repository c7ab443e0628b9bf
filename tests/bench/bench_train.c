/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_train DATA THREADS STEPS: training images per second of the poster's network, batch 100, Adam, on the
 * first STEPS batches of MNIST after a warm-up. Prints one line of JSON. */
#include "cnn/number.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { BATCH = 100, WARM_UP = 20, CLASSES = 10, MAX_STEPS = 100000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int train(cnn_trainer *trainer, uint64_t steps, cnn_step *last)
{
    for (uint64_t i = 0; i < steps; i++) {
        const int status = cnn_trainer_step(trainer, NULL, last);
        if (status != CNN_OK)
            return status;
    }
    return CNN_OK;
}

static int measure(const char *folder, int threads_wanted, uint64_t steps)
{
    cnn_data data = {0};
    cnn_threads *threads = NULL;
    cnn_net *net = NULL;
    cnn_trainer *trainer = NULL;
    const cnn_data_options all = {.classes = CLASSES, .validation = 5000};
    cnn_trainer_options options = {.optimizer = cnn_optimizer_defaults(CNN_ADAM),
                                   .learning_rate = 1e-3,
                                   .total_steps = WARM_UP + steps,
                                   .batch = BATCH};
    cnn_step last;

    int status = cnn_schedule_parse("constant", &options.schedule);
    if (status == CNN_OK)
        status = cnn_data_load(folder, &all, &data);
    if (status == CNN_OK)
        status = cnn_threads_create(threads_wanted, &threads);
    if (status == CNN_OK)
        status = cnn_net_create(CNN_DEFAULT_NET, data.train.shape, CLASSES, 1, &net);
    if (status == CNN_OK)
        status = cnn_trainer_create(&options, net, &data.train, threads, &trainer);
    if (status == CNN_OK)
        status = train(trainer, WARM_UP, &last);
    if (status == CNN_OK) {
        const double start = now();
        status = train(trainer, steps, &last);
        const double seconds = now() - start;
        if (status == CNN_OK)
            printf("{\"images_per_second\": %.1f, \"loss\": %.6g}\n", (double)(steps * BATCH) / seconds,
                   last.loss);
    }
    cnn_trainer_free(trainer);
    cnn_net_free(net);
    cnn_threads_free(threads);
    cnn_data_free(&data);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bench_train DATA THREADS STEPS\n");
        return 2;
    }
    uint64_t threads, steps;
    if (cnn_parse_whole("THREADS", argv[2], 1, 256, &threads) != CNN_OK ||
        cnn_parse_whole("STEPS", argv[3], 1, MAX_STEPS, &steps) != CNN_OK) {
        fprintf(stderr, "bench_train: %s\n", cnn_message());
        return 2;
    }
    if (measure(argv[1], (int)threads, steps) != CNN_OK) {
        fprintf(stderr, "bench_train: %s\n", cnn_message());
        return 1;
    }
    return 0;
}
