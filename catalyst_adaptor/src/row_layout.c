/* SPDX-License-Identifier: BSD-3-Clause */
#include "row_layout.h"
#include "message.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD_VERSION  1
#define SKETCH_ENDING "_sketch"

static const char *const scalar_names[WS_SCALAR_COLUMNS] = {
    "step", "epoch", "time_s", "loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy",
};
static const char *const norm_endings[] = {"_weight_l2", "_gradient_l2", "_distance_l2"};
static const char *const walk_endings[] = {"_w0", "_w1"};

static const char own_order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
static const char other_order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '>' : '<';

/* What a head says of one column. */
typedef struct described_column {
    const char *name, *type;
    json_int_t count;
} described_column;

/* Any layer's name and any ending fit. */
static void join(char name[WS_COLUMN_NAME_MAX], const char *beginning, const char *ending)
{
    snprintf(name, WS_COLUMN_NAME_MAX, "%.*s%s", WS_NAME_SIZE - 1, beginning, ending);
}

/* Memory for a layout whose layers are still to be named. */
static int begin(ws_row_layout *layout, uint32_t layer_count, uint32_t walks)
{
    *layout = (ws_row_layout){.layer_count = layer_count,
                              .walks = walks,
                              .norm_columns = WS_SCALAR_COLUMNS + 3 * layer_count,
                              .column_count = WS_SCALAR_COLUMNS + 3 * layer_count + 2 * walks};
    const size_t names = (size_t)layout->column_count + layer_count;
    layout->row_bytes =
        layout->column_count * sizeof(double) + (size_t)walks * WS_SKETCH_CELLS * sizeof(float);
    layout->layers = calloc(layer_count + 1, sizeof *layout->layers);
    layout->kinds = calloc(layer_count + 1, sizeof *layout->kinds);
    layout->names = calloc(layout->column_count, sizeof *layout->names);
    layout->text = calloc(names, WS_COLUMN_NAME_MAX);
    if (!layout->layers || !layout->kinds || !layout->names || !layout->text)
        return ws_fail(WS_NO_MEMORY, "no memory for the names of %zu columns", names);
    for (uint32_t i = 0; i < layout->column_count; i++)
        layout->names[i] = layout->text + (size_t)i * WS_COLUMN_NAME_MAX;
    for (uint32_t i = 0; i < layer_count; i++)
        layout->layers[i] = layout->text + ((size_t)layout->column_count + i) * WS_COLUMN_NAME_MAX;
    return WS_OK;
}

static void name_layer(ws_row_layout *layout, uint32_t index, const char *name, size_t length, int32_t kind)
{
    memcpy((char *)layout->layers[index], name, length);
    layout->kinds[index] = kind;
}

static void name_columns(ws_row_layout *layout)
{
    uint32_t next = 0;
    while (next < WS_SCALAR_COLUMNS) {
        join((char *)layout->names[next], scalar_names[next], "");
        next++;
    }
    for (uint32_t i = 0; i < layout->layer_count; i++)
        for (int j = 0; j < 3; j++)
            join((char *)layout->names[next++], layout->layers[i], norm_endings[j]);
    for (uint32_t i = 0; i < layout->layer_count; i++)
        for (int j = 0; j < 2 && layout->kinds[i] == WS_CONVOLUTION; j++)
            join((char *)layout->names[next++], layout->layers[i], walk_endings[j]);
}

/* A head names all columns, so that two heads are equal only if their rows mean the same. Layer names need no
 * escapes. */
static char *make_head(const ws_row_layout *layout)
{
    char *text = NULL;
    size_t size;
    FILE *head = open_memstream(&text, &size);
    if (!head)
        return NULL;
    fprintf(head, "{\"version\": %d, \"columns\": [", HEAD_VERSION);
    for (uint32_t i = 0; i < layout->column_count; i++)
        fprintf(head, "%s[\"%s\", \"%cf8\", 1]", i ? ", " : "", layout->names[i], own_order);
    for (uint32_t i = 0; i < layout->layer_count; i++)
        if (layout->kinds[i] == WS_CONVOLUTION)
            fprintf(head, ", [\"%s" SKETCH_ENDING "\", \"%cf4\", %d]", layout->layers[i], own_order,
                    WS_SKETCH_CELLS);
    fprintf(head, "]}\n");
    if (fclose(head) == 0)
        return text;
    free(text);
    return NULL;
}

static int finish(ws_row_layout *layout)
{
    name_columns(layout);
    layout->head = make_head(layout);
    return layout->head ? WS_OK : ws_fail(WS_NO_MEMORY, "no memory for the head of the histories");
}

/* Hands a layout over, or gives it up. */
static int deliver(ws_row_layout *layout, int status, ws_row_layout *out)
{
    if (status == WS_OK)
        *out = *layout;
    else
        ws_row_layout_free(layout);
    return status;
}

