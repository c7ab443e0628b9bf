/* SPDX-License-Identifier: BSD-3-Clause */
#include "components.h"
#include <float.h>
#include <math.h>

#define CELLS  WS_SKETCH_CELLS
#define SWEEPS 50

_Static_assert(CELLS >= WS_COMPONENTS, "an axis for each component");

typedef double square[CELLS][CELLS];

static double off_diagonal(const square matrix)
{
    double sum = 0;
    for (int i = 0; i < CELLS; i++)
        for (int j = i + 1; j < CELLS; j++)
            sum += matrix[i][j] * matrix[i][j];
    return sum;
}

/* Makes element (p, q) zero, and turns the rows of `vectors` with it. */
static void rotate(square matrix, square vectors, int p, int q)
{
    if (matrix[p][q] == 0)
        return;
    const double theta = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q]);
    const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + hypot(theta, 1));
    const double c = 1 / hypot(t, 1), s = t * c;
    for (int i = 0; i < CELLS; i++) {
        const double ip = matrix[i][p], iq = matrix[i][q];
        matrix[i][p] = c * ip - s * iq;
        matrix[i][q] = s * ip + c * iq;
    }
    for (int i = 0; i < CELLS; i++) {
        const double pi = matrix[p][i], qi = matrix[q][i], vp = vectors[p][i], vq = vectors[q][i];
        matrix[p][i] = c * pi - s * qi;
        matrix[q][i] = s * pi + c * qi;
        vectors[p][i] = c * vp - s * vq;
        vectors[q][i] = s * vp + c * vq;
    }
}

/* Cyclic Jacobi (Golub, Van Loan, Matrix Computations, 8.5): `matrix` becomes diagonal, the rows of `vectors`
 * its eigenvectors. */
static void diagonalise(square matrix, square vectors)
{
    double size = 0;
    for (int i = 0; i < CELLS; i++)
        for (int j = 0; j < CELLS; j++) {
            vectors[i][j] = i == j;
            size += matrix[i][j] * matrix[i][j];
        }
    const double enough = size * DBL_EPSILON * DBL_EPSILON;
    for (int sweep = 0; sweep < SWEEPS && off_diagonal((const double(*)[CELLS])matrix) > enough; sweep++)
        for (int p = 0; p < CELLS; p++)
            for (int q = p + 1; q < CELLS; q++)
                rotate(matrix, vectors, p, q);
}

static void covariance_of(const ws_walk_sums *sums, const double mean[CELLS], square out)
{
    for (int i = 0; i < CELLS; i++)
        for (int j = i; j < CELLS; j++)
            out[i][j] = out[j][i] = sums->products[i][j] / (double)sums->count - mean[i] * mean[j];
}

/* The greatest eigenvalue that is not taken yet. */
static int next_of(const square matrix, const int *taken)
{
    int best = -1;
    for (int i = 0; i < CELLS; i++)
        if (!taken[i] && (best < 0 || matrix[i][i] > matrix[best][best]))
            best = i;
    return best;
}

int ws_components_of(const ws_walk_sums *sums, ws_components *out)
{
    square matrix, vectors;
    int taken[CELLS] = {0};
    double whole = 0;
    const int there = sums->count > 0;
    for (int i = 0; i < CELLS; i++)
        out->mean[i] = there ? sums->sum[i] / (double)sums->count : NAN;
    covariance_of(sums, out->mean, matrix);
    if (there)
        diagonalise(matrix, vectors);
    for (int i = 0; i < CELLS; i++)
        whole += matrix[i][i];
    for (int k = 0; k < WS_COMPONENTS; k++) {
        const int at = there ? next_of((const double(*)[CELLS])matrix, taken) : 0;
        taken[at] = 1;
        for (int i = 0; i < CELLS; i++)
            out->axes[k][i] = there ? vectors[at][i] : NAN;
        out->explained[k] = whole > 0 ? matrix[at][at] / whole : NAN;
    }
    return there;
}
