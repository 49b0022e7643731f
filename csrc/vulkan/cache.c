/* vulkan/cache.c - SPIR-V, pipelines and settings on disk, in private files, checked as a whole. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* secure_getenv, O_NOFOLLOW */
#endif
#include "vulkan/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"

/* setup.py defines it; entries of another version are misses. */
#ifndef VKT_VERSION
#define VKT_VERSION "0"
#endif

/* Of all our files; beyond it the oldest go until 3/4 of it are left, so that a sweep is rare. */
#define MAX_TOTAL_NBYTES (256ull << 20)
/* Of one file: no kernel of ours comes near, and a planted giant is not read. */
#define MAX_FILE_NBYTES (64ull << 20)
/* A hit renews an entry's time at most this often, so that "oldest" means least recently used. */
#define TOUCH_SECONDS 86400
/* A temporary file this old was left by a killed process. */
#define STALE_SECONDS 3600

#define FORMAT      2
#define NAME_NBYTES 64
static const char SPIRV_MAGIC[8] = "vktspirv";
static const struct {
    char magic[8];
    const char *end; /* of the file's name */
} KINDS[] = {
    [VKT_CACHE_PIPELINES] = {"vktpipel", ".bin"},
    [VKT_CACHE_SETTINGS] = {"vktsetti", ".set"},
    [VKT_CACHE_FACTS] = {"vktfacts", ".fct"},
};

/* Every file: this, `n_identity` bytes that say what the payload belongs to, the payload. Host byte
 * order: a foreign one fails at `format`. The checksum is of the whole file, itself taken as 0. */
typedef struct file_header {
    char magic[8];
    uint32_t format;
    uint32_t unused;
    uint64_t n_identity;
    uint64_t n_payload;
    vkt_hash128 checksum;
} file_header;

typedef struct bytes {
    uint8_t *data;
    size_t n;
} bytes;

static pthread_once_t open_once = PTHREAD_ONCE_INIT;
static char directory[PATH_MAX];
static int directory_fd = -1;

static vkt_mutex lock = VKT_MUTEX_INIT; /* guards the counters below */
static bool complained;
static bool total_known;
static uint64_t total_nbytes; /* of the files at the last scan, and what this process wrote since */
static unsigned temp_counter;

/* One warning a process: a damaged disk would otherwise repeat it for every kernel. */
static void complain(const char *what, const char *name)
{
    vkt_mutex_lock(&lock);
    bool first = !complained;
    complained = true;
    vkt_mutex_unlock(&lock);
    vkt_log(first ? VKT_LOG_WARNING : VKT_LOG_DEBUG, "cache: %s: %s; it will be replaced", name,
            what);
}

/* ---- The directory */

static bool choose_directory(void)
{
    const char *chosen = secure_getenv("VKTENSOR_CACHE_DIR");
    const char *xdg = secure_getenv("XDG_CACHE_HOME");
    const char *home = secure_getenv("HOME");
    int n;
    if (chosen)
        n = strcmp(chosen, "0") == 0 ? 0 : snprintf(directory, sizeof(directory), "%s", chosen);
    else if (xdg && xdg[0] == '/') /* the XDG specification: relative paths are ignored */
        n = snprintf(directory, sizeof(directory), "%s/vktensor", xdg);
    else if (home && home[0] == '/')
        n = snprintf(directory, sizeof(directory), "%s/.cache/vktensor", home);
    else
        n = 0;
    return n > 0 && (size_t)n < sizeof(directory);
}

static void make_directories(void)
{
    for (char *at = directory + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        (void)mkdir(directory, 0700); /* the open that follows says whether it worked */
        *at = '/';
    }
    (void)mkdir(directory, 0700);
}

static void open_directory(void)
{
    struct stat st;
    const char *problem = NULL;
    if (!choose_directory()) {
        directory[0] = '\0';
        return;
    }
    make_directories();
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory_fd < 0)
        problem = strerror(errno);
    else if (fstat(directory_fd, &st) != 0 || st.st_uid != geteuid())
        problem = "it belongs to another user";
    else if (st.st_mode & (S_IWGRP | S_IWOTH))
        problem = "others may write to it";
    if (!problem)
        return;
    vkt_log(VKT_LOG_WARNING, "cache: %s is not used: %s", directory, problem);
    if (directory_fd >= 0)
        (void)close(directory_fd);
    directory_fd = -1;
    directory[0] = '\0';
}

const char *vkt_cache_directory(void)
{
    (void)pthread_once(&open_once, open_directory);
    return directory;
}

