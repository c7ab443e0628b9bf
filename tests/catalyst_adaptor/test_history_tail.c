/* SPDX-License-Identifier: BSD-3-Clause */
#include "history.h"
#include "history_tail.h"
#include "rows.h"
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The writer is a history, as in a run, or, where rows are torn, this program. */

#define COUNT 20

static char folder[64], path[96];
static ws_layers layers;
static float weight[COUNT], initial[COUNT];
static ws_history_tail *tail;
static ws_curve *curve;

static int add_layer(const char *name)
{
    const ws_layer layer = {.size = sizeof layer,
                            .kind = WS_CONVOLUTION,
                            .name = name,
                            .shape = {COUNT, 1, 1, 1},
                            .weight = weight,
                            .initial = initial};
    layers = (ws_layers){0};
    return ws_layers_add(&layers, &layer) != 0 || ws_layers_begin(&layers);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/weightscape-tail-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/history.ws", folder);
    tail = NULL;
    curve = NULL;
    return add_layer("conv1");
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    ws_curve_free(curve);
    ws_history_tail_close(tail);
    ws_layers_free(&layers);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* A row tells its step and the branch of the run that it belongs to. */
static void append(ws_history *history, uint64_t step, int branch)
{
    weight[0] = (float)step;
    weight[1] = (float)branch;
    const ws_row row = {.size = sizeof row, .step = step, .loss = noise(step, (uint64_t)branch)};
    assert_int_equal(ws_history_append(history, &row, &(ws_norms){1, 2, 3}), WS_OK);
}

static ws_history *resume(uint64_t after)
{
    const ws_history_options options = {.path = path, .first_step = after};
    ws_history *history = NULL;
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_OK);
    return history;
}

/* A session after step `after` that ends with step `last`. */
static void run(uint64_t after, uint64_t first, uint64_t last, int branch)
{
    ws_history *history = resume(after);
    for (uint64_t step = first; step <= last; step++)
        append(history, step, branch);
    ws_history_close(history);
}

static void start_reading(void)
{
    assert_int_equal(ws_history_tail_open(path, &tail), WS_OK);
    assert_int_equal(ws_curve_create(ws_history_tail_layout(tail), &curve), WS_OK);
}

static void read_until(uint64_t step)
{
    const int status = ws_history_tail_read(tail, step, curve);
    if (status)
        fail_msg("status %d: %s", status, ws_message());
}

/* The curve holds steps 0..last, of branch 1 after step `branched`, else of branch 0. */
static void assert_rows(uint64_t last, uint64_t branched)
{
    ws_history_view view;
    ws_curve_look(curve, &view);
    assert_int_equal(view.rows, last + 1);
    for (uint64_t step = 0; step <= last; step++) {
        const int branch = step > branched;
        assert_true(view.columns[0][step] == (double)step);
        assert_true(view.columns[3][step] == noise(step, (uint64_t)branch));
        assert_true(view.columns[view.norm_columns][step] == (double)step);
        assert_true(view.columns[view.norm_columns + 1][step] == branch);
    }
    assert_int_equal(view.sums[0].count, last + 1);
}

static off_t size_of(const char *name)
{
    struct stat found;
    assert_int_equal(stat(name, &found), 0);
    return found.st_size;
}

static void test_rows_come_in_portions(void **state)
{
    (void)state;
    ws_history *history = resume(0);
    append(history, 0, 0);
    assert_int_equal(ws_history_flush(history), WS_OK);
    start_reading();
    assert_string_equal(ws_history_tail_layout(tail)->head, ws_history_layout(history)->head);
    read_until(1000);
    assert_rows(0, 9999);
    for (uint64_t step = 1; step <= 3000; step++)
        append(history, step, 0);
    assert_int_equal(ws_history_flush(history), WS_OK);
    read_until(0);
    assert_rows(0, 9999);
    read_until(1);
    assert_rows(1, 9999);
    read_until(2500);
    assert_rows(2500, 9999);
    read_until(2499);
    assert_rows(2500, 9999);
    read_until(UINT64_MAX);
    assert_rows(3000, 9999);
    ws_history_close(history);
}

