/* ops/tuning.c - the table of tunables: defaults, stored values, values asked for. */
#include "ops/tuning.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

const vkt_tunable_info vkt_tunables[VKT_N_TUNABLES] = {
    [VKT_TUNE_ELEMENTWISE_WORKGROUP] = {"elementwise.workgroup", 32, 1024, false},
    [VKT_TUNE_ELEMENTWISE_WORKGROUP_HEAVY] = {"elementwise.workgroup_heavy", 32, 1024, false},
    [VKT_TUNE_ELEMENTWISE_VECTOR] = {"elementwise.vector", 4, 64, false},
    [VKT_TUNE_STREAM_ELEMENTS] = {"stream.elements", 1024, 1u << 30, false},
    [VKT_TUNE_STREAM_AFTER] = {"stream.after", 1, 1u << 30, false},
    [VKT_TUNE_GATHER_WORKGROUP] = {"gather.workgroup", 32, 1024, false},
    [VKT_TUNE_GATHER_ITEMS] = {"gather.items", 1, 32, false},
    [VKT_TUNE_MATMUL_LARGE] = {"matmul.large", 1, VKT_N_MATMUL_TILES, true},
    [VKT_TUNE_MATMUL_MEDIUM] = {"matmul.medium", 1, VKT_N_MATMUL_TILES, true},
    [VKT_TUNE_MATMUL_LARGE8] = {"matmul.large8", 1, VKT_N_MATMUL_TILES, true},
    [VKT_TUNE_MATMUL_MEDIUM8] = {"matmul.medium8", 1, VKT_N_MATMUL_TILES, true},
};

/* Device classes, and what measures best there. GPU: an H100, driver 580.159, short programs
 * stream 0.6 to 0.9 % faster in the largest groups; long ones need more registers than those leave
 * an invocation. Smaller GPUs want several groups per core. Products of
 * 8192 float32: 48.2 TFLOP/s with tile 4, 45.2 with tile 1, as 16 x 8 sums of an invocation read
 * shared memory less often than 8 x 8. */
typedef enum device_class { CLASS_CPU, CLASS_GPU, CLASS_LARGE_GPU, N_CLASSES } device_class;
static const uint32_t defaults[VKT_N_TUNABLES][N_CLASSES] = {
    /*                                         CPU  GPU  discrete GPU */
    [VKT_TUNE_ELEMENTWISE_WORKGROUP] = {256, 256, 1024},
    [VKT_TUNE_ELEMENTWISE_WORKGROUP_HEAVY] = {256, 256, 256},
    [VKT_TUNE_ELEMENTWISE_VECTOR] = {16, 16, 16},
    [VKT_TUNE_STREAM_ELEMENTS] = {1u << 14, 1u << 14, 1u << 14},
    [VKT_TUNE_STREAM_AFTER] = {1u << 22, 1u << 22, 1u << 22},
    [VKT_TUNE_GATHER_WORKGROUP] = {32, 128, 128},
    [VKT_TUNE_GATHER_ITEMS] = {32, 1, 1},
    [VKT_TUNE_MATMUL_LARGE] = {1, 1, 4},
    [VKT_TUNE_MATMUL_MEDIUM] = {2, 2, 2},
    [VKT_TUNE_MATMUL_LARGE8] = {1, 1, 1},
    [VKT_TUNE_MATMUL_MEDIUM8] = {2, 2, 2},
};

static device_class find_class(const vkt_device_info *info)
{
    if (info->serial_kernels)
        return CLASS_CPU;
    return info->kind == VKT_DEVICE_DISCRETE ? CLASS_LARGE_GPU : CLASS_GPU;
}

/* ---- Text ------------------------------------------------------------------------------------ */

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == ',' || *at == '\n')
        at++;
    return at;
}

/* One `name=value`, from *at to behind it. */
static vkt_status parse_one(const char **at, uint32_t *values)
{
    size_t n_name = strcspn(*at, "=, "), n_all = strcspn(*at, ", \n");
    int which = 0;
    char *end = NULL;
    while (which < VKT_N_TUNABLES && (strlen(vkt_tunables[which].name) != n_name ||
                                      memcmp(vkt_tunables[which].name, *at, n_name) != 0))
        which++;
    VKT_REQUIRE(which < VKT_N_TUNABLES && (*at)[n_name] == '=', VKT_VALUE_ERROR,
                "tuning: expected name=value with the name of a tunable, got '%.*s'",
                (int)(n_all < 80 ? n_all : 80), *at);
    const vkt_tunable_info *row = &vkt_tunables[which];
    unsigned long value = strtoul(*at + n_name + 1, &end, 10);
    VKT_REQUIRE(end == *at + n_all && value >= row->least && value <= row->most &&
                    (row->counts || (value & (value - 1)) == 0),
                VKT_VALUE_ERROR, "tuning: expected a %s from %u to %u for %s, got '%.*s'",
                row->counts ? "number" : "power of two", row->least, row->most, row->name,
                (int)(n_all < 80 ? n_all - n_name - 1 : 80), *at + n_name + 1);
    values[which] = (uint32_t)value;
    *at = end;
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_status parse(const char *text, uint32_t *values)
{
    uint32_t parsed[VKT_N_TUNABLES];
    memcpy(parsed, values, sizeof(parsed));
    for (const char *at = skip_blanks(text); *at; at = skip_blanks(at))
        VKT_TRY(parse_one(&at, parsed));
    memcpy(values, parsed, sizeof(parsed));
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Values of a device ---------------------------------------------------------------------- */

_Static_assert(VKT_N_TUNABLES < VKT_N_SETTINGS, "a device has too few settings");

/* Word 0 of the settings: nonzero once the others, one for each tunable, are valid. */
static uint32_t *find_values(vkt_device *device)
{
    return vkt_device_settings(device) + 1;
}

static void apply(const char *from, const char *text, uint32_t *values)
{
    if (text && parse(text, values) != VKT_OK)
        vkt_log(VKT_LOG_WARNING, "%s is ignored: %s", from, vkt_status_text());
}

static void init_values(vkt_device *device)
{
    device_class class = find_class(vkt_device_get_info(device));
    uint32_t *values = find_values(device);
    for (int i = 0; i < VKT_N_TUNABLES; i++)
        values[i] = defaults[i][class];
    char *stored = vkt_settings_load(device);
    apply("the stored tuning", stored, values);
    free(stored);
    apply("VKTENSOR_TUNING", getenv("VKTENSOR_TUNING"), values);
    vkt_device_settings(device)[0] = 1;
}

uint32_t vkt_tuned(vkt_device *device, vkt_tunable which)
{
    const uint32_t *settings = vkt_device_settings(device);
    if (!settings[0])
        init_values(device);
    return settings[1 + which];
}

vkt_status vkt_tuning_set(vkt_device *device, const char *text)
{
    if (!text) {
        init_values(device);
        return VKT_OK;
    }
    (void)vkt_tuned(device, (vkt_tunable)0);
    return parse(text, find_values(device));
}

bool vkt_tuning_store(vkt_device *device)
{
    device_class class = find_class(vkt_device_get_info(device));
    vkt_text text = {0};
    for (int i = 0; i < VKT_N_TUNABLES; i++) {
        uint32_t value = vkt_tuned(device, (vkt_tunable)i);
        if (value != defaults[i][class])
            vkt_text_format(&text, "%s=%u\n", vkt_tunables[i].name, value);
    }
    bool stored = !text.failed && vkt_settings_store(device, text.chars ? text.chars : "");
    vkt_text_free(&text);
    return stored;
}
