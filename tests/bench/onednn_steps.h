/* SPDX-License-Identifier: BSD-3-Clause */
/* oneDNN's primitives as lists of steps that are made once and run again and again. The first call that fails
 * is kept, all later ones then do nothing. */
#ifndef ONEDNN_STEPS_H
#define ONEDNN_STEPS_H

#include <oneapi/dnnl/dnnl.h>
#include <stddef.h>

enum { STEPS_MOST = 256, STEP_ARGUMENTS = 6, MEMORIES_MOST = 512 };

/* A primitive, or what oneDNN has none for. */
typedef struct onednn_step {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[STEP_ARGUMENTS];
    int argument_count;
    void (*function)(void *context, int index);
    int index;
} onednn_step;

typedef struct onednn_list {
    onednn_step steps[STEPS_MOST];
    int count;
} onednn_list;

typedef struct onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_t memories[MEMORIES_MOST];
    int memory_count;
    dnnl_status_t failed;
    const char *failed_at;
} onednn;

void onednn_create(onednn *d);
void onednn_free(onednn *d);

/* Notes a failure; true while there was none. */
int onednn_ok(onednn *d, dnnl_status_t status, const char *what);

/* Memory of a layout, owned by d; zeroed. With data: around it, borrowed. */
dnnl_memory_t onednn_memory(onednn *d, const dnnl_memory_desc_t *layout, void *data);
float *onednn_data(onednn *d, dnnl_memory_t memory);
/* Floats, padding included. */
size_t onednn_count(onednn *d, dnnl_memory_t memory);

/* The same values in a layout: the memory itself, or another, and a step in the list that fills it. */
dnnl_memory_t onednn_as(onednn *d, onednn_list *list, dnnl_memory_t from, const dnnl_memory_desc_t *layout);
/* A step that copies values from one layout to another. */
void onednn_reorder(onednn *d, onednn_list *list, dnnl_memory_t from, dnnl_memory_t to);

/* A primitive for an operation; NULL after a failure. The caller frees it after the lists are made. */
dnnl_primitive_desc_t onednn_describe(onednn *d, const void *operation, dnnl_primitive_attr_t attributes,
                                      dnnl_primitive_desc_t hint);
const dnnl_memory_desc_t *onednn_layout(dnnl_primitive_desc_t primitive, dnnl_query_t what);

/* Appends a primitive with its arguments, pairs of number and memory up to a number 0. */
void onednn_step_add(onednn *d, onednn_list *list, dnnl_primitive_desc_t primitive,
                     const dnnl_exec_arg_t *arguments);
void onednn_function_add(onednn *d, onednn_list *list, void (*function)(void *, int), int index);

void onednn_run(onednn *d, const onednn_list *list, void *context);
void onednn_list_free(onednn_list *list);

#endif
