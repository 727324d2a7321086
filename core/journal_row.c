/* Result rows as structs that outlive the statement. */
#include <stdlib.h>
#include <string.h>

#include "journal_inside.h"

/* The texts of one row; freed together with those of the rows before it. */
struct block {
    struct block *before;
    char bytes[];
};

void xf_rows_free(void *rows, void *texts)
{
    struct block *b = texts;

    while (b != NULL) {
        struct block *before = b->before;

        free(b);
        b = before;
    }
    free(rows);
}

/* Copies the texts of the present row; NULL when out of memory. */
static struct block *copy_texts(sqlite3_stmt *statement, const struct xf_row_shape *shape, char *row)
{
    size_t size = 0;
    struct block *b;
    char *at;

    for (int i = 0; i < shape->count; i++)
        size += (size_t)sqlite3_column_bytes(statement, i) + 1;
    b = malloc(sizeof *b + size);
    if (b == NULL)
        return NULL;
    at = b->bytes;
    for (int i = 0; i < shape->count; i++) {
        const unsigned char *text = sqlite3_column_text(statement, i);
        size_t length = (size_t)sqlite3_column_bytes(statement, i);
        const char *copy = text != NULL ? at : NULL;

        if (text != NULL) {
            memcpy(at, text, length);
            at[length] = '\0';
            at += length + 1;
        }
        memcpy(row + shape->texts[i], &copy, sizeof copy);
    }
    return b;
}

int xf_rows_read(struct xf_journal *j, sqlite3_stmt *statement, const struct xf_row_shape *shape,
                 size_t limit, struct xf_rows *out, struct xf_err *err)
{
    char *rows = calloc(limit, shape->size);
    struct block *texts = NULL;
    size_t count = 0;
    int row = -1;

    *out = (struct xf_rows){0};
    if (rows == NULL) {
        (void)xf_fail(err, "out of memory");
        goto fail;
    }
    while (count < limit && (row = xf_sql_row(j, statement, err)) == 1) {
        struct block *b = copy_texts(statement, shape, rows + count * shape->size);

        if (b == NULL) {
            row = xf_fail(err, "out of memory");
            break;
        }
        b->before = texts;
        texts = b;
        shape->numbers(statement, shape->count, rows + count * shape->size);
        count++;
    }
    if (row < 0)
        goto fail;
    xf_sql_end(statement);
    *out = (struct xf_rows){.count = count, .rows = rows, .texts = texts};
    return 0;
fail:
    xf_sql_end(statement);
    xf_rows_free(rows, texts);
    return -1;
}
