/*
 * A libFuzzer target: the way of a request through the listener's checks and the
 * receiver, header and body. The input is what a client sends; a \a in it stands
 * for signing headers that are right, so that bodies are reached, \f for the
 * transId, \v for the token. `make fuzz` builds and runs it.
 */
#include <stdlib.h>
#include <unistd.h>

#include "receiver_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { EXPANDED_MOST = 64 * 1024, ROWS_MOST = 2000, STEPS_MOST = 400 };

/* The target's own; libFuzzer has nowhere else to keep it. */
static struct receiver_case scene;

static void begin(void)
{
    receiver_start(&scene, (struct xf_listener_options){.idle_s = 1, .body_cap = 16 * 1024});
}

static void end(void)
{
    receiver_end(&scene);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    begin();
    (void)atexit(end);
    return 0;
}

static size_t expand(const uint8_t *data, size_t size, char *out, bool *stands)
{
    char trans_id[32], token[XF_TOKEN_LENGTH + 1], headers[256];
    size_t used = 0;

    case_token(&scene, case_trans_id(&scene, 0, 80000001, trans_id), token);
    (void)snprintf(headers, sizeof headers, "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: %s\r\nAPI_TOKEN: %s\r\n",
                   trans_id, token);
    for (size_t i = 0; i < size && used < EXPANDED_MOST - 300; i++) {
        const char *text = data[i] == '\a'   ? headers
                           : data[i] == '\f' ? trans_id
                           : data[i] == '\v' ? token
                                             : NULL;

        *stands = *stands || text != NULL;
        if (text == NULL)
            out[used++] = (char)data[i];
        else
            used += (size_t)snprintf(out + used, 256, "%s", text);
    }
    return used;
}

/* Both sides are moved until the server has ended the connection. */
static void play(int fd, const char *bytes, size_t size)
{
    char ignored[4096];
    ssize_t n = 1;

    for (int i = 0; i < STEPS_MOST && n != 0; i++) {
        struct xf_err err;

        if (size > 0 && (n = send(fd, bytes, size, MSG_NOSIGNAL)) > 0) {
            bytes += n;
            size -= (size_t)n;
            if (size == 0)
                (void)shutdown(fd, SHUT_WR);
        }
        (void)xf_loop_step(scene.loop, 0, &err);
        scene.written += xf_receiver_turn(scene.receiver, scene.listener);
        n = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char expanded[EXPANDED_MOST];
    const size_t before = scene.written;
    bool stands = false;
    const size_t length = expand(data, size, expanded, &stands);
    const int fd = client_open(&scene, NULL);

    play(fd, expanded, length);
    (void)close(fd);
    if (!stands && scene.written != before)
        abort(); /* nobody signed it */
    if (!xf_receiver_healthy(scene.receiver))
        abort();
    if (scene.written > ROWS_MOST) {
        receiver_end(&scene);
        begin();
    }
    return 0;
}
