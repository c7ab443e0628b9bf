/* SPDX-License-Identifier: BSD-3-Clause */
/* Each of the three products of a layer copies blocks of its second operand to memory of the thread, where
 * they stay in the nearest cache while all rows of the first pass over them. Where the first is mostly zeros,
 * as relu and dropout leave it, only what is not zero is multiplied: picked beforehand, and to the same bits.
 * Of some dozens of images, whose product hardly pays for a copy of the weights, the inputs are turned
 * instead: they are the second operand then, and the weights the first, to the same bits once more. */
#include "cnn/threads.h"
#include "layers/layers.h"
#include <string.h>

enum {
    DEPTH = CNN_LINEAR_DEPTH,
    DEEPER = 2 * DEPTH, /* of products with all of a matrix: they take fewer columns at a time */
    GROUP = CNN_LINEAR_GROUP,
    FEW_ROWS = 2,
    FEW_IMAGES = 2, /* each of which is multiplied by the weights where they lie */
    OUTPUTS = 48,   /* of a task where weights are not copied: whole tiles of products */
};

static int blocks(int count, int size)
{
    return (count + size - 1) / size;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* A sum of `count` terms is taken in blocks of even depth, at most `most`; how deep they are changes no bit.
 */
static int depth_begin(int count, int most, int block)
{
    return cnn_part_begin(count, blocks(count, most), block);
}

/* Columns of a task: as many as a sparse product keeps in registers. */
static int width(const cnn_linear *l)
{
    return 8 * l->kernels->lanes;
}

/* From one row of a copied block to the next. */
static ptrdiff_t pitch(const cnn_linear *l)
{
    return (ptrdiff_t)cnn_odd_lines((size_t)width(l));
}

/* A block of the second operand, and one of results: more than the results where inputs are turned. */
size_t cnn_linear_scratch(int n)
{
    return ((size_t)DEEPER + (size_t)n) * cnn_odd_lines(8 * CNN_VECTOR_MOST);
}

static float *results(const cnn_linear *l, int thread)
{
    return l->scratch[thread] + DEEPER * pitch(l);
}

/* ---- what is not zero ---- */

/* From one row of dy^T to the next. */
static int turned_pitch(int n)
{
    return (int)cnn_odd_lines((size_t)n);
}

size_t cnn_linear_turned(int n, int columns)
{
    return (size_t)columns * (size_t)turned_pitch(n);
}

size_t cnn_picked_blocks(int rows, int columns)
{
    return (size_t)rows * (size_t)blocks(columns, DEPTH);
}

static int64_t found_in(const cnn_picked *picked, int rows)
{
    int64_t found = 0;
    for (int i = 0; i < rows; i++)
        found += picked->found[i];
    return found;
}

/* Above five eighths it is faster to multiply by all of a matrix, unless it has too few rows for a tile. */
static int is_sparse(const cnn_picked *picked, int rows, int64_t of)
{
    return found_in(picked, rows) * 8 <= of * (rows <= FEW_ROWS ? 7 : 5);
}

/* A row with hardly a zero is not picked; the matrix is then taken whole. */
static int is_full(int64_t found, int64_t of)
{
    return found * 8 > of * 7;
}

enum { FULL = INT32_MAX };

/* How many values of a row of a matrix, which is at `values`, are not zero. */
static void count_row(const cnn_linear *l, const cnn_picked *picked, const float *values, int columns,
                      int row)
{
    const int found = l->kernels->count(values, columns);
    picked->found[row] = is_full(found, columns) ? FULL : found;
}

/* Those of row `row` of a matrix [rows, columns]. */
static void collect_row(const cnn_linear *l, const cnn_picked *picked, const float *values, int rows,
                        int columns, int row)
{
    for (int block = 0; picked->found[row] != FULL && block < blocks(columns, DEPTH); block++) {
        const int first = depth_begin(columns, DEPTH, block), last = depth_begin(columns, DEPTH, block + 1);
        const size_t at = (size_t)block * (size_t)rows + (size_t)row;
        picked->counts[at] =
            l->kernels->collect(values + first, last - first, (int32_t)pitch(l), picked->terms + at * DEPTH);
    }
}

static void pick_row(const cnn_linear *l, const cnn_picked *picked, const float *values, int rows,
                     int columns, int row)
{
    count_row(l, picked, values, columns, row);
    collect_row(l, picked, values, rows, columns, row);
}

/* So few outputs are computed sooner than what is not zero is picked. */
static int is_narrow(const cnn_linear *l)
{
    return l->out < 2 * width(l);
}

int cnn_linear_count_tasks(const cnn_linear *l)
{
    return is_narrow(l) ? 0 : l->n;
}

void cnn_linear_count(void *context, int index, int thread)
{
    (void)thread;
    const cnn_linear *l = context;
    count_row(l, &l->rows, l->x + (size_t)index * (size_t)l->in, l->in, index);
}

typedef enum way { OF_ALL, OF_PICKED, OF_TURNED, OF_EACH } way;

/* How the forward product is taken, by what takes less: multiplications and moves, by the input. Lanes that
 * no image is in are multiplied, too; what is_sparse says of sparse sums counts here as well. */
static way way_of(const cnn_linear *l)
{
    const int64_t all = (int64_t)l->n * l->in, lanes = (int64_t)cnn_padded((size_t)l->n) * l->in;
    const int sparse = !is_narrow(l) && is_sparse(&l->rows, l->n, all);
    const int64_t terms = sparse ? found_in(&l->rows, l->n) * 8 / 5 : all;
    if (l->n <= FEW_IMAGES)
        return OF_EACH;
    if (l->n <= CNN_LINEAR_TURNED &&
        lanes * l->out + CNN_WORK_MOVE * all < (terms + (int64_t)CNN_WORK_MOVE * l->in) * l->out)
        return OF_TURNED;
    return sparse ? OF_PICKED : OF_ALL;
}

int cnn_linear_prepare_tasks(const cnn_linear *l)
{
    switch (way_of(l)) {
    case OF_TURNED:
        return blocks(l->in, GROUP);
    case OF_PICKED:
        return l->n;
    case OF_ALL:
    case OF_EACH:
        break;
    }
    return 0;
}

/* Columns of x as rows, and zeros up to whole vectors. */
static void turn_inputs(const cnn_linear *l, int group)
{
    const int first = group * GROUP, columns = smaller(GROUP, l->in - first);
    float *turned = l->turned + cnn_linear_turned(l->n, first);
    l->kernels->transpose(l->x + first, l->in, l->n, columns, turned, turned_pitch(l->n));
    for (int column = 0; column < columns; column++)
        memset(turned + column * turned_pitch(l->n) + l->n, 0,
               (cnn_padded((size_t)l->n) - (size_t)l->n) * sizeof *turned);
}

void cnn_linear_prepare(void *context, int index, int thread)
{
    (void)thread;
    const cnn_linear *l = context;
    if (way_of(l) == OF_TURNED)
        turn_inputs(l, index);
    else
        collect_row(l, &l->rows, l->x + (size_t)index * (size_t)l->in, l->n, l->in, index);
}

/* A group of columns of dy: their sums are the gradient of the bias; as rows they are what multiplies x. */
static void turn_group(const cnn_linear *l, int group)
{
    const int first = group * GROUP, columns = smaller(GROUP, l->out - first);
    const float *dy = l->dy + first;
    float *turned = l->turned + cnn_linear_turned(l->n, first);
    double sums[GROUP] = {0};
    l->kernels->add_columns(dy, l->out, l->n, columns, sums);
    l->kernels->transpose(dy, l->out, l->n, columns, turned, turned_pitch(l->n));
    for (int column = 0; column < columns; column++) {
        l->bias_gradient[first + column] = (float)sums[column];
        pick_row(l, &l->columns, turned + column * turned_pitch(l->n), l->out, l->n, first + column);
    }
}

int cnn_linear_pick_gradient_tasks(const cnn_linear *l)
{
    return blocks(l->out, GROUP) + (l->dx ? l->n : 0);
}

void cnn_linear_pick_gradient(void *context, int index, int thread)
{
    (void)thread;
    const cnn_linear *l = context;
    const int groups = blocks(l->out, GROUP);
    if (index < groups)
        turn_group(l, index);
    else
        pick_row(l, &l->rows, l->dy + (size_t)(index - groups) * (size_t)l->out, l->n, l->out,
                 index - groups);
}

double cnn_linear_pick_work(const cnn_linear *l, int columns)
{
    return (double)CNN_WORK_MOVE * l->n * columns;
}

/* ---- products ---- */

/* Where the rows, or the elements of a row, of a block begin. */
static void fill_offsets(ptrdiff_t offsets[DEEPER], ptrdiff_t step)
{
    for (int i = 0; i < DEEPER; i++)
        offsets[i] = i * step;
}

/* Block `block` of a sum over `deep`: a [m, deep], at a and its offsets or as picked, times b [.., n]. */
static void multiply(const cnn_linear *l, const cnn_picked *picked, int block, const cnn_product *dense)
{
    if (!picked) {
        l->kernels->product(dense);
        return;
    }
    const size_t at = (size_t)block * (size_t)dense->m;
    l->kernels->sparse_product(&(cnn_sparse_product){.m = dense->m,
                                                     .n = dense->n,
                                                     .terms = picked->terms + at * DEPTH,
                                                     .capacity = DEPTH,
                                                     .counts = picked->counts + at,
                                                     .b = dense->b,
                                                     .target = dense->target,
                                                     .ahead = dense->ahead});
}

/* The block of the weights that is read after the one at `block` of as many rows and columns: `step` floats
 * behind it. None if that one is the last. */
static cnn_ahead following(const cnn_linear *l, const float *block, int rows, int columns, ptrdiff_t step,
                           int is_last)
{
    return is_last ? (cnn_ahead){0} : (cnn_ahead){block + step, l->in, rows, columns};
}

/* Results of n images, columns first to first + columns of to [n, to_columns], from where they were summed:
 * rows of `to` may lie so that they compete for few places of the cache. */
static void write_results(const cnn_linear *l, int thread, int first, int columns, float *to, int to_columns)
{
    for (int n = 0; n < l->n; n++)
        memcpy(to + (size_t)n * (size_t)to_columns + (size_t)first, results(l, thread) + n * pitch(l),
               (size_t)columns * sizeof *to);
}

/* Of a weight for each image, and what its copying takes. */
double cnn_linear_product_work(const cnn_linear *l)
{
    return (double)(l->n + CNN_WORK_MOVE) * l->in * l->out;
}

int cnn_linear_forward_tasks(const cnn_linear *l)
{
    const way taken = way_of(l);
    return blocks(l->out, taken == OF_TURNED || taken == OF_EACH ? OUTPUTS : width(l));
}

/* y^T = weight * x^T + bias, one block of outputs, turned back. */
static void forward_turned(const cnn_linear *l, int index, float *sums)
{
    const int first = index * OUTPUTS, outputs = smaller(OUTPUTS, l->out - first);
    const int images = (int)cnn_padded((size_t)l->n), pitch = turned_pitch(l->n);
    ptrdiff_t elements[DEEPER], rows[DEEPER];
    fill_offsets(elements, 1);
    fill_offsets(rows, pitch);
    for (int i = 0; i < outputs; i++)
        for (int image = 0; image < images; image++)
            sums[i * pitch + image] = l->bias[first + i];
    for (int block = 0; block < blocks(l->in, DEEPER); block++) {
        const int begin = depth_begin(l->in, DEEPER, block),
                  depth = depth_begin(l->in, DEEPER, block + 1) - begin;
        const float *weight = l->weight + (size_t)first * (size_t)l->in + begin;
        const int is_last = block == blocks(l->in, DEEPER) - 1;
        l->kernels->product(
            &(cnn_product){.m = outputs,
                           .n = images,
                           .depth = depth,
                           .a = weight,
                           .a_pitch = l->in,
                           .a_column = elements,
                           .b = l->turned + (size_t)begin * (size_t)pitch,
                           .b_row = rows,
                           .target = {.c = sums, .pitch = pitch, .continued = 1, .relu = l->relu && is_last},
                           .ahead = following(l, weight, outputs, depth, depth, is_last)});
    }
    l->kernels->transpose(sums, pitch, outputs, l->n, l->y + first, l->out);
}

/* y = x * weight^T + bias, one block of outputs, of few images. */
static void forward_each(const cnn_linear *l, int index)
{
    const int first = index * OUTPUTS, outputs = smaller(OUTPUTS, l->out - first);
    float *y = l->y + first;
    for (int image = 0; image < l->n; image++)
        memcpy(y + (size_t)image * (size_t)l->out, l->bias + first, (size_t)outputs * sizeof *y);
    l->kernels->matrix_vectors(&(cnn_matrix_vectors){.rows = outputs,
                                                     .columns = l->in,
                                                     .count = l->n,
                                                     .a = l->weight + (size_t)first * (size_t)l->in,
                                                     .pitch = l->in,
                                                     .x = l->x,
                                                     .y = y,
                                                     .y_pitch = l->out});
    for (int image = 0; l->relu && image < l->n; image++)
        cnn_relu_forward(y + (size_t)image * (size_t)l->out, (size_t)outputs);
}

/* y = x * weight^T + bias, one block of outputs. */
static void forward(const cnn_linear *l, int index, int thread)
{
    const int first = index * width(l), columns = smaller(width(l), l->out - first);
    const cnn_picked *picked = way_of(l) == OF_PICKED ? &l->rows : NULL;
    const int most = picked ? DEPTH : DEEPER;
    ptrdiff_t elements[DEEPER], rows[DEEPER];
    fill_offsets(elements, 1);
    fill_offsets(rows, pitch(l));
    for (int block = 0; block < blocks(l->in, most); block++) {
        const int begin = depth_begin(l->in, most, block),
                  depth = depth_begin(l->in, most, block + 1) - begin;
        const float *weight = l->weight + (size_t)first * (size_t)l->in + begin;
        const int is_last = block == blocks(l->in, most) - 1;
        l->kernels->transpose(weight, l->in, columns, depth, l->scratch[thread], pitch(l));
        multiply(l, picked, block,
                 &(cnn_product){.m = l->n,
                                .n = columns,
                                .depth = depth,
                                .a = l->x + begin,
                                .a_pitch = l->in,
                                .a_column = elements,
                                .b = l->scratch[thread],
                                .b_row = rows,
                                .target = {.c = results(l, thread),
                                           .pitch = pitch(l),
                                           .start = block ? NULL : l->bias + first,
                                           .continued = block > 0,
                                           .relu = l->relu && is_last},
                                .ahead = following(l, weight, columns, depth, depth, is_last)});
    }
    write_results(l, thread, first, columns, l->y, l->out);
}

void cnn_linear_forward(void *context, int index, int thread)
{
    const cnn_linear *l = context;
    switch (way_of(l)) {
    case OF_TURNED:
        forward_turned(l, index, l->scratch[thread]);
        break;
    case OF_EACH:
        forward_each(l, index);
        break;
    case OF_ALL:
    case OF_PICKED:
        forward(l, index, thread);
        break;
    }
}

/* weight_gradient = dy^T * x, one block of inputs. */
static void backward_weight(const cnn_linear *l, int index, float *scratch)
{
    const int first = index * width(l), columns = smaller(width(l), l->in - first);
    const cnn_picked *picked = is_sparse(&l->columns, l->out, (int64_t)l->n * l->out) ? &l->columns : NULL;
    const int most = picked ? DEPTH : DEEPER;
    ptrdiff_t elements[DEEPER], rows[DEEPER];
    fill_offsets(elements, 1);
    fill_offsets(rows, pitch(l));
    for (int block = 0; block < blocks(l->n, most); block++) {
        const int begin = depth_begin(l->n, most, block), depth = depth_begin(l->n, most, block + 1) - begin;
        const float *x = l->x + (size_t)begin * (size_t)l->in + first;
        l->kernels->copy_rows(x, l->in, depth, columns, scratch, pitch(l));
        multiply(l, picked, block,
                 &(cnn_product){.m = l->out,
                                .n = columns,
                                .depth = depth,
                                .a = l->turned + begin,
                                .a_pitch = turned_pitch(l->n),
                                .a_column = elements,
                                .b = scratch,
                                .b_row = rows,
                                .target = {.c = l->weight_gradient + first,
                                           .pitch = l->in,
                                           .continued = block > 0,
                                           .distance = blocks(l->n, most) == 1 ? CNN_FAR_FOR_NOW : CNN_FAR}});
    }
}

/* dx = dy * weight, one block of inputs. No deeper blocks than where zeros are left out: a row of dy^T is
 * read a piece of a line at a time, and those of a deep block would not stay near. */
static void backward_input(const cnn_linear *l, int index, int thread)
{
    const int first = index * width(l), columns = smaller(width(l), l->in - first);
    const cnn_picked *picked = is_sparse(&l->rows, l->n, (int64_t)l->n * l->out) ? &l->rows : NULL;
    ptrdiff_t elements[DEEPER], rows[DEEPER];
    fill_offsets(elements, turned_pitch(l->n));
    fill_offsets(rows, pitch(l));
    for (int block = 0; block < blocks(l->out, DEPTH); block++) {
        const int begin = depth_begin(l->out, DEPTH, block),
                  depth = depth_begin(l->out, DEPTH, block + 1) - begin;
        const float *weight = l->weight + (size_t)begin * (size_t)l->in + first;
        l->kernels->copy_rows(weight, l->in, depth, columns, l->scratch[thread], pitch(l));
        multiply(
            l, picked, block,
            &(cnn_product){.m = l->n,
                           .n = columns,
                           .depth = depth,
                           .a = l->turned + cnn_linear_turned(l->n, begin),
                           .a_pitch = 1,
                           .a_column = elements,
                           .b = l->scratch[thread],
                           .b_row = rows,
                           .target = {.c = results(l, thread), .pitch = pitch(l), .continued = block > 0},
                           .ahead = following(l, weight, depth, columns, (ptrdiff_t)depth * l->in,
                                              block == blocks(l->out, DEPTH) - 1)});
    }
    write_results(l, thread, first, columns, l->dx, l->in);
}

int cnn_linear_backward_tasks(const cnn_linear *l)
{
    return blocks(l->in, width(l)) * (l->dx ? 2 : 1);
}

void cnn_linear_backward(void *context, int index, int thread)
{
    const cnn_linear *l = context;
    const int each = blocks(l->in, width(l));
    if (index < each)
        backward_weight(l, index, l->scratch[thread]);
    else
        backward_input(l, index - each, thread);
}