static bool is_on(void)
{
    (void)pthread_once(&open_once, open_directory);
    return directory_fd >= 0;
}

/* ---- The size cap */

typedef struct entry {
    char name[NAME_NBYTES];
    uint64_t nbytes;
    struct timespec time;
} entry;

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), n_end = strlen(end);
    return n >= n_end && strcmp(name + n - n_end, end) == 0;
}

/* Only files we could have written are counted and removed. */
static bool is_ours(const char *name)
{
    return strlen(name) < NAME_NBYTES && strncmp(name, "vkt-", 4) == 0 &&
           (ends_with(name, ".spv") || ends_with(name, ".bin") || ends_with(name, ".set") ||
            ends_with(name, ".fct") || ends_with(name, ".tmp"));
}

static int compare_age(const void *a, const void *b)
{
    const struct timespec x = ((const entry *)a)->time, y = ((const entry *)b)->time;
    if (x.tv_sec != y.tv_sec)
        return x.tv_sec < y.tv_sec ? -1 : 1;
    return x.tv_nsec < y.tv_nsec ? -1 : x.tv_nsec > y.tv_nsec;
}

/* Lists our files and removes stale temporary ones. NULL when there are none (or no memory). */
static entry *list_entries(size_t *n_entries, uint64_t *total)
{
    entry *entries = NULL;
    size_t n = 0, capacity = 0;
    *total = 0;
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0)
        (void)close(fd);
    int64_t now = (int64_t)time(NULL);
    for (struct dirent *d; dir && (d = readdir(dir)) != NULL;) {
        struct stat st;
        if (!is_ours(d->d_name) || fstatat(directory_fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (ends_with(d->d_name, ".tmp")) {
            if (now - (int64_t)st.st_mtime > STALE_SECONDS)
                (void)unlinkat(directory_fd, d->d_name, 0);
            continue;
        }
        if (n == capacity) {
            size_t grown = capacity ? 2 * capacity : 64;
            entry *more = realloc(entries, grown * sizeof(*more));
            if (!more)
                break;
            entries = more;
            capacity = grown;
        }
        (void)snprintf(entries[n].name, NAME_NBYTES, "%s", d->d_name);
        entries[n].nbytes = st.st_size > 0 ? (uint64_t)st.st_size : 0;
        entries[n].time = st.st_mtim;
        *total += entries[n++].nbytes;
    }
    if (dir)
        (void)closedir(dir);
    *n_entries = n;
    return entries;
}

static void sweep(void)
{
    size_t n = 0;
    uint64_t total = 0;
    entry *entries = list_entries(&n, &total);
    if (entries && total > MAX_TOTAL_NBYTES) {
        qsort(entries, n, sizeof(*entries), compare_age);
        for (size_t i = 0; i < n && total > MAX_TOTAL_NBYTES / 4 * 3; i++) {
            /* Another process may have removed it already; it is gone either way. */
            (void)unlinkat(directory_fd, entries[i].name, 0);
            total -= entries[i].nbytes;
        }
    }
    free(entries);
    total_nbytes = total;
    total_known = true;
}

static void count_written(uint64_t nbytes)
{
    vkt_mutex_lock(&lock);
    total_nbytes += nbytes;
    if (!total_known || total_nbytes > MAX_TOTAL_NBYTES)
        sweep();
    vkt_mutex_unlock(&lock);
}

/* ---- Files */

static bool read_all(int fd, uint8_t *data, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, data, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        data += got;
        n -= (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const uint8_t *data, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, data, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data += put;
        n -= (size_t)put;
    }
    return true;
}

/* Reads a whole file of ours. False, silently, when there is none. */
static bool read_file(const char *name, bytes *out)
{
    struct stat st;
    const char *problem = NULL;
    *out = (bytes){0};
    /* O_NONBLOCK: a FIFO planted under the name must not hang us. */
    int fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        if (errno != ENOENT)
            complain(strerror(errno), name);
        return false;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & (S_IWGRP | S_IWOTH)))
        problem = "not a private file of this user";
    else if (st.st_size < (off_t)sizeof(file_header) || st.st_size > (off_t)MAX_FILE_NBYTES)
        problem = "wrong size";
    else if (!(out->data = malloc((size_t)st.st_size)))
        problem = "no memory to read it";
    else if (!read_all(fd, out->data, out->n = (size_t)st.st_size))
        problem = "cannot be read";
    else if ((int64_t)time(NULL) - (int64_t)st.st_mtime > TOUCH_SECONDS)
        (void)futimens(fd, NULL);
    (void)close(fd);
    if (!problem)
        return true;
    complain(problem, name);
    free(out->data);
    *out = (bytes){0};
    return false;
}