int ws_row_layout_of(const ws_layers *layers, ws_row_layout *out)
{
    ws_row_layout layout;
    uint32_t walks = 0;
    for (uint32_t i = 0; i < layers->count; i++)
        walks += layers->at[i].kind == WS_CONVOLUTION;
    int status = begin(&layout, layers->count, walks);
    for (uint32_t i = 0; status == WS_OK && i < layers->count; i++)
        name_layer(&layout, i, layers->at[i].name, strlen(layers->at[i].name), layers->at[i].kind);
    if (status == WS_OK)
        status = finish(&layout);
    return deliver(&layout, status, out);
}

static int describe_column(const char *path, const json_t *columns, size_t index, described_column *out)
{
    if (json_unpack(json_array_get(columns, index), "[s, s, I!]", &out->name, &out->type, &out->count) != 0)
        return ws_fail(WS_BAD_FILE, "%s: column %zu of its head is not [name, type, count]", path, index);
    if (out->type[0] == other_order)
        return ws_fail(WS_BAD_FILE,
                       "%s: column \"%.64s\" has type \"%.16s\", of the other byte order; here it is '%c'",
                       path, out->name, out->type, own_order);
    return WS_OK;
}

static int read_columns(const char *path, const json_t *root, const json_t **out)
{
    const json_t *version = json_object_get(root, "version");
    const json_t *columns = json_object_get(root, "columns");
    if (!json_is_object(root))
        return ws_fail(WS_BAD_FILE, "%s: its head is no JSON object", path);
    if (!json_is_integer(version))
        return ws_fail(WS_BAD_FILE, "%s: its head names no version", path);
    if (json_integer_value(version) != HEAD_VERSION)
        return ws_fail(WS_BAD_FILE, "%s: its head has version %lld, this program reads %d", path,
                       (long long)json_integer_value(version), HEAD_VERSION);
    if (!json_is_array(columns))
        return ws_fail(WS_BAD_FILE, "%s: its head has no list of columns", path);
    *out = columns;
    return WS_OK;
}

/* Length of `name` without `ending`; 0 if it does not end so. */
static size_t without(const char *name, const char *ending)
{
    const size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0 ? length - end : 0;
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_layer_name(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_letter(name[i]) && (i == 0 || (name[i] != '_' && !(name[i] >= '0' && name[i] <= '9'))))
            return 0;
    return length >= 1 && length < WS_NAME_SIZE;
}

static int is_sketch(const described_column *column)
{
    return column->type[0] == own_order && strcmp(column->type + 1, "f4") == 0 &&
           without(column->name, SKETCH_ENDING) > 0;
}

/* How many layers and sketches there seem to be; check_columns looks closer. */
static int count_parts(const char *path, const json_t *columns, uint32_t *layers, uint32_t *walks)
{
    const size_t count = json_array_size(columns);
    size_t layer_at = WS_SCALAR_COLUMNS;
    *layers = *walks = 0;
    for (size_t i = 0; i < count; i++) {
        described_column column;
        const int status = describe_column(path, columns, i, &column);
        if (status)
            return status;
        *walks += is_sketch(&column);
        if (i == layer_at && without(column.name, norm_endings[0]) > 0) {
            layer_at += 3;
            *layers += 1;
        }
    }
    return WS_OK;
}

static int is_of(const described_column *sketch, const char *layer, size_t length)
{
    return without(sketch->name, SKETCH_ENDING) == length && memcmp(sketch->name, layer, length) == 0;
}

/* Takes the name of layer `index` from its first norm. */
static int read_layer(const char *path, const json_t *columns, uint32_t index, const char **name,
                      size_t *length)
{
    described_column column;
    const int status = describe_column(path, columns, WS_SCALAR_COLUMNS + 3 * (size_t)index, &column);
    if (status)
        return status;
    *name = column.name;
    *length = without(column.name, norm_endings[0]);
    if (is_layer_name(*name, *length))
        return WS_OK;
    return ws_fail(WS_BAD_FILE,
                   "%s: column \"%.64s\": a layer's name is a letter, then letters, digits or _, at most %d",
                   path, column.name, WS_NAME_SIZE - 1);
}

