/* The worker's line: what keeps texts apart, never waits, and tells when the other side has gone. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "check.h"

static void make(int pair[2])
{
    struct xf_err err;

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    CHECK(xf_channel_adopt(pair[0], &err) == 0);
}

static void test_texts(void)
{
    char text[XF_CHANNEL_MOST + 1];
    int pair[2];

    make(pair);
    CHECK(xf_channel_take(pair[0], text) == XF_CHANNEL_EMPTY);
    CHECK(send(pair[1], "wake", 4, 0) == 4 && send(pair[1], "stop", 4, 0) == 4);
    CHECK(xf_channel_take(pair[0], text) == XF_CHANNEL_TEXT);
    CHECK(strcmp(text, "wake") == 0);
    CHECK(xf_channel_take(pair[0], text) == XF_CHANNEL_TEXT);
    CHECK(strcmp(text, "stop") == 0);
    CHECK(xf_channel_take(pair[0], text) == XF_CHANNEL_EMPTY);
    CHECK(xf_channel_send(pair[0], "busy 5 35"));
    CHECK(recv(pair[1], text, sizeof text, 0) == 9 && memcmp(text, "busy 5 35", 9) == 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/* What does not fit is left out: the worker never waits for the receiver. */
static void test_full(void)
{
    char text[XF_CHANNEL_MOST + 2];
    int pair[2], sent = 0;

    make(pair);
    memset(text, 'x', sizeof text);
    text[XF_CHANNEL_MOST + 1] = '\0';
    CHECK(!xf_channel_send(pair[0], text));
    CHECK(!xf_channel_send(pair[0], ""));
    text[XF_CHANNEL_MOST] = '\0';
    while (sent < 1000000 && xf_channel_send(pair[0], text))
        sent++;
    CHECK(sent > 0 && sent < 1000000);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void test_closed(void)
{
    char text[XF_CHANNEL_MOST + 1];
    int pair[2];

    make(pair);
    CHECK(send(pair[1], "stop", 4, 0) == 4);
    (void)close(pair[1]);
    CHECK(xf_channel_take(pair[0], text) == XF_CHANNEL_TEXT);
    CHECK(xf_channel_take(pair[0], text) == XF_CHANNEL_CLOSED);
    CHECK(!xf_channel_send(pair[0], "idle"));
    (void)close(pair[0]);
}

static void test_adopt(void)
{
    struct xf_err err;
    int pair[2], pipes[2];

    make(pair);
    CHECK((fcntl(pair[0], F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(pair[0], F_GETFL) & O_NONBLOCK) != 0);
    CHECK(pipe(pipes) == 0);
    CHECK(xf_channel_adopt(pipes[0], &err) == -1);
    CHECK(strstr(err.message, "no line to a receiver") != NULL);
    CHECK(xf_channel_adopt(12345, &err) == -1);
    for (int i = 0; i < 2; i++) {
        (void)close(pair[i]);
        (void)close(pipes[i]);
    }
}

int main(void)
{
    test_texts();
    test_full();
    test_closed();
    test_adopt();
    return check_end();
}
