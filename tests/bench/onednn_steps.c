/* SPDX-License-Identifier: BSD-3-Clause */
#include "onednn_steps.h"
#include <string.h>

int onednn_ok(onednn *d, dnnl_status_t status, const char *what)
{
    if (d->failed == dnnl_success && status != dnnl_success) {
        d->failed = status;
        d->failed_at = what;
    }
    return d->failed == dnnl_success;
}

void onednn_create(onednn *d)
{
    memset(d, 0, sizeof *d);
    if (onednn_ok(d, dnnl_engine_create(&d->engine, dnnl_cpu, 0), "engine"))
        onednn_ok(d, dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags), "stream");
}

void onednn_free(onednn *d)
{
    for (int i = 0; i < d->memory_count; i++)
        dnnl_memory_destroy(d->memories[i]);
    if (d->stream)
        dnnl_stream_destroy(d->stream);
    if (d->engine)
        dnnl_engine_destroy(d->engine);
}

float *onednn_data(onednn *d, dnnl_memory_t memory)
{
    void *data = NULL;
    if (memory)
        onednn_ok(d, dnnl_memory_get_data_handle(memory, &data), "data");
    return data;
}

static const dnnl_memory_desc_t *layout_of(dnnl_memory_t memory)
{
    const dnnl_memory_desc_t *layout = NULL;
    dnnl_memory_get_memory_desc(memory, &layout);
    return layout;
}

size_t onednn_count(onednn *d, dnnl_memory_t memory)
{
    return d->failed || !memory ? 0 : dnnl_memory_desc_get_size(layout_of(memory)) / sizeof(float);
}

dnnl_memory_t onednn_memory(onednn *d, const dnnl_memory_desc_t *layout, void *data)
{
    dnnl_memory_t memory;
    if (d->failed || d->memory_count == MEMORIES_MOST) {
        onednn_ok(d, dnnl_out_of_memory, "memories");
        return NULL;
    }
    if (!onednn_ok(d, dnnl_memory_create(&memory, layout, d->engine, data ? data : DNNL_MEMORY_ALLOCATE),
                   "memory"))
        return NULL;
    d->memories[d->memory_count++] = memory;
    if (!data && onednn_data(d, memory))
        memset(onednn_data(d, memory), 0, dnnl_memory_desc_get_size(layout));
    return memory;
}

dnnl_primitive_desc_t onednn_describe(onednn *d, const void *operation, dnnl_primitive_attr_t attributes,
                                      dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t found = NULL;
    if (!d->failed)
        onednn_ok(d, dnnl_primitive_desc_create(&found, operation, attributes, d->engine, hint), "primitive");
    return found;
}

const dnnl_memory_desc_t *onednn_layout(dnnl_primitive_desc_t primitive, dnnl_query_t what)
{
    return primitive ? dnnl_primitive_desc_query_md(primitive, what, 0) : NULL;
}

static onednn_step *append(onednn *d, onednn_list *list)
{
    if (d->failed || list->count == STEPS_MOST) {
        onednn_ok(d, dnnl_out_of_memory, "steps");
        return NULL;
    }
    onednn_step *step = &list->steps[list->count++];
    *step = (onednn_step){.primitive = NULL};
    return step;
}

void onednn_step_add(onednn *d, onednn_list *list, dnnl_primitive_desc_t primitive,
                     const dnnl_exec_arg_t *arguments)
{
    onednn_step *step = append(d, list);
    if (!step)
        return;
    for (; arguments->arg; arguments++)
        step->arguments[step->argument_count++] = *arguments;
    onednn_ok(d, dnnl_primitive_create(&step->primitive, primitive), "primitive");
}

void onednn_function_add(onednn *d, onednn_list *list, void (*function)(void *, int), int index)
{
    onednn_step *step = append(d, list);
    if (step)
        *step = (onednn_step){.function = function, .index = index};
}

void onednn_reorder(onednn *d, onednn_list *list, dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_primitive_desc_t reorder;
    if (d->failed || !onednn_ok(d,
                                dnnl_reorder_primitive_desc_create(&reorder, layout_of(from), d->engine,
                                                                   layout_of(to), d->engine, NULL),
                                "reorder"))
        return;
    onednn_step_add(d, list, reorder,
                    (dnnl_exec_arg_t[]){{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {0, NULL}});
    dnnl_primitive_desc_destroy(reorder);
}

dnnl_memory_t onednn_as(onednn *d, onednn_list *list, dnnl_memory_t from, const dnnl_memory_desc_t *layout)
{
    if (d->failed || !layout || dnnl_memory_desc_equal(layout_of(from), layout))
        return from;
    const dnnl_memory_t to = onednn_memory(d, layout, NULL);
    onednn_reorder(d, list, from, to);
    return to;
}

void onednn_run(onednn *d, const onednn_list *list, void *context)
{
    for (int i = 0; i < list->count; i++) {
        const onednn_step *step = &list->steps[i];
        if (step->function)
            step->function(context, step->index);
        else
            onednn_ok(
                d, dnnl_primitive_execute(step->primitive, d->stream, step->argument_count, step->arguments),
                "run");
    }
    onednn_ok(d, dnnl_stream_wait(d->stream), "wait");
}

void onednn_list_free(onednn_list *list)
{
    for (int i = 0; i < list->count; i++)
        if (list->steps[i].primitive)
            dnnl_primitive_destroy(list->steps[i].primitive);
}