static void test_a_torn_row_waits(void **state)
{
    (void)state;
    run(0, 0, 10, 0);
    const off_t size = size_of(path);
    const size_t row_bytes = 13 * sizeof(double) + WS_SKETCH_CELLS * sizeof(float);
    char *last = malloc(row_bytes);
    int file = open(path, O_RDWR);
    assert_int_equal(pread(file, last, row_bytes, size - (off_t)row_bytes), row_bytes);
    for (size_t bytes = 0; bytes < row_bytes; bytes += 17) {
        assert_int_equal(ftruncate(file, size - (off_t)row_bytes), 0);
        assert_int_equal(pwrite(file, last, bytes, size - (off_t)row_bytes), bytes);
        start_reading();
        read_until(10);
        assert_rows(9, 9999);
        read_until(10);
        assert_rows(9, 9999);
        assert_int_equal(pwrite(file, last, row_bytes, size - (off_t)row_bytes), row_bytes);
        read_until(10);
        assert_rows(10, 9999);
        ws_curve_free(curve);
        ws_history_tail_close(tail);
    }
    tail = NULL;
    curve = NULL;
    close(file);
    free(last);
}

/* Rows that were given have gone: seen before the file grows again, and after it has grown beyond where it
 * was. */
static void test_a_run_is_resumed_from_before(void **state)
{
    (void)state;
    run(0, 0, 3000, 0);
    start_reading();
    read_until(3000);
    assert_rows(3000, 9999);
    run(60, 61, 60, 1);
    read_until(3000);
    assert_rows(60, 9999);
    run(60, 61, 3000, 1);
    read_until(3000);
    assert_rows(3000, 60);
    ws_curve_free(curve);
    ws_history_tail_close(tail);
    unlink(path);
    run(0, 0, 2000, 0);
    start_reading();
    read_until(1000);
    run(900, 901, 1100, 1);
    read_until(5000);
    assert_rows(1100, 900);
}

/* Rows after those that were given may go without a trace. */
static void test_a_cut_behind_is_no_matter(void **state)
{
    (void)state;
    run(0, 0, 2000, 0);
    start_reading();
    read_until(1000);
    run(1000, 1001, 1500, 1);
    read_until(5000);
    assert_rows(1500, 1000);
}

static void test_another_file_in_its_place(void **state)
{
    (void)state;
    char aside[128];
    snprintf(aside, sizeof aside, "%s.old", path);
    run(0, 0, 100, 0);
    start_reading();
    read_until(50);
    assert_int_equal(rename(path, aside), 0);
    read_until(70); /* what is gone is still readable */
    assert_rows(70, 9999);
    int empty = open(path, O_CREAT | O_WRONLY, 0600);
    read_until(80); /* no head yet */
    assert_rows(80, 9999);
    close(empty);
    run(0, 0, 5, 0);
    read_until(100);
    assert_rows(5, 9999);
}

static void test_another_network_in_its_place(void **state)
{
    (void)state;
    run(0, 0, 100, 0);
    start_reading();
    read_until(50);
    unlink(path);
    ws_layers_free(&layers);
    assert_int_equal(add_layer("conv2"), 0);
    run(0, 0, 100, 0);
    assert_int_equal(ws_history_tail_read(tail, 100, curve), WS_BAD_FILE);
    assert_non_null(strstr(ws_message(), "is now the history of a network with other layers"));
    assert_non_null(strstr(ws_message(), path));
}

/* Cut down to nothing in place, then of another network. */
static void test_another_network_in_the_same_file(void **state)
{
    (void)state;
    run(0, 0, 100, 0);
    start_reading();
    read_until(50);
    assert_int_equal(truncate(path, 10), 0);
    read_until(50);
    assert_true(ws_curve_last(curve) == WS_NO_STEP);
    assert_int_equal(truncate(path, 0), 0);
    read_until(50);
    ws_layers_free(&layers);
    assert_int_equal(add_layer("conv2"), 0);
    run(0, 0, 100, 0);
    assert_int_equal(ws_history_tail_read(tail, 100, curve), WS_BAD_FILE);
    assert_non_null(strstr(ws_message(), "other layers"));
}

