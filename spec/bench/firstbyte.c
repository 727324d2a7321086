/*
 * How long a program takes until the first byte of its request arrives, for
 * `make bench`: from just before exec until the byte is read here. The program
 * finds this listener in XFIOT_BASE_URL and gets the document's reply to creatCmd.
 *
 *     firstbyte TIMES PROGRAM ARGUMENT...     prints: least median most, in ms
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIMES_MOST = 10000, PATIENCE_MS = 20000 };

static const char BODY[] = "{\"responseCode\":\"100000\",\"message\":\"运行正确\","
                           "\"result\":\"673ae176a7124ffbac397429e5b79131\",\"args\":\"\"}";

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* A listener on a port of the system's choice, and its URL in the environment. */
static int listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char url[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return -1;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return setenv("XFIOT_BASE_URL", url, 1) == 0 ? fd : -1;
}

/* The program writes its start into memory that both see; its output goes nowhere. */
static pid_t launch(char **command, double *begun)
{
    pid_t child = fork();
    int nowhere;

    if (child != 0)
        return child;
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0)
        (void)dup2(nowhere, STDOUT_FILENO);
    *begun = now();
    (void)execv(command[0], command);
    perror(command[0]);
    _exit(127);
}

/* Takes one request, answers it and returns when its first bytes were there; -1
 * if none came. */
static double serve(int listener)
{
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    char head[256], request[4096];
    double arrived = -1;
    int fd, size;

    if (poll(&wait, 1, PATIENCE_MS) != 1)
        return -1;
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return -1;
    if (read(fd, request, sizeof request) > 0)
        arrived = now();
    size = snprintf(head, sizeof head,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\n"
                    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                    sizeof BODY - 1);
    if (write(fd, head, (size_t)size) != size || write(fd, BODY, sizeof BODY - 1) < 0)
        arrived = -1;
    (void)shutdown(fd, SHUT_WR);
    while (read(fd, request, sizeof request) > 0)
        ;
    (void)close(fd);
    return arrived;
}

static int in_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static double took[TIMES_MOST];
    long times = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    double *begun;
    int listener;

    if (times < 1 || times > TIMES_MOST) {
        fprintf(stderr, "usage: firstbyte TIMES PROGRAM ARGUMENT...\n");
        return 2;
    }
    listener = listen_somewhere();
    begun = mmap(NULL, sizeof *begun, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (listener < 0 || begun == MAP_FAILED) {
        perror("firstbyte");
        return 1;
    }
    for (long i = 0; i < times; i++) {
        pid_t child = launch(argv + 2, begun);
        double arrived = serve(listener);
        int status = -1;

        if (child > 0 && arrived < 0)
            (void)kill(child, SIGKILL);
        if (child < 0 || waitpid(child, &status, 0) != child || arrived < 0 || status != 0) {
            fprintf(stderr, "firstbyte: %s sent no request, or did not like the answer\n", argv[2]);
            return 1;
        }
        took[i] = arrived - *begun;
    }
    qsort(took, (size_t)times, sizeof *took, in_order);
    printf("%.2f %.2f %.2f\n", took[0], took[times / 2], took[times - 1]);
    return 0;
}
