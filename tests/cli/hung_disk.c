/* Loaded into a server with LD_PRELOAD: as long as the file that HUNG_WHILE names exists, no
 * fdatasync returns, as on a disk that hangs. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd)
{
    const char *hung_while = getenv("HUNG_WHILE");
    while (hung_while && access(hung_while, F_OK) == 0)
        usleep(1000);
    return (int)syscall(SYS_fdatasync, fd);
}