static void test_a_step_that_does_not_rise(void **state)
{
    (void)state;
    static const double steps[] = {6, 5, NAN, -1, 7.5};
    run(0, 0, 100, 0);
    start_reading();
    const size_t row_bytes = ws_history_tail_layout(tail)->row_bytes;
    const off_t seventh = size_of(path) - (off_t)(94 * row_bytes);
    int file = open(path, O_WRONLY);
    char where[64];
    snprintf(where, sizeof where, "row 7, at byte %lld", (long long)seventh);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(pwrite(file, &steps[i], sizeof *steps, seventh), sizeof *steps);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(ws_history_tail_read(tail, 100, curve), WS_BAD_FILE);
            assert_non_null(strstr(ws_message(), where));
            assert_rows(6, 9999);
        }
    }
    assert_int_equal(pwrite(file, &(double){7}, sizeof(double), seventh), sizeof(double));
    read_until(100);
    assert_rows(100, 9999);
    close(file);
}

static void assert_refused(int expected, const char *words)
{
    ws_history_tail *none = NULL;
    const int status = ws_history_tail_open(path, &none);
    if (status != expected || strncmp(ws_message(), path, strlen(path)) != 0 || !strstr(ws_message(), words))
        fail_msg("status %d, message \"%s\"; expected %d and \"%s\"", status, ws_message(), expected, words);
    assert_null(none);
}

static void write_file(const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void test_files_that_are_no_history(void **state)
{
    (void)state;
    char bytes[64] = "WSHIST1\n";
    assert_refused(WS_IO_FAILED, "cannot read: ");
    write_file("", 0);
    assert_refused(WS_BAD_FILE, "is no history");
    write_file("step,loss\n1,2\n", 14);
    assert_refused(WS_BAD_FILE, "is no history");
    write_file(bytes, 8);
    assert_refused(WS_BAD_FILE, "ends after 8 bytes, before its head");
    memcpy(bytes + 8, &(uint64_t){100}, 8);
    write_file(bytes, sizeof bytes);
    assert_refused(WS_BAD_FILE, "its head ends at byte 116, the file at byte 64");
    memcpy(bytes + 8, &(uint64_t){WS_HEAD_MOST + 1}, 8);
    write_file(bytes, sizeof bytes);
    assert_refused(WS_BAD_FILE, "its head has 4194305 bytes, at most 4194304 are read");
    memcpy(bytes + 8, &(uint64_t){UINT64_MAX}, 8);
    write_file(bytes, sizeof bytes);
    assert_refused(WS_BAD_FILE, "its head has 18446744073709551615 bytes");
    memcpy(bytes + 8, &(uint64_t){(uint64_t)100 << 56}, 8);
    write_file(bytes, sizeof bytes);
    assert_refused(WS_BAD_FILE, "other byte order");
    memcpy(bytes + 8, &(uint64_t){3}, 8);
    memcpy(bytes + 16, "{}", 3);
    write_file(bytes, 19);
    assert_refused(WS_BAD_FILE, "there is a zero byte in its head");
    memcpy(bytes + 8, &(uint64_t){2}, 8);
    write_file(bytes, 18);
    assert_refused(WS_BAD_FILE, "its head names no version");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(WS_BAD_FILE, "is no regular file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(WS_BAD_FILE, "is no regular file");
}

static pid_t fork_writer(uint64_t after, int branch)
{
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        ws_history *history = resume(after);
        for (uint64_t step = after ? after + 1 : 0;; step++) {
            append(history, step, branch);
            if (step % 7 != 0)
                continue;
            ws_history_flush(history);
            nanosleep(&(struct timespec){.tv_nsec = 10000}, NULL);
        }
    }
    assert_true(child > 0);
    return child;
}

static void wait_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Everything that is in the curve is of the present branch, whatever the writer does. */
static void assert_one_branch(uint64_t branched)
{
    ws_history_view view;
    ws_curve_look(curve, &view);
    for (uint64_t row = 0; row < view.rows; row++) {
        const uint64_t step = (uint64_t)view.columns[0][row];
        assert_true(view.columns[3][row] == noise(step, step > branched));
    }
    assert_true(view.rows == 0 || view.columns[0][0] == 0);
    assert_true(view.rows == 0 || view.sums[0].count == ws_curve_last(curve) + 1);
}

static void test_a_writer_is_killed_and_resumed(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        unlink(path);
        pid_t child = fork_writer(0, 0);
        while (ws_history_tail_open(path, &tail) != WS_OK)
            wait_a_moment();
        assert_int_equal(ws_curve_create(ws_history_tail_layout(tail), &curve), WS_OK);
        while (ws_curve_last(curve) == WS_NO_STEP || ws_curve_last(curve) < 2000)
            read_until(UINT64_MAX);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        read_until(UINT64_MAX);
        assert_one_branch(UINT64_MAX);
        const uint64_t before = ws_curve_last(curve);
        const size_t row_bytes = ws_history_tail_layout(tail)->row_bytes;
        const off_t rows = size_of(path) - 16 - (off_t)strlen(ws_history_tail_layout(tail)->head);
        assert_int_equal(rows / (off_t)row_bytes, before + 1);
        child = fork_writer(1500, 1);
        while (ws_curve_last(curve) == WS_NO_STEP || ws_curve_last(curve) < before + 2000)
            read_until(UINT64_MAX);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        read_until(UINT64_MAX);
        assert_one_branch(1500);
        ws_curve_free(curve);
        ws_history_tail_close(tail);
        tail = NULL;
        curve = NULL;
    }
}

