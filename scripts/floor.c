/* The floor of the benchmark: a step of gradient descent in C, with OpenBLAS and fused loops.
 *
 * floor FILE: FILE holds, as 32-bit integers, n, n_in, n_hidden, n_out, batch and epochs, then as 32-bit floats the
 * examples (n, n_in), the targets (n, n_out), w1, b1, w2, b2 and the step size, then the rows of each epoch in order.
 * The trained w1, b1, w2 and b2 are written over it; the seconds of the training alone are printed.
 */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *read_array(FILE *file, size_t count)
{
    void *array = aligned_alloc(64, (4 * count + 63) / 64 * 64);
    if (!array || fread(array, 4, count, file) != count)
        exit(1);
    return array;
}

static void add_bias_and_squash(float *z, const float *b, int rows, int columns)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            z[i * columns + j] = 1.0f / (1.0f + expf(-(z[i * columns + j] + b[j])));
}

static void subtract_sum(float *b, const float *delta, int rows, int columns)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            b[j] -= delta[i * columns + j];
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        return 1;
    int *sizes = read_array(file, 6);
    int n = sizes[0], in = sizes[1], hidden = sizes[2], out = sizes[3], batch = sizes[4], epochs = sizes[5];
    float *x_all = read_array(file, (size_t)n * in), *y_all = read_array(file, (size_t)n * out);
    float *w1 = read_array(file, (size_t)hidden * in), *b1 = read_array(file, hidden);
    float *w2 = read_array(file, (size_t)out * hidden), *b2 = read_array(file, out);
    float *eta = read_array(file, 1);
    int *order = read_array(file, (size_t)epochs * n);
    fclose(file);
    float *x = aligned_alloc(64, 4 * (size_t)(batch * in + 64)), *y = malloc(4 * (size_t)batch * out);
    float *a1 = aligned_alloc(64, 4 * (size_t)(batch * hidden + 64)), *d1 = malloc(4 * (size_t)batch * hidden);
    float *a2 = malloc(4 * (size_t)batch * out), *d2 = malloc(4 * (size_t)batch * out);
    struct timespec begun, ended;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (int step = 0; step < epochs * (n / batch); step++) {
        const int *rows = order + (size_t)(step / (n / batch)) * n + (size_t)(step % (n / batch)) * batch;
        for (int i = 0; i < batch; i++) {
            memcpy(x + (size_t)i * in, x_all + (size_t)rows[i] * in, 4 * (size_t)in);
            memcpy(y + (size_t)i * out, y_all + (size_t)rows[i] * out, 4 * (size_t)out);
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch, hidden, in, 1, x, in, w1, in, 0, a1, hidden);
        add_bias_and_squash(a1, b1, batch, hidden);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch, out, hidden, 1, a1, hidden, w2, hidden, 0, a2, out);
        add_bias_and_squash(a2, b2, batch, out);
        for (int i = 0; i < batch * out; i++)
            d2[i] = (a2[i] - y[i]) * *eta / batch;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch, hidden, out, 1, d2, out, w2, hidden, 0, d1, hidden);
        for (int i = 0; i < batch * hidden; i++)
            d1[i] *= a1[i] * (1 - a1[i]);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, hidden, batch, -1, d2, out, a1, hidden, 1, w2, hidden);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, hidden, in, batch, -1, d1, hidden, x, in, 1, w1, in);
        subtract_sum(b2, d2, batch, out);
        subtract_sum(b1, d1, batch, hidden);
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    file = fopen(argv[1], "wb");
    if (!file || fwrite(w1, 4, (size_t)hidden * in, file) + fwrite(b1, 4, hidden, file) +
                         fwrite(w2, 4, (size_t)out * hidden, file) + fwrite(b2, 4, out, file) !=
                     (size_t)hidden * in + hidden + (size_t)out * hidden + out)
        return 1;
    fclose(file);
    printf("%.9f\n", (ended.tv_sec - begun.tv_sec) + 1e-9 * (ended.tv_nsec - begun.tv_nsec));
    return 0;
}
