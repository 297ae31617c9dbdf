/* Loaded into a server with LD_PRELOAD: while the file that FAIL_AS names holds, for instance,
 * "fdatasync EIO sale.journal", this function fails with this error for that file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Returns the error with which a function fails, or 0. */
static int error_of(const char *function, int fd)
{
    char wanted[16], error[16], file[64], link[64], path[4096], text[128];
    const char *fail_as = getenv("FAIL_AS");
    int from = fail_as ? open(fail_as, O_RDONLY | O_CLOEXEC) : -1;
    if (from < 0)
        return 0;
    ssize_t len = read(from, text, sizeof text - 1);
    close(from);
    if (len <= 0)
        return 0;
    text[len] = 0;
    if (sscanf(text, "%15s %15s %63s", wanted, error, file) != 3 || strcmp(wanted, function))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path - 1);
    if (len <= 0)
        return 0;
    path[len] = 0;
    if (!strstr(path, file))
        return 0;
    return strcmp(error, "EROFS") ? EIO : EROFS;
}

int fdatasync(int fd)
{
    int error = error_of("fdatasync", fd);
    if (error) {
        errno = error;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    int error = error_of("write", fd);
    if (error) {
        errno = error;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, len);
}