/* Not flushed to the disk: a file torn by a crash has a wrong checksum, and a lost one is only
 * compiled again. */
static bool write_file(const char *name, const bytes *file)
{
    char temp[NAME_NBYTES];
    vkt_mutex_lock(&lock);
    unsigned number = temp_counter++;
    vkt_mutex_unlock(&lock);
    (void)snprintf(temp, sizeof(temp), "vkt-%ld-%u-%" PRIx64 ".tmp", (long)getpid(), number,
                   vkt_now_ns());
    int fd = openat(directory_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        vkt_log(VKT_LOG_DEBUG, "cache: cannot create %s: %s", temp, strerror(errno));
        return false;
    }
    bool written = write_all(fd, file->data, file->n);
    /* Some file systems report a full disk only here. */
    written = close(fd) == 0 && written;
    if (!written || renameat(directory_fd, temp, directory_fd, name) != 0) {
        vkt_log(VKT_LOG_DEBUG, "cache: cannot write %s: %s", name, strerror(errno));
        (void)unlinkat(directory_fd, temp, 0);
        return false;
    }
    count_written(file->n);
    return true;
}

static void seal(bytes *file)
{
    const size_t at = offsetof(file_header, checksum);
    memset(file->data + at, 0, sizeof(vkt_hash128));
    vkt_hash128 sum = vkt_hash128_of(file->data, file->n);
    memcpy(file->data + at, &sum, sizeof(sum));
}

/* What is wrong with the file, or NULL. Zeroes the checksum in memory. */
static const char *find_damage(bytes *file, const char magic[8], file_header *header)
{
    memcpy(header, file->data, sizeof(*header));
    memset(file->data + offsetof(file_header, checksum), 0, sizeof(vkt_hash128));
    vkt_hash128 sum = vkt_hash128_of(file->data, file->n);
    if (memcmp(header->magic, magic, 8) != 0)
        return "not a cache file";
    if (header->format != FORMAT)
        return "another format";
    if (sum.low != header->checksum.low || sum.high != header->checksum.high)
        return "damaged";
    size_t rest = file->n - sizeof(*header);
    if (header->n_identity > rest || header->n_payload != rest - header->n_identity)
        return "wrong lengths";
    return NULL;
}

/* Reads the payload stored under `name` for exactly `identity`; the caller frees it. */
static bool load_entry(const char *name, const char magic[8], const bytes *identity, bytes *payload)
{
    file_header header;
    bytes file;
    if (!read_file(name, &file))
        return false;
    const char *problem = find_damage(&file, magic, &header);
    if (problem)
        complain(problem, name);
    /* Whole but of another identity: two names collided. A miss, and replaced. */
    bool found = !problem && header.n_identity == identity->n &&
                 memcmp(file.data + sizeof(header), identity->data, identity->n) == 0;
    if (!found) {
        free(file.data);
        return false;
    }
    payload->n = (size_t)header.n_payload;
    memmove(file.data, file.data + sizeof(header) + identity->n, payload->n);
    payload->data = file.data;
    return true;
}

static bool store_entry(const char *name, const char magic[8], const bytes *identity,
                        const void *payload, size_t n_payload)
{
    if (identity->n > MAX_FILE_NBYTES / 2 || n_payload > MAX_FILE_NBYTES / 2)
        return false;
    file_header header = {.format = FORMAT, .n_identity = identity->n, .n_payload = n_payload};
    memcpy(header.magic, magic, 8);
    bytes file = {.n = sizeof(header) + identity->n + n_payload};
    file.data = malloc(file.n);
    if (!file.data)
        return false;
    memcpy(file.data, &header, sizeof(header));
    memcpy(file.data + sizeof(header), identity->data, identity->n);
    memcpy(file.data + sizeof(header) + identity->n, payload, n_payload);
    seal(&file);
    bool written = write_file(name, &file);
    free(file.data);
    return written;
}

static void name_entry(const bytes *identity, const char *end, char name[NAME_NBYTES])
{
    vkt_hash128 hash = vkt_hash128_of(identity->data, identity->n);
    (void)snprintf(name, NAME_NBYTES, "vkt-%016" PRIx64 "%016" PRIx64 "%s", hash.high, hash.low,
                   end);
}

/* ---- SPIR-V: the identity is the versions and the whole source, so that a hash collision cannot
 * give a wrong kernel. */