/* The layers that have sketches, which come last and in their order, are the convolutions. */
static int name_layers(const char *path, const json_t *columns, ws_row_layout *layout)
{
    const size_t count = json_array_size(columns);
    size_t next = count - layout->walks;
    described_column sketch = {"", "", 0};
    int status = WS_OK;
    for (uint32_t i = 0; i < layout->layer_count && status == WS_OK; i++) {
        const char *name = NULL;
        size_t length = 0;
        if (next < count)
            status = describe_column(path, columns, next, &sketch);
        if (status == WS_OK)
            status = read_layer(path, columns, i, &name, &length);
        if (status)
            break;
        const int has_sketch = next < count && is_of(&sketch, name, length);
        name_layer(layout, i, name, length, has_sketch ? WS_CONVOLUTION : WS_OTHER);
        next += has_sketch;
    }
    if (status == WS_OK && next < count)
        status = describe_column(path, columns, next, &sketch);
    if (status == WS_OK && next < count)
        status = ws_fail(WS_BAD_FILE, "%s: column %zu of its head, \"%.64s\", is no sketch of a next layer",
                         path, next, sketch.name);
    return status;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int check_names_differ(const char *path, const ws_row_layout *layout)
{
    const char **sorted = malloc((layout->layer_count + 1) * sizeof *sorted);
    if (!sorted)
        return ws_fail(WS_NO_MEMORY, "%s: no memory for the names of %u layers", path, layout->layer_count);
    memcpy(sorted, layout->layers, layout->layer_count * sizeof *sorted);
    qsort(sorted, layout->layer_count, sizeof *sorted, by_text);
    int status = WS_OK;
    for (uint32_t i = 1; i < layout->layer_count && status == WS_OK; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            status = ws_fail(WS_BAD_FILE, "%s: its head has two layers \"%s\"", path, sorted[i]);
    free(sorted);
    return status;
}

static int check_column(const char *path, const json_t *columns, size_t index, const described_column *wanted)
{
    described_column found;
    const int status = describe_column(path, columns, index, &found);
    if (status)
        return status;
    if (strcmp(found.name, wanted->name) == 0 && strcmp(found.type, wanted->type) == 0 &&
        found.count == wanted->count)
        return WS_OK;
    return ws_fail(
        WS_BAD_FILE,
        "%s: column %zu of its head is [\"%.64s\", \"%.16s\", %lld], must be [\"%s\", \"%s\", %lld]", path,
        index, found.name, found.type, (long long)found.count, wanted->name, wanted->type,
        (long long)wanted->count);
}

/* Whether the head's columns are those of these layers, in number, order and type. */
static int check_columns(const char *path, const json_t *columns, const ws_row_layout *layout)
{
    const char float64[] = {own_order, 'f', '8', 0}, float32[] = {own_order, 'f', '4', 0};
    const size_t count = json_array_size(columns), wanted = (size_t)layout->column_count + layout->walks;
    int status = WS_OK;
    size_t next = 0;
    for (; next < layout->column_count && next < count && status == WS_OK; next++)
        status = check_column(path, columns, next, &(described_column){layout->names[next], float64, 1});
    for (uint32_t i = 0; i < layout->layer_count && next < count && status == WS_OK; i++) {
        char name[WS_COLUMN_NAME_MAX];
        if (layout->kinds[i] != WS_CONVOLUTION)
            continue;
        join(name, layout->layers[i], SKETCH_ENDING);
        status = check_column(path, columns, next++, &(described_column){name, float32, WS_SKETCH_CELLS});
    }
    if (status == WS_OK && count != wanted)
        status = ws_fail(WS_BAD_FILE, "%s: its head names %zu columns, its %u layers have %zu", path, count,
                         layout->layer_count, wanted);
    return status;
}

static int read_layout(const char *path, const json_t *root, ws_row_layout *layout)
{
    const json_t *columns = NULL;
    uint32_t layers = 0, walks = 0;
    int status = read_columns(path, root, &columns);
    if (status == WS_OK)
        status = count_parts(path, columns, &layers, &walks);
    if (status == WS_OK)
        status = begin(layout, layers, walks);
    if (status == WS_OK)
        status = name_layers(path, columns, layout);
    if (status == WS_OK)
        status = check_names_differ(path, layout);
    if (status == WS_OK)
        status = finish(layout);
    if (status == WS_OK)
        status = check_columns(path, columns, layout);
    return status;
}

int ws_row_layout_read(const char *path, const char *head, ws_row_layout *out)
{
    const size_t length = strlen(head);
    if (length > WS_HEAD_MOST)
        return ws_fail(WS_BAD_FILE, "%s: its head has %zu bytes, at most %d are read", path, length,
                       WS_HEAD_MOST);
    json_error_t error;
    json_t *root = json_loadb(head, length, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return ws_fail(WS_BAD_FILE, "%s: its head is no JSON: byte %d: %s", path, error.position, error.text);
    ws_row_layout layout = {0};
    const int status = read_layout(path, root, &layout);
    json_decref(root);
    return deliver(&layout, status, out);
}

void ws_row_layout_free(ws_row_layout *layout)
{
    free(layout->layers);
    free(layout->kinds);
    free(layout->names);
    free(layout->text);
    free(layout->head);
    *layout = (ws_row_layout){0};
}

uint64_t ws_row_step(const void *row)
{
    double step;
    memcpy(&step, row, sizeof step);
    if (!(step >= 0 && step <= (double)WS_STEP_MOST) || (double)(uint64_t)step != step)
        return WS_NO_STEP;
    return (uint64_t)step;
}

void ws_row_scalars(const void *row, ws_scalars *out)
{
    _Static_assert(sizeof *out == (WS_SCALAR_COLUMNS - 1) * sizeof(double), "a column for each scalar");
    memcpy(out, (const char *)row + sizeof(double), sizeof *out);
}
