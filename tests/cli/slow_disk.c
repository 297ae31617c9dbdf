/* Loaded into a server with LD_PRELOAD: each fdatasync takes at least SYNC_US microseconds, as on a
 * slow disk. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

int fdatasync(int fd)
{
    const char *sync_us = getenv("SYNC_US");
    long end = now_us() + (sync_us ? atol(sync_us) : 0);
    int synced = (int)syscall(SYS_fdatasync, fd);
    long left = end - now_us();
    if (left > 0)
        usleep((useconds_t)left);
    return synced;
}