static bool identify_source(const char *glsl, bytes *identity)
{
    static const char package[] = "vktensor " VKT_VERSION;
    const char *glslang = vkt_glsl_version();
    size_t n_glslang = strlen(glslang) + 1, n_glsl = strlen(glsl) + 1;
    identity->n = sizeof(package) + n_glslang + n_glsl;
    identity->data = malloc(identity->n);
    if (!identity->data)
        return false;
    memcpy(identity->data, package, sizeof(package));
    memcpy(identity->data + sizeof(package), glslang, n_glslang);
    memcpy(identity->data + sizeof(package) + n_glslang, glsl, n_glsl);
    return true;
}

bool vkt_cache_load_spirv(const char *glsl, uint32_t **words, size_t *n_words)
{
    bytes identity, payload;
    char name[NAME_NBYTES];
    if (!is_on() || !identify_source(glsl, &identity))
        return false;
    name_entry(&identity, ".spv", name);
    bool found = load_entry(name, SPIRV_MAGIC, &identity, &payload);
    free(identity.data);
    if (found && (payload.n == 0 || payload.n % sizeof(uint32_t) != 0)) {
        free(payload.data);
        found = false;
    }
    if (found) {
        *words = (uint32_t *)(void *)payload.data; /* malloc'ed, so aligned */
        *n_words = payload.n / sizeof(uint32_t);
    }
    return found;
}

void vkt_cache_store_spirv(const char *glsl, const uint32_t *words, size_t n_words)
{
    bytes identity;
    char name[NAME_NBYTES];
    if (!is_on() || !identify_source(glsl, &identity))
        return;
    name_entry(&identity, ".spv", name);
    (void)store_entry(name, SPIRV_MAGIC, &identity, words, n_words * sizeof(*words));
    free(identity.data);
}

/* ---- What belongs to a driver: drivers trust a blob with a good header, and a cache UUID does not
 * identify a build; so all that is known of the driver must match. The device's name holds the
 * vector width of a CPU driver. */

typedef struct driver_identity {
    char package[32];
    uint32_t vendor_id, device_id, driver_version, api_version;
    uint32_t pointer_nbytes;
    uint32_t kind;
    uint8_t uuid[16];
    uint8_t cache_uuid[16];
    char name[256];
    char driver_name[256];
    char driver_info[256];
} driver_identity;

static void identify_driver(const vkt_device_info *info, const uint8_t cache_uuid[16],
                            driver_identity *identity)
{
    memset(identity, 0, sizeof(*identity)); /* compared as bytes */
    (void)snprintf(identity->package, sizeof(identity->package), "vktensor %s", VKT_VERSION);
    identity->vendor_id = info->vendor_id;
    identity->device_id = info->device_id;
    identity->driver_version = info->driver_version;
    identity->api_version = info->api_version;
    identity->pointer_nbytes = sizeof(void *);
    identity->kind = (uint32_t)info->kind;
    memcpy(identity->uuid, info->uuid, 16);
    memcpy(identity->cache_uuid, cache_uuid, 16);
    (void)snprintf(identity->name, sizeof(identity->name), "%s", info->name);
    (void)snprintf(identity->driver_name, sizeof(identity->driver_name), "%s", info->driver_name);
    (void)snprintf(identity->driver_info, sizeof(identity->driver_info), "%s", info->driver_info);
}

bool vkt_cache_load_driver(vkt_cache_kind kind, const vkt_device_info *info,
                           const uint8_t cache_uuid[16], void **blob, size_t *nbytes)
{
    driver_identity driver;
    bytes payload;
    char name[NAME_NBYTES];
    if (!is_on())
        return false;
    identify_driver(info, cache_uuid, &driver);
    bytes identity = {.data = (uint8_t *)&driver, .n = sizeof(driver)};
    name_entry(&identity, KINDS[kind].end, name);
    if (!load_entry(name, KINDS[kind].magic, &identity, &payload))
        return false;
    *blob = payload.data; /* the header went before it: there is room behind */
    *nbytes = payload.n;
    return true;
}

bool vkt_cache_store_driver(vkt_cache_kind kind, const vkt_device_info *info,
                            const uint8_t cache_uuid[16], const void *blob, size_t nbytes)
{
    driver_identity driver;
    char name[NAME_NBYTES];
    if (!is_on())
        return false;
    identify_driver(info, cache_uuid, &driver);
    bytes identity = {.data = (uint8_t *)&driver, .n = sizeof(driver)};
    name_entry(&identity, KINDS[kind].end, name);
    return store_entry(name, KINDS[kind].magic, &identity, blob, nbytes);
}
