#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int xf_channel_adopt(int fd, struct xf_err *err)
{
    int type = 0, flags;
    socklen_t size = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET)
        return xf_fail(err, "descriptor %d is no line to a receiver", fd);
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return xf_fail(err, "descriptor %d cannot be set up: %s", fd, strerror(errno));
    return 0;
}

enum xf_channel_read xf_channel_take(int fd, char out[XF_CHANNEL_MOST + 1])
{
    ssize_t got;

    do {
        got = recv(fd, out, XF_CHANNEL_MOST, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        out[got] = '\0';
        return XF_CHANNEL_TEXT;
    }
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? XF_CHANNEL_EMPTY : XF_CHANNEL_CLOSED;
}

bool xf_channel_send(int fd, const char *text)
{
    size_t size = strlen(text);

    return size > 0 && size <= XF_CHANNEL_MOST && send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}
