/* SPDX-License-Identifier: BSD-3-Clause */
#include "diagnose_filters.h"
#include "checkpoints.h"
#include "cnn/groups.h"
#include "cnn/probe.h"
#include "cnn/similarity.h"
#include "cnn/status.h"
#include "data_source.h"
#include "run_network.h"
#include "run_record.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES 64
#define SEED   1
#define STATES 12 /* of a run with more checkpoints so many are looked at, evenly chosen */

/* The run's own training images, if they are still where they were. */
static int load_probe(const json_t *record, const char *folder, cnn_probe *out)
{
    const json_t *options = json_object_get(record, "options"), *data = json_object_get(record, "data"),
                 *net = json_object_get(record, "net");
    const char *path = folder ? folder : json_string_value(json_object_get(options, "data"));
    cnn_data loaded;
    if (!path)
        return cnn_fail(CNN_BAD_FILE, "the record does not tell where the images are (--data does)");
    int status =
        data_source_load(path, (int)json_integer_value(json_object_get(net, "classes")),
                         (uint32_t)json_integer_value(json_object_get(data, "validation")), 0, &loaded);
    if (status)
        return status;
    const data_print print = data_source_print(&loaded);
    status = run_record_check_data(record, &print);
    if (!status)
        status = cnn_probe_create(&loaded.train, IMAGES, SEED, out);
    cnn_data_free(&loaded);
    return status;
}

static int count_distinct(const cnn_similarity *similarity, double threshold, int *out)
{
    const cnn_groups_options options = {.threshold = threshold, .minimum = 1};
    int32_t *group = memory_of((size_t)similarity->count, sizeof *group);
    const int groups =
        cnn_groups_find(similarity->pearson, similarity->state, similarity->count, &options, group);
    *out = groups;
    for (int i = 0; i < similarity->count && groups >= 0; i++)
        *out += group[i] < 0;
    free(group);
    return groups < 0 ? groups : CNN_OK;
}

static int look_at_layer(cnn_net *net, int index, const cnn_probe *probe, const filters_wish *wish,
                         uint64_t step, json_t *list)
{
    cnn_similarity similarity;
    int distinct = 0, dead = 0;
    int status = cnn_similarity_measure(net, index, &probe->set, NULL, &similarity);
    if (status)
        return status;
    for (int i = 0; i < similarity.count; i++)
        dead += similarity.state[i] == CNN_UNIT_DEAD;
    status = count_distinct(&similarity, wish->threshold, &distinct);
    if (!status)
        json_array_append_new(list, json_pack("{s:I, s:s, s:i, s:i, s:i}", "step", (json_int_t)step, "layer",
                                              net->layers[index].name, "filters", similarity.count, "dead",
                                              dead, "distinct", distinct));
    cnn_similarity_free(&similarity);
    return status;
}

static int look(const run_folder *folder, const json_t *record, uint64_t step, const cnn_probe *probe,
                const filters_wish *wish, json_t *list)
{
    cnn_net *net;
    int status = run_network_load(folder, record, step, &net);
    if (status)
        return status;
    for (int i = 0; i < net->layer_count && !status; i++)
        if (net->layers[i].kind == CNN_CONV && (!wish->layer || !strcmp(wish->layer, net->layers[i].name)))
            status = look_at_layer(net, i, probe, wish, step, list);
    cnn_net_free(net);
    return status;
}

/* Step 0, and the checkpoints; the newest is always among them. */
static int look_at_all(const run_folder *folder, const json_t *record, const cnn_probe *probe,
                       const filters_wish *wish, json_t *list)
{
    checkpoint_list saved;
    int status = checkpoint_list_read(folder->checkpoints, &saved);
    if (status)
        return status;
    status = look(folder, record, 0, probe, wish, list);
    const size_t states = saved.count < STATES ? saved.count : STATES;
    for (size_t i = 0; i < states && !status; i++) {
        const size_t at = (i + 1) * saved.count / states - 1;
        status = look(folder, record, saved.files[at].step, probe, wish, list);
    }
    checkpoint_list_free(&saved);
    return status;
}

int diagnose_filters(const run_folder *folder, const json_t *record, const filters_wish *wish, json_t **out)
{
    cnn_probe probe;
    int status = load_probe(record, wish->data, &probe);
    if (status)
        return status;
    json_t *list = json_array();
    status = look_at_all(folder, record, &probe, wish, list);
    cnn_probe_free(&probe);
    if (status)
        json_decref(list);
    else
        *out = list;
    return status;
}

static long long whole(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

void diagnose_filters_print(const json_t *list, double threshold)
{
    size_t i;
    json_t *row;
    if (!json_array_size(list))
        return;
    printf("\n%-10s %10s %10s %10s  %s %.2f\n", "filters", "step", "filters", "dead", "distinct, at",
           threshold);
    json_array_foreach((json_t *)list, i, row)
    {
        printf("%-10s %10lld %10lld %10lld  %12lld\n", json_string_value(json_object_get(row, "layer")),
               whole(row, "step"), whole(row, "filters"), whole(row, "dead"), whole(row, "distinct"));
    }
}
