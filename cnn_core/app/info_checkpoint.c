/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/checkpoint.h"
#include "cnn/status.h"
#include "info_parts.h"
#include "json_number.h"
#include "text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int is_floating(cnn_dtype dtype)
{
    return dtype == CNN_F32 || dtype == CNN_F64 || dtype == CNN_F16 || dtype == CNN_BF16;
}

static json_t *shape_of(const cnn_tensor *tensor)
{
    json_t *shape = json_array();
    for (int i = 0; i < tensor->rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
    return shape;
}

/* Norm over the finite values, and how many are not. */
static int add_values(const cnn_safetensors *file, const cnn_tensor *tensor, json_t *object)
{
    float *values = memory_of(tensor->count, sizeof *values);
    const int status = cnn_safetensors_floats(file, tensor, 0, values);
    double squares = 0;
    uint64_t not_finite = 0;
    for (uint64_t i = 0; i < tensor->count && !status; i++) {
        if (isfinite(values[i]))
            squares += (double)values[i] * (double)values[i];
        else
            not_finite++;
    }
    free(values);
    json_object_set_new(object, "l2", json_number(sqrt(squares)));
    json_object_set_new(object, "not_finite", json_integer((json_int_t)not_finite));
    return status;
}

static int add_tensors(const cnn_safetensors *file, json_t *info)
{
    json_t *list = json_array();
    json_object_set_new(info, "tensors", list);
    int status = CNN_OK;
    for (size_t i = 0; i < cnn_safetensors_count(file) && !status; i++) {
        const cnn_tensor *tensor = cnn_safetensors_at(file, i);
        json_t *object = json_pack("{s:s, s:s, s:o}", "name", tensor->name, "dtype",
                                   cnn_dtype_name(tensor->dtype), "shape", shape_of(tensor));
        json_array_append_new(list, object);
        if (is_floating(tensor->dtype))
            status = add_values(file, tensor, object);
    }
    return status;
}

/* NULL: it has none. */
static const char *checksum_of(const cnn_safetensors *file)
{
    static const char *const names[] = {[CNN_CHECKSUM_RIGHT] = "right", [CNN_CHECKSUM_WRONG] = "wrong"};
    return names[cnn_safetensors_checksum(file)];
}

static json_t *description(const cnn_checkpoint_info *about, const char *checksum)
{
    json_t *info = json_pack("{s:s, s:s?, s:I, s:I, s:s?}", "kind", "checkpoint", "net", about->net, "step",
                             (json_int_t)about->step, "seed", (json_int_t)about->seed, "checksum", checksum);
    if (about->input.c)
        json_object_set_new(info, "input",
                            json_pack("[i,i,i]", about->input.c, about->input.h, about->input.w));
    if (about->classes)
        json_object_set_new(info, "classes", json_integer(about->classes));
    if (about->has_optimizer)
        json_object_set_new(info, "optimizer", json_string(cnn_optimizer_name(about->optimizer)));
    return info;
}

/* The history of merges, which is JSON already. */
static int add_merges(const cnn_safetensors *file, json_t *info)
{
    const char *text = cnn_safetensors_metadata(file, "merges");
    if (!text)
        return CNN_OK;
    json_t *merges = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_array(merges)) {
        json_decref(merges);
        return cnn_fail(CNN_BAD_FILE, "%s: metadata merges is not a JSON list", cnn_safetensors_path(file));
    }
    json_object_set_new(info, "merges", merges);
    return CNN_OK;
}

int info_of_checkpoint(const char *path, json_t **out)
{
    cnn_safetensors *file;
    int status = cnn_safetensors_open(path, &file);
    if (status)
        return status;
    cnn_checkpoint_info about;
    status = cnn_checkpoint_describe(file, &about);
    if (!status) {
        json_t *info = description(&about, checksum_of(file));
        status = add_merges(file, info);
        if (!status)
            status = add_tensors(file, info);
        if (status)
            json_decref(info);
        else
            *out = info;
    }
    cnn_safetensors_close(file);
    return status;
}

static void print_tensor(const json_t *tensor)
{
    const json_t *shape = json_object_get(tensor, "shape"), *norm = json_object_get(tensor, "l2"),
                 *not_finite = json_object_get(tensor, "not_finite");
    char *shape_text = json_dumps(shape, JSON_COMPACT);
    printf("  %-44s %-5s %-16s", json_string_value(json_object_get(tensor, "name")),
           json_string_value(json_object_get(tensor, "dtype")), shape_text);
    free(shape_text);
    if (norm)
        printf(" L2 %.6g", json_number_value(norm));
    if (json_integer_value(not_finite))
        printf("  %lld values are not finite", (long long)json_integer_value(not_finite));
    putchar('\n');
}

/* Whatever a foreign hand has put there is printed as it is. */
static void print_merge(const json_t *merge)
{
    char threshold[48] = "", change[80] = "";
    const json_t *from = json_object_get(merge, "threshold"),
                 *predicted = json_object_get(merge, "predicted"),
                 *measured = json_object_get(merge, "measured");
    const char *layer = json_string_value(json_object_get(merge, "layer")),
               *method = json_string_value(json_object_get(merge, "method"));
    if (json_is_number(from))
        snprintf(threshold, sizeof threshold, " from %g", json_number_value(from));
    if (json_is_number(predicted))
        snprintf(change, sizeof change, ", loss predicted %+.6f", json_number_value(predicted));
    printf("  step %-8lld %s %lld -> %lld, %s%s%s",
           (long long)json_integer_value(json_object_get(merge, "step")), layer ? layer : "?",
           (long long)json_integer_value(json_object_get(merge, "before")),
           (long long)json_integer_value(json_object_get(merge, "after")), method ? method : "?", threshold,
           change);
    if (json_is_number(measured))
        printf(", measured %+.6f", json_number_value(measured));
    putchar('\n');
}

void info_print_checkpoint(const json_t *info)
{
    const char *net = json_string_value(json_object_get(info, "net")),
               *optimizer = json_string_value(json_object_get(info, "optimizer")),
               *checksum = json_string_value(json_object_get(info, "checksum"));
    printf("checkpoint\n  network    %s\n  step       %lld\n  seed       %lld\n  optimizer  %s\n"
           "  checksum   %s\n",
           net ? net : "not told", (long long)json_integer_value(json_object_get(info, "step")),
           (long long)json_integer_value(json_object_get(info, "seed")), optimizer ? optimizer : "no state",
           checksum ? checksum : "none");
    size_t index;
    const json_t *tensor, *merge, *merges = json_object_get(info, "merges");
    if (json_array_size(merges))
        puts("merges");
    json_array_foreach(merges, index, merge) print_merge(merge);
    puts("tensors");
    json_array_foreach(json_object_get(info, "tensors"), index, tensor) print_tensor(tensor);
}
