/*
 * What a program used up, for `make bench`: runs it, lets its output through and
 * adds one line of its own.
 *
 *     usage PROGRAM ARGUMENT...       adds: cpu_seconds peak_rss_kib
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + 1e-6 * (double)t->tv_usec;
}

int main(int argc, char **argv)
{
    struct rusage used;
    int status = 0;
    pid_t child;

    if (argc < 2) {
        fprintf(stderr, "usage: usage PROGRAM ARGUMENT...\n");
        return 2;
    }
    child = fork();
    if (child < 0) {
        perror("usage: fork");
        return 1;
    }
    if (child == 0) {
        (void)execv(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    if (wait4(child, &status, 0, &used) != child) {
        perror("usage: wait4");
        return 1;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return 1;
    printf("%.4f %ld\n", seconds(&used.ru_utime) + seconds(&used.ru_stime), used.ru_maxrss);
    return 0;
}