/* The loss of a row after step 100 is the number of its branch. */
static void cut_and_grow_again(uint64_t branch, const char *row, size_t row_bytes, int file, off_t end)
{
    const size_t count = 200 + branch * 97 % 301;
    char *rows = malloc(count * row_bytes);
    for (size_t i = 0; i < count; i++) {
        memcpy(rows + i * row_bytes, row, row_bytes);
        memcpy(rows + i * row_bytes, &(double){101 + (double)i}, sizeof(double));
        memcpy(rows + i * row_bytes + 3 * sizeof(double), &(double){(double)branch}, sizeof(double));
    }
    if (ftruncate(file, end) != 0 || pwrite(file, rows, count * row_bytes, end) < 0)
        _exit(1);
    free(rows);
}

/* Of a file that ends with step 100. */
static pid_t fork_cutter(void)
{
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const size_t row_bytes = ws_history_tail_layout(tail)->row_bytes;
        const off_t end = size_of(path);
        char *row = malloc(row_bytes);
        const int file = open(path, O_RDWR);
        if (pread(file, row, row_bytes, end - (off_t)row_bytes) != (ssize_t)row_bytes)
            _exit(1);
        for (uint64_t branch = 1;; branch++)
            cut_and_grow_again(branch, row, row_bytes, file, end);
    }
    assert_true(child > 0);
    return child;
}

/* However the file is cut between and during looks at it, a curve is of one branch. */
static void test_a_file_is_cut_while_it_is_read(void **state)
{
    (void)state;
    run(0, 0, 100, 0);
    start_reading();
    const pid_t child = fork_cutter();
    for (int seen = 0; seen < 20000;) {
        const int status = ws_history_tail_read(tail, UINT64_MAX, curve);
        if (status) {
            assert_int_equal(status, WS_IO_FAILED);
            assert_non_null(strstr(ws_message(), "was cut 3 times while it was read"));
            continue;
        }
        ws_history_view view;
        ws_curve_look(curve, &view);
        assert_true(view.rows >= 101);
        for (uint64_t step = 101; step < view.rows; step++)
            assert_true(view.columns[3][step] == view.columns[3][101]);
        seen += view.rows > 101;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* The memory of reading is that of the curve and a chunk. */
static void test_memory_does_not_grow(void **state)
{
    (void)state;
    run(0, 0, 60000, 0);
    start_reading();
    read_until(30000);
    struct mallinfo2 info = mallinfo2();
    const size_t before = info.uordblks + info.hblkhd;
    read_until(60000);
    info = mallinfo2();
    assert_true(info.uordblks + info.hblkhd == before);
    assert_int_equal(ws_curve_last(curve), 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_come_in_portions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_torn_row_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_run_is_resumed_from_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_cut_behind_is_no_matter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_file_in_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_network_in_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_network_in_the_same_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_step_that_does_not_rise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_that_are_no_history, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_writer_is_killed_and_resumed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_is_cut_while_it_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_does_not_grow, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
