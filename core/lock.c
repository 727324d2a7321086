#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int xf_lock_take(const char *path, struct xf_err *err)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    int number;

    if (fd < 0)
        return xf_fail(err, "the lock %.200s cannot be used: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    number = errno;
    (void)close(fd);
    if (number == EWOULDBLOCK)
        return XF_LOCK_TAKEN;
    return xf_fail(err, "the lock %.200s cannot be used: %s", path, strerror(number));
}
